"""From the exchange's pages to raw rows: what to read (``streams``), how to page (``walk``), what is read (``coverage``)."""
