"""What kind of thing a symbol names. Symbols are ours (``BTC``, ``EUR``); Kraken's codes are the wire's business."""

from __future__ import annotations

# ISO 4217 codes that Kraken books or has booked (its asset list), and the other currencies that prices are quoted in.
FIAT = frozenset(
    "AED ARS AUD BRL CAD CHF CLP COP CZK DKK EUR GBP GEL GHS HKD HUF IDR ILS INR JPY KRW LKR MXN MYR NGN NOK NZD PEN PHP PLN RON SEK SGD THB TRY UAH UGX USD VND XOF ZAR".split()  # noqa: SIM905  # a line to read, not forty
)

# Kraken's fee credits: a voucher for its own fees, without a market.
FEE_CREDIT = "KFEE"

# Two names of one holding: what Kraken booked as staked ether became ether one for one, without a sale.
SAME_HOLDING = {"ETH2": "ETH", "FEE": FEE_CREDIT}


def holding(symbol: str) -> str:
    """The name under which units of ``symbol`` are pooled."""
    return SAME_HOLDING.get(symbol, symbol)


def capitals(symbol: str) -> str:
    """``btc`` is BTC; the small letter of ``AAPLx``, a tokenized stock, is part of its name."""
    return symbol.upper() if symbol.islower() else symbol
