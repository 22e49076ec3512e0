"""Read-only portfolio and tax sync for Kraken accounts.

The road the data takes, folder by folder::

    Kraken HTTP -> raw rows (SQL) -> events -> valued events -> matches -> tables, views -> CSV
       kraken/      sync/ store/    normalize/    pricing/       tax/                      report/
"""

__version__ = "0.1.0"
