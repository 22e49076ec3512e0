"""Settings: precedence, names of what is wrong, and secrets that never show."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from portfolio_sync.errors import SettingsError
from portfolio_sync.settings.model import Settings
from portfolio_sync.settings.secrets import Secrets, secrets_of
from portfolio_sync.settings.sources import Loaded, load
from portfolio_sync.settings.template import template

SECRET = "c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1zaG93"


def settings_from(folder: Path, toml: str = "", environ: dict[str, str] | None = None) -> Loaded:
    if toml:
        (folder / "portfolio-sync.toml").write_text(toml)
    return load(environ=environ or {}, folder=folder)


def shown(secrets: Secrets) -> tuple[str, str]:
    return secrets.key.reveal(), secrets.secret.reveal()


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_file(tmp_path: Path) -> None:
    toml = '[exchange]\ntier = "intermediate"\nhistory_call_cost = 2\n[tax]\ncurrency = "EUR"\n'
    (tmp_path / ".env").write_text("PORTFOLIO_SYNC_EXCHANGE_HISTORY_CALL_COST=3\nPORTFOLIO_SYNC_TAX_CURRENCY=GBP\n")
    got = settings_from(tmp_path, toml, {"PORTFOLIO_SYNC_TAX_CURRENCY": "CHF"}).settings
    assert (got.exchange.tier, got.exchange.history_call_cost, got.tax.currency) == ("intermediate", 3, "CHF")


def test_the_template_of_init_is_the_defaults(tmp_path: Path) -> None:
    assert settings_from(tmp_path, template(None)).settings == Settings()
    lines = [line[2:] if line.startswith("# ") and "=" in line else "" for line in template(None).splitlines()]
    sections = [line for line in template(None).splitlines() if line.startswith("[")]
    assert sections == ["[database]", "[exchange]", "[sync]", "[service]", "[log]", "[notify]", "[prices]", "[tax]"]
    assert any("deep_overlap" in line for line in lines)


def test_a_key_in_the_environment_makes_the_account_main(tmp_path: Path) -> None:
    environ = {"KRAKEN_API_KEY": "k", "KRAKEN_API_SECRET": SECRET, "KRAKEN_API_OTP": "123"}
    loaded = settings_from(tmp_path, environ=environ)
    (account,) = loaded.settings.accounts
    secrets = secrets_of(account, loaded.environ, loaded.folder, print)
    assert secrets.otp
    assert (account.name, *shown(secrets), secrets.otp.reveal()) == ("main", "k", SECRET, "123")


def test_the_file_twin_of_a_secret(tmp_path: Path) -> None:
    for name, text in (("k", "key-from-file\n"), ("s", SECRET + "\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o640)
    environ = {"KRAKEN_API_KEY_FILE": str(tmp_path / "k"), "KRAKEN_API_SECRET_FILE": str(tmp_path / "s")}
    loaded = settings_from(tmp_path, environ=environ)
    warnings: list[str] = []
    secrets = secrets_of(loaded.settings.accounts[0], loaded.environ, loaded.folder, warnings.append)
    assert shown(secrets) == ("key-from-file", SECRET)
    assert "can be read by its group" in warnings[0]


def test_a_two_line_key_file(tmp_path: Path) -> None:
    (tmp_path / "kraken.key").write_text(f"the-key\n{SECRET}\n")
    (tmp_path / "kraken.key").chmod(0o600)
    loaded = settings_from(tmp_path, '[[accounts]]\nname = "a"\nkey_file = "kraken.key"\n')
    warnings: list[str] = []
    secrets = secrets_of(loaded.settings.accounts[0], loaded.environ, loaded.folder, warnings.append)
    assert (*shown(secrets), warnings) == ("the-key", SECRET, [])


def test_an_account_inherits_and_overrides(tmp_path: Path) -> None:
    toml = '[exchange]\ntier="intermediate"\n[sync]\noverlap="2h"\n[[accounts]]\nname="a"\ntier="pro"\n[[accounts]]\nname="b"\noverlap="5m"\n'
    a, b = settings_from(tmp_path, toml).settings.accounts
    assert (a.exchange.tier, a.sync.overlap) == ("pro", timedelta(hours=2))
    assert (b.exchange.tier, b.sync.overlap) == ("intermediate", timedelta(minutes=5))


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[exchange]\nteir = 'pro'\n", "[exchange] teir: unknown setting"),
        ("[exchnge]\n", "[exchnge]: unknown setting"),
        ("[exchange]\ntier = 'gold'\n", "[exchange] tier:"),
        ("[exchange]\nurl = 'http://api.kraken.com'\n", "http:// on loopback only"),
        ("[exchange]\npace = false\n", "pace = false is accepted on loopback only"),
        ("[sync]\nschedule = 'sometimes'\n", "[sync] schedule: must be 'every 15m'"),
        ("[sync]\nstart = '2024-01-02'\nend = '2024-01-01'\n", "start must be before end"),
        ("[sync]\nstreams = ['ledger']\n", "[sync] streams"),
        ("[[accounts]]\nname = 'a'\n[[accounts]]\nname = 'a'\n", "two accounts are named 'a'"),
        ("[[accounts]]\nname = 'a'\ntire = 'pro'\n", "[[accounts]] a tire: unknown setting"),
        ("not toml", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, toml: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from(tmp_path, toml)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_names_in_the_environment_are_refused(tmp_path: Path) -> None:
    for name in ("PORTFOLIO_SYNC_EXCHNGE_TIER", "PORTFOLIO_SYNC_EXCHANGE_TEIR"):
        with pytest.raises(SettingsError, match="unknown setting"):
            settings_from(tmp_path, environ={name: "pro"})


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not belong in this file") as caught:
        settings_from(tmp_path, f'[[accounts]]\nname = "a"\nkey = "abc"\nsecret = "{SECRET}"\n')
    assert SECRET not in str(caught.value)


def test_nothing_secret_in_repr(tmp_path: Path) -> None:
    loaded = settings_from(tmp_path, environ={"KRAKEN_API_KEY": "kkk-key", "KRAKEN_API_SECRET": SECRET})
    secrets = secrets_of(loaded.settings.accounts[0], loaded.environ, loaded.folder, print)
    assert SECRET not in repr((loaded, secrets))
    assert "kkk-key" not in repr((loaded, secrets))


def test_a_missing_named_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="portfolio-sync init"):
        load(Path("nowhere.toml"), environ={}, folder=tmp_path)


def test_a_relative_database_lies_beside_its_settings_file(tmp_path: Path) -> None:
    got = settings_from(tmp_path, '[database]\nurl = "sqlite:///my.db"\n').settings
    assert got.database.url == f"sqlite:///{tmp_path / 'my.db'}"
