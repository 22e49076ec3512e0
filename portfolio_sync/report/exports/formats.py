"""The formats by name, and what each is read by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portfolio_sync.report.exports import beancount, koinly, kraken_ledgers
from portfolio_sync.report.exports.material import Material


@dataclass(frozen=True, slots=True)
class Format:
    """``lines`` yields text with its line ends. ``checked``: by what we know that it is read."""

    title: str
    lines: Callable[[Material], Iterator[str]]
    checked: str


FORMATS = {
    "kraken-ledgers": Format(
        "Kraken's ledgers CSV in the layout of 2025",
        kraken_ledgers.lines,
        "read back by `import`; whole seconds, as in Kraken's own files",
    ),
    "koinly": Format("Koinly's universal CSV", koinly.lines, "columns and labels as Koinly's help pages give them"),
    "beancount": Format("a beancount 3 ledger", beancount.lines, "bean-check 3.2"),
}
