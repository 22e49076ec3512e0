"""The commented settings file that ``init`` writes. A test reads it back and finds the defaults."""

TEMPLATE = """\
# Settings of portfolio-sync. Every line that is commented out shows the default.
# The environment wins over this file: PORTFOLIO_SYNC_<SECTION>_<KEY>, for example PORTFOLIO_SYNC_DATABASE_URL.
# Secrets never stand here: [[accounts]] names the places where they are kept.

[database]
# url = "sqlite:///portfolio.db"          # beside this file; or postgresql+psycopg://user@host/name
{database}
[exchange]
# url = "https://api.kraken.com"
# tier = "starter"                        # starter | intermediate | pro: size and decay of the call counter
# history_call_cost = 4                   # cost of a page of Ledgers or TradesHistory; Kraken's own pages say 2 or 4
# pace = true                             # false: no waiting for the call counter; accepted on loopback only
# give_up_after = "2m"                    # retries of one call; then exit code 5

[sync]
# schedule = "every 15m"                  # or a cron line: "*/15 * * * *"
# jitter = "30s"
# overlap = "1h"                          # read again at each sync
# deep_overlap = "14d"                    # read again once a day
# start = "2013-01-01"                    # the window wanted; end likewise
# streams = ["balances", "ledgers", "trades", "earn", "deposits", "withdrawals"]
# export_wait = "30m"

[service]
# listen = "127.0.0.1:8731"               # /healthz, /readyz, /metrics; "off": no listener
# workers = 4
# lease = "60s"
# keep_runs = "90d"                       # the log of syncs that brought nothing; what brought rows is kept for ever
# stale_after = 3                         # an account is stale when it missed so many runs of its schedule

[log]
# format = "text"                         # or "json": one object a line, on stderr

[notify]
# urls = []                               # who is told of trouble: [{{ env = "ALERT_URL" }}, {{ file = "mail.url" }}]; see docs/monitoring.md

[prices]
# coin_age = "1d"                         # how old a rate may be; of currencies: fiat_age, over weekends and holidays
# fiat_age = "5d"
# order = ["ecb", "kraken:trades", "kraken:ohlc", "kraken:ohlcvt"]   # whose rate of one instant counts; your own file's first
# fiat = "kraken"                         # or "ecb": the European Central Bank's reference rates

[tax]
# profile = "generic"
# currency = "USD"                        # default: the profile's
# timezone = "UTC"                        # default: the profile's

# What kinds of ledger rows mean where the table (rules list) leaves it to you, by "type/subtype"; the reason is kept.
# [rules]
# "transfer/" = {{ treatment = "income", income_type = "airdrop", reason = "the SGB distribution of 2023" }}

# KRAKEN_API_KEY and KRAKEN_API_SECRET in the environment make the account "main" without any lines here.
# [[accounts]]
# name = "main"
# taxpayer = "me"
# key = {{ env = "KRAKEN_API_KEY" }}        # or {{ file = "path" }}; or, for both, key_file = "kraken.key" (two lines)
# secret = {{ env = "KRAKEN_API_SECRET" }}  # or {{ keyring = "service/name" }}: see docs/keys.md for each way
# tier = "pro"                            # any key of [exchange] and [sync] can be set for one account
# allow_permissions = []                  # permissions this program does not know, allowed by their exact name
"""


def template(database_url: str | None) -> str:
    """The file's text. ``database_url`` None keeps the default of the user's data folder."""
    return TEMPLATE.format(database=f'url = "{database_url}"\n' if database_url else "")
