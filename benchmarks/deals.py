"""One history of buys and sells in every form that a program of the comparison takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

START = datetime(2015, 1, 1, tzinfo=UTC)
DAYS = 4_000
ASSETS = ("BTC", "ETH", "LTC", "DOT", "ADA")
CENT = Decimal("0.0001")
FEE = Decimal("0.0026")
HEADER = "txid,refid,time,type,subtype,aclass,asset,wallet,amount,fee,balance"
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Deal:
    """Units of ``asset`` for US dollars; ``money`` before the fee, which is in dollars too."""

    number: int
    time: datetime
    asset: str
    buys: bool
    units: Decimal
    money: Decimal
    fee: Decimal


def deals(number: int, assets: Sequence[str] = ASSETS) -> list[Deal]:
    """Over the same eleven years whatever their number, never more sold than held."""
    chance, held = Random(1), defaultdict[str, Decimal](Decimal)
    step = timedelta(days=DAYS) / number
    made = []
    for place in range(number):
        asset = chance.choice(assets)
        units = Decimal(chance.randrange(10**4, 10**8)) / 10**8
        buys = chance.random() < 0.5 or units > held[asset]
        held[asset] += units if buys else -units
        money = (units * chance.randrange(1000, 90000)).quantize(CENT)
        at = (START + step * place).replace(microsecond=0)
        made.append(Deal(place, at, asset, buys, units, money, (money * FEE).quantize(CENT)))
    return made


def name(letter: str, number: int) -> str:
    """An id of Kraken's form."""
    digits = ""
    for _ in range(16):
        number, digit = divmod(number, 36)
        digits = LETTERS[digit] + digits
    return f"{letter}{digits[:5]}-{digits[5:10]}-{digits[10:]}"


def ledger_lines(history: Sequence[Deal]) -> Iterator[str]:
    """Kraken's ledgers export: a deposit of dollars, then two rows a deal."""
    balance = defaultdict[str, Decimal](Decimal)
    yield HEADER
    balance["USD"] = sum((deal.money + deal.fee for deal in history if deal.buys), Decimal(1))
    yield f'"{name("L", 0)}","{name("F", 0)}","{START - timedelta(days=1):%Y-%m-%d %H:%M:%S}","deposit","","currency","USD","spot / main",{balance["USD"]},0,{balance["USD"]}'
    for deal in history:
        sign, at, refid = 1 if deal.buys else -1, f"{deal.time:%Y-%m-%d %H:%M:%S}", name("T", deal.number)
        for half, (asset, amount, fee) in enumerate(
            (("USD", -sign * deal.money, deal.fee), (deal.asset, sign * deal.units, Decimal(0)))
        ):
            balance[asset] += amount - fee
            row = name("L", 1 + 2 * deal.number + half)
            yield f'"{row}","{refid}","{at}","trade","tradespot","currency","{asset}","spot / main",{amount:f},{fee:f},{balance[asset]:f}'


def write_ledgers(history: Sequence[Deal], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in ledger_lines(history))
