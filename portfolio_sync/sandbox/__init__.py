"""A practice exchange that speaks Kraken's protocol on loopback. It shares no code with ``kraken/``: two readings of one page."""
