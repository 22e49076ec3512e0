"""``report``: the cost-basis files of a tax year."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portfolio_sync.cli.options import Output, account_option, with_app
from portfolio_sync.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from portfolio_sync.app import App


@click.command()
@click.option("--profile", "-p", metavar="P", help="Tax profile [default: that of the settings].")
@click.option("--method", metavar="M", help="Cost-basis method [default: the profile's].")
@click.option(
    "--year", metavar="Y", help="Tax year by the calendar year it starts in, or all [default: the last complete one]."
)
@click.option("--currency", metavar="C", help="Report currency [default: the profile's].")
@click.option("--taxpayer", metavar="X", help="Whose report, where there are several.")
@click.option("--set", "overrides", multiple=True, metavar="K=V", help="Override a field of the profile (repeatable).")
@click.option("--strict", is_flag=True, help="Exit 4 where a finding needs a person or the history is not proven.")
@click.option(
    "--from-manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Make the report of this manifest.json again, byte for byte; no other choice goes with it.",
)
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.zip",
    help="The report and the rows it was made from as one ZIP, too.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the files.")
@account_option
@with_app
def report(
    app: App,
    output: Output,
    profile: str | None,
    method: str | None,
    year: str | None,
    currency: str | None,
    taxpayer: str | None,
    overrides: tuple[str, ...],
    strict: bool,
    from_manifest: Path | None,
    bundle: Path | None,
    out: Path,
    account: tuple[str, ...],
) -> int:
    """Write the report folder: disposals, income, lots, holdings, summary, findings, worklist, prices, manifest."""
    from portfolio_sync.tasks import report as reports

    if from_manifest:
        given = {
            "--profile": profile,
            "--method": method,
            "--year": year,
            "--currency": currency,
            "--taxpayer": taxpayer,
        }
        _refuse_choices(given | {"--set": overrides, "--account": account})
        from portfolio_sync.tasks.rebuild import rebuild

        again = rebuild(app, from_manifest, out, bundle)
        output.data(again.document(), again.lines())
        return ExitCode.DONE if again.same else ExitCode.NEEDS_PERSON
    asked = reports.Asked(profile, method, year_asked(year), currency, taxpayer, dict(map(pair, overrides)), account)
    done = reports.make(app, asked, out, bundle)
    output.data(done.document(), done.lines())
    return ExitCode.NEEDS_PERSON if strict and done.needs_person else ExitCode.DONE


def _refuse_choices(given: Mapping[str, object]) -> None:
    names = [name for name, value in given.items() if value]
    if names:
        raise UsageError(f"--from-manifest says it all: leave out {', '.join(names)}")


def year_asked(text: str | None) -> Any:
    """``all``, a year, or a label such as 2024-25; None: the default."""
    if text in (None, "all"):
        return text
    assert text is not None
    first, dash, second = text.partition("-")
    is_label = not dash or (first.isdecimal() and second in (f"{(int(first) + 1) % 100:02}", str(int(first) + 1)))
    if not (first.isdecimal() and len(first) == 4 and is_label):
        raise UsageError(
            f"--year {text}: write a year such as 2024, one over two calendar years such as 2024-25, or all"
        )
    return int(first)


def pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: write it as key=value")
    return key, value
