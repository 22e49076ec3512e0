"""Export reports: queued, made after a while, fetched as a ZIP of CSV or TSV, forgotten after a few days.

Source: the API reference's export pages; headers as recorded in files of each generation. The exact error texts are not documented.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from portfolio_sync.sandbox.account import Account, Entry, Json
from portfolio_sync.sandbox.catalogue import ASSETS, PAIRS, PRICE_SCALE, TOKENIZED, usd
from portfolio_sync.sandbox.refusal import ExchangeRefusal

KEPT = 209_600
"""Seconds from createdtm to expiretm in both documented samples."""
CREATED_TO_STARTED = Decimal(8)
LAST_UNQUOTED = 5
"""Numbers stand in quotes in the files of 2026 (generation 6)."""
DISPLAY_NAMES_FROM = 5
"""Files say BTC and EUR where older ones say XXBT and ZEUR."""

LEDGER_HEADERS = {
    1: "txid,refid,time,type,aclass,asset,amount,fee,balance",
    2: "txid,refid,time,type,subtype,aclass,asset,amount,fee,balance",
    3: "txid,refid,time,type,subtype,aclass,asset,wallet,amount,fee,balance",
    4: "txid,refid,time,type,subtype,aclass,asset,wallet,amount,fee,balance,amountusd",
    5: "txid,refid,time,type,subtype,aclass,subclass,asset,wallet,amount,fee,balance",
    6: "txid,refid,time,type,subtype,aclass,subclass,asset,wallet,amount,fee,balance,amountusd,feeusd,balanceusd,feecurrency",
}
"""Columns by generation: to September 2020, from October 2020, mid 2024, a variant of it, 2025, 2026."""
TRADE_HEADER = "txid,ordertxid,pair,time,type,ordertype,price,cost,fee,vol,margin,misc,ledgers"
LATER_TRADE_HEADER = TRADE_HEADER + ",postxid,posstatus,cprice,ccost,cfee,cvol,cmargin,net,trades"
NUMBERS = frozenset("amount fee balance amountusd feeusd balanceusd price cost vol margin cprice ccost cfee cvol cmargin net".split())
EXTENSIONS = {"CSV": ",", "TSV": "\t"}


@dataclass(slots=True)
class Report:
    id: str
    kind: str
    format: str
    fields: tuple[str, ...]
    descr: str
    created: Decimal
    begin: Decimal
    end: Decimal


@dataclass(slots=True)
class Exports:
    """The export jobs of one key. ``generation``: whose header the files have. ``queue``, ``work``: seconds in each state.

    ``stuck`` keeps reports queued for ever; ``kept`` is after how many seconds they are forgotten; ``pending_rows`` adds the rows
    without id and balance that the web's files show for funding under way. ``window`` is the key's (from, to), 0 for none.
    """

    generation: int = 6
    queue: Decimal = Decimal(0)
    work: Decimal = Decimal(0)
    kept: Decimal = Decimal(KEPT)
    stuck: bool = False
    pending_rows: bool = False
    reports: dict[str, Report] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def add(self, account: Account, params: Json, now: Decimal, window: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))) -> Json:
        """AddExport: gives ``{"id": four letters}``. Raises ExchangeRefusal."""
        kind, form = str(params.get("report", "")), str(params.get("format", "CSV")).upper()
        if kind not in ("ledgers", "trades") or form not in EXTENSIONS or not params.get("description"):
            raise ExchangeRefusal("EGeneral:Invalid arguments")
        known = self._header(kind)
        asked = str(params.get("fields", "all"))
        chosen = known if asked == "all" else ("txid", *(name for name in known if name in asked.split(",")))
        if asked != "all" and not set(asked.split(",")) <= set(known):
            raise ExchangeRefusal("EGeneral:Invalid arguments:fields")
        begin, end = _moment(params.get("starttm"), _month_start(now)), _moment(params.get("endtm"), now)
        report = Report(_letters(next(self._numbers)), kind, form, chosen, str(params["description"]), now, begin, min(end, now))
        report.begin, report.end = max(report.begin, window[0]), min(report.end, window[1]) if window[1] else report.end
        self.reports[report.id] = report
        return {"id": report.id}

    def status(self, account: Account, params: Json, now: Decimal) -> list[Json]:
        """ExportStatus: every report of the kind, newest first."""
        kind = str(params.get("report", ""))
        if kind not in ("ledgers", "trades"):
            raise ExchangeRefusal("EGeneral:Invalid arguments")
        return [self._describe(report, now) for report in reversed(self.reports.values()) if report.kind == kind and not self._expired(report, now)]

    def retrieve(self, account: Account, params: Json, now: Decimal) -> bytes:
        """RetrieveExport: the ZIP. Raises ExchangeRefusal where there is none, or none yet."""
        report = self._find(params, now)
        if self._state(report, now) != "Processed":
            raise ExchangeRefusal("EExport:Not ready")
        return archive(account, report, self)

    def remove(self, account: Account, params: Json, now: Decimal) -> Json:
        """RemoveExport: ``delete`` for a report that is done, ``cancel`` for one that is not."""
        report, wish = self._find(params, now), str(params.get("type", ""))
        if wish not in ("delete", "cancel"):
            raise ExchangeRefusal("EGeneral:Invalid arguments:type")
        if (wish == "delete") is not (self._state(report, now) == "Processed"):
            raise ExchangeRefusal("EExport:Invalid status")
        del self.reports[report.id]
        return {wish: True}

    def _header(self, kind: str) -> tuple[str, ...]:
        trades = LATER_TRADE_HEADER if self.generation >= 2 else TRADE_HEADER
        return tuple((LEDGER_HEADERS[self.generation] if kind == "ledgers" else trades).split(","))

    def _find(self, params: Json, now: Decimal) -> Report:
        report = self.reports.get(str(params.get("id", "")))
        if report is None or self._expired(report, now):
            raise ExchangeRefusal("EExport:Unknown report")
        return report

    def _expired(self, report: Report, now: Decimal) -> bool:
        return now >= report.created + self.kept

    def _state(self, report: Report, now: Decimal) -> str:
        age = now - report.created
        if self.stuck or age < self.queue:
            return "Queued"
        return "Processing" if age < self.queue + self.work else "Processed"

    def _describe(self, report: Report, now: Decimal) -> Json:
        state = self._state(report, now)
        return {
            "id": report.id,
            "descr": report.descr,
            "format": report.format,
            "report": report.kind,
            "subtype": "all",
            "status": state,
            "flags": "0",
            "fields": "all" if report.fields == self._header(report.kind) else ",".join(report.fields),
            "createdtm": _whole(report.created),
            "expiretm": _whole(report.created + self.kept),
            "starttm": "0" if state == "Queued" else _whole(report.created + self.queue),
            "completedtm": _whole(report.created + self.queue + self.work) if state == "Processed" else "0",
            "datastarttm": _whole(report.begin),
            "dataendtm": _whole(report.end),
            "aclass": "forex",
            "asset": "all",
        }


def archive(account: Account, report: Report, exports: Exports) -> bytes:
    """The ZIP with ``ledgers.csv`` or the like, oldest row first."""
    rows = account.ledgers if report.kind == "ledgers" else account.trades
    cells = _ledger_cells if report.kind == "ledgers" else _trade_cells
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle, bundle.open(f"{report.kind}.{report.format.lower()}", "w") as raw:
        for line in _lines(rows, cells, report, exports):
            raw.write(line.encode())
    return packed.getvalue()


def _lines(rows: list[Entry], cells: Callable[[Entry, int], Json], report: Report, exports: Exports) -> Iterator[str]:
    split, bare = EXTENSIONS[report.format], NUMBERS if exports.generation <= LAST_UNQUOTED else frozenset[str]()
    yield split.join(f'"{name}"' for name in report.fields) + "\n"
    for row in rows:
        if report.begin <= row.at <= report.end:
            found = cells(row, exports.generation)
            if exports.pending_rows and row.fields["type"] in ("deposit", "withdrawal"):
                yield _line(found | {"txid": "", "balance": ""}, report.fields, split, bare)
            yield _line(found, report.fields, split, bare)


def _line(cells: Json, names: tuple[str, ...], split: str, bare: frozenset[str]) -> str:
    values = ((name, str(cells.get(name, ""))) for name in names)
    return split.join(value if name in bare and value else f'"{value}"' for name, value in values) + "\n"


def _ledger_cells(row: Entry, generation: int) -> Json:
    code = row.fields["asset"]
    cells = row.fields | {"txid": row.id, "time": f"{datetime.fromtimestamp(int(row.at), UTC):%Y-%m-%d %H:%M:%S}"}
    cells["wallet"] = row.fields.get("wallet", "spot / main")
    if generation >= DISPLAY_NAMES_FROM:
        cells["asset"], cells["subclass"] = display(code), _subclass(code, generation)
    if "amountusd" in LEDGER_HEADERS[generation]:
        worth = {name: _dollars(code, row.fields[name], int(row.at)) for name in ("amount", "fee", "balance")}
        cells |= {f"{name}usd": value for name, value in worth.items()} | {"feecurrency": cells["asset"]}
    return cells


def _trade_cells(row: Entry, generation: int) -> Json:
    fields = row.fields
    moment = datetime.fromtimestamp(int(row.at), UTC)
    fraction = f"{row.at % 1:.4f}"[1:]
    cells = fields | {"txid": row.id, "time": f"{moment:%Y-%m-%d %H:%M:%S}{fraction}", "ledgers": ",".join(fields.get("ledgers", ()))}
    if generation >= DISPLAY_NAMES_FROM and fields["pair"] in PAIRS:
        pair = PAIRS[fields["pair"]]
        cells["pair"] = f"{display(pair.base)}/{display(pair.quote)}"
    return cells


def display(code: str) -> str:
    """The name that new files and the website use: ``XXBT`` is BTC, ``XBT.M`` is BTC.M."""
    name = ASSETS[code].altname if code in ASSETS else code
    stem, dot, suffix = name.partition(".")
    return {"XBT": "BTC", "XDG": "DOGE"}.get(stem, stem) + dot + suffix


def _subclass(code: str, generation: int) -> str:
    if code in ASSETS and ASSETS[code].aclass == TOKENIZED:
        return "tokenized_asset"
    stem = display(code).partition(".")[0]
    if stem in ("EUR", "USD", "GBP", "CHF"):
        return "fiat"
    if generation < 6:
        return "crypto"
    return "stable_coin" if stem in ("USDT", "USDC") else "cryptocurrency"


def _dollars(code: str, amount: str, second: int) -> str:
    if code not in ASSETS:
        return ""
    return format((Decimal(amount) * usd(code, second) / PRICE_SCALE).quantize(Decimal("0.0001")), "f")


def _letters(number: int) -> str:
    """``TCJA``: four letters, without repeats in the first 456,976 reports."""
    number = (number * 78_539 + 40_123) % 26**4
    return "".join(chr(65 + number // 26**place % 26) for place in range(4))


def _moment(value: object, default: Decimal) -> Decimal:
    try:
        return Decimal(str(value)) if value not in (None, "") else default
    except ArithmeticError:
        raise ExchangeRefusal("EGeneral:Invalid arguments") from None


def _month_start(now: Decimal) -> Decimal:
    today = datetime.fromtimestamp(int(now), UTC)
    return Decimal(int(datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()))


def _whole(moment: Decimal) -> str:
    return str(int(moment))
