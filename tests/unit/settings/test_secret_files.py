"""Where a key comes from: however a file was written, from whatever place, and never from one that others can read."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from portfolio_sync.core.secret import Secret
from portfolio_sync.errors import SettingsError
from portfolio_sync.kraken.credentials import Credentials
from portfolio_sync.settings import secret_file
from portfolio_sync.settings.secrets import Secrets, secrets_of
from portfolio_sync.settings.sources import load

KEY, SECRET = "the-public-half", "c2VjcmV0LXRoYXQtbXVzdC1uZXZlci1zaG93"
TWO_FILES = '[[accounts]]\nname = "a"\nkey = { file = "k" }\nsecret = { file = "s" }\n'
ONE_FILE = '[[accounts]]\nname = "a"\nkey_file = "kraken.key"\n'
IN_KEYRING = '[[accounts]]\nname = "a"\nkey = { keyring = "kraken/key" }\nsecret = { keyring = "kraken/secret" }\n'


def write(path: Path, content: bytes | str, mode: int = 0o600) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def secrets_from(
    folder: Path, toml: str, environ: dict[str, str] | None = None, warnings: list[str] | None = None
) -> Secrets:
    (folder / "portfolio-sync.toml").write_text(toml)
    warn = (warnings if warnings is not None else []).append
    loaded = load(environ=environ or {}, folder=folder, warn=warn)
    return secrets_of(loaded.settings.accounts[0], loaded.environ, loaded.folder, warn)


def shown(secrets: Secrets) -> tuple[str, str]:
    return secrets.key.reveal(), secrets.secret.reveal()


WRITTEN = {
    "plain": b"%s",
    "a line end": b"%s\n",
    "windows": b"%s\r\n",
    "old mac": b"%s\r",
    "empty lines": b"\n\n%s\n\n",
    "spaces": b"  \t%s \t\n",
    "byte order mark": b"\xef\xbb\xbf%s\r\n",
}


@pytest.mark.parametrize("form", WRITTEN.values(), ids=WRITTEN)
def test_a_secret_is_read_however_the_editor_wrote_its_file(tmp_path: Path, form: bytes) -> None:
    write(tmp_path / "k", form % KEY.encode())
    write(tmp_path / "s", form % SECRET.encode())
    write(tmp_path / "kraken.key", form % KEY.encode() + b"\n" + form % SECRET.encode().removeprefix(b"\xef\xbb\xbf"))
    assert shown(secrets_from(tmp_path, TWO_FILES)) == (KEY, SECRET)
    if not form.startswith(b"\xef"):
        assert shown(secrets_from(tmp_path, ONE_FILE)) == (KEY, SECRET)


def test_what_powershell_writes_is_read(tmp_path: Path) -> None:
    write(tmp_path / "kraken.key", f"{KEY}\r\n{SECRET}\r\n".encode("utf-16"))
    assert shown(secrets_from(tmp_path, ONE_FILE)) == (KEY, SECRET)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"\xff\xfe\xfd", "not a text file"),
        (b"\x89PNG\0\0", "not a text file"),
        (b"x" * 70_000, "not a text file"),
        (f"{KEY}\n".encode(), "must hold two lines"),
        (f"{KEY}\n{SECRET}\nmore\n".encode(), "must hold two lines"),
    ],
)
def test_a_key_file_that_is_none_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    write(tmp_path / "kraken.key", content)
    with pytest.raises(SettingsError, match=f"account a: key_file.*{words}") as caught:
        secrets_from(tmp_path, ONE_FILE)
    assert str(tmp_path / "kraken.key") in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_missing_file_a_folder_and_two_lines_for_one_secret_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"account a: key: cannot read .*k: No such file"):
        secrets_from(tmp_path, TWO_FILES)
    (tmp_path / "k").mkdir()
    with pytest.raises(SettingsError, match=r"account a: key: cannot read .*k: Is a directory"):
        secrets_from(tmp_path, TWO_FILES)
    (tmp_path / "k").rmdir()
    write(tmp_path / "k", f"{KEY}\n{SECRET}\n")
    with pytest.raises(SettingsError, match=r"account a: key: .* must hold one line, the secret; it has 2"):
        secrets_from(tmp_path, TWO_FILES)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    write(tmp_path / "kraken.key", f"{KEY}\n{SECRET}\n", 0o000)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root reads everything
    try:
        with pytest.raises(SettingsError, match=r"key_file: cannot read .*: Permission denied"):
            secret_file.read_key_file(tmp_path / "kraken.key", "account a: key_file", print)
    finally:
        os.seteuid(user)


def test_a_pipe_can_hand_the_key_over(tmp_path: Path) -> None:
    read, write_ = os.pipe()
    os.write(write_, f"{KEY}\n{SECRET}\n".encode())
    os.close(write_)
    assert secret_file.read_key_file(Path(f"/dev/fd/{read}"), "x", print)[0].reveal() == KEY
    os.close(read)


@pytest.mark.parametrize(
    ("mode", "words"),
    [(0o644, "read by every user"), (0o604, "read by every user"), (0o620, "changed"), (0o602, "changed")],
)
def test_a_key_file_that_others_can_read_or_change_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int, words: str
) -> None:
    write(tmp_path / "kraken.key", f"{KEY}\n{SECRET}\n", mode)
    with pytest.raises(SettingsError, match=f"{words}.*chmod 600 {tmp_path / 'kraken.key'}"):
        secrets_from(tmp_path, ONE_FILE)


def test_a_key_file_that_its_group_can_read_is_warned_of(tmp_path: Path) -> None:
    write(tmp_path / "kraken.key", f"{KEY}\n{SECRET}\n", 0o640)
    warnings: list[str] = []
    secrets_from(tmp_path, ONE_FILE, warnings=warnings)
    assert len(warnings) == 1
    assert "can be read by its group" in warnings[0]


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    write(tmp_path / "real", f"{KEY}\n{SECRET}\n", 0o644)
    (tmp_path / "kraken.key").symlink_to("real")
    with pytest.raises(SettingsError, match="read by every user"):
        secrets_from(tmp_path, ONE_FILE)
    (tmp_path / "real").chmod(0o600)
    assert shown(secrets_from(tmp_path, ONE_FILE)) == (KEY, SECRET)


def test_what_a_platform_mounts_is_taken_with_the_mode_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker mounts 0444; Kubernetes mounts links to a folder that it swaps."""
    mounted = tmp_path / "run" / "secrets"
    (mounted / "..2026_01").mkdir(parents=True)
    write(mounted / "..2026_01" / "kraken", f"{KEY}\n{SECRET}\n", 0o444)
    (mounted / "kraken").symlink_to("..2026_01/kraken")
    monkeypatch.setattr(secret_file, "PLATFORM_FOLDERS", (mounted,))
    warnings: list[str] = []
    toml = f'[[accounts]]\nname = "a"\nkey_file = "{mounted / "kraken"}"\n'
    assert shown(secrets_from(tmp_path, toml, warnings=warnings)) == (KEY, SECRET)
    (tmp_path / "link").symlink_to(mounted / "kraken")
    secrets_from(tmp_path, toml.replace(str(mounted / "kraken"), "link"), warnings=warnings)
    assert warnings == []


def test_on_a_read_only_mount_no_mode_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class ReadOnly:
        f_flag = os.ST_RDONLY

    write(tmp_path / "kraken.key", f"{KEY}\n{SECRET}\n", 0o644)
    monkeypatch.setattr(os, "statvfs", lambda _: ReadOnly)
    assert shown(secrets_from(tmp_path, ONE_FILE)) == (KEY, SECRET)


def test_a_credential_of_systemd_wins_over_a_file_of_that_name(tmp_path: Path) -> None:
    handed_over = tmp_path / "credentials"
    handed_over.mkdir()
    write(handed_over / "kraken.key", f"{KEY}\n{SECRET}\n", 0o400)
    assert shown(secrets_from(tmp_path, ONE_FILE, {"CREDENTIALS_DIRECTORY": str(handed_over)})) == (KEY, SECRET)
    write(tmp_path / "kraken.key", f"old\n{SECRET}\n")
    assert shown(secrets_from(tmp_path, ONE_FILE, {"CREDENTIALS_DIRECTORY": str(handed_over)})) == (KEY, SECRET)
    (handed_over / "kraken.key").unlink()
    assert shown(secrets_from(tmp_path, ONE_FILE, {"CREDENTIALS_DIRECTORY": str(handed_over)})) == ("old", SECRET)


def test_dotenv_with_a_secret_must_be_private_and_without_one_need_not(tmp_path: Path) -> None:
    write(tmp_path / ".env", "PORTFOLIO_SYNC_TAX_CURRENCY=GBP\n", 0o644)
    load(environ={}, folder=tmp_path)
    for line in (f"KRAKEN_API_SECRET={SECRET}", "PORTFOLIO_SYNC_DATABASE_URL=postgresql://u:geheim@h/d"):
        write(tmp_path / ".env", f"{line}\n", 0o644)
        with pytest.raises(SettingsError, match=r"secrets in .env: .*read by every user.*chmod 600"):
            load(environ={}, folder=tmp_path)
    write(tmp_path / ".env", f"MINE={SECRET}\n", 0o644)
    load(environ={}, folder=tmp_path)
    with pytest.raises(SettingsError, match="read by every user"):
        secrets_from(tmp_path, TWO_FILES.replace('{ file = "s" }', '{ env = "MINE" }'))
    write(tmp_path / ".env", f"\ufeffKRAKEN_API_KEY={KEY}\r\nexport KRAKEN_API_SECRET='{SECRET}'\r\n")
    (tmp_path / "portfolio-sync.toml").unlink()
    loaded = load(environ={}, folder=tmp_path)
    assert shown(secrets_of(loaded.settings.accounts[0], loaded.environ, loaded.folder, print)) == (KEY, SECRET)


def test_a_settings_file_with_a_database_password_must_be_private(tmp_path: Path) -> None:
    write(tmp_path / "portfolio-sync.toml", '[database]\nurl = "postgresql://u:geheim@h/d"\n', 0o644)
    with pytest.raises(SettingsError, match=r"\[database\] url with a password: .*read by every user") as caught:
        load(environ={}, folder=tmp_path)
    assert "geheim" not in str(caught.value)
    (tmp_path / "portfolio-sync.toml").chmod(0o600)
    assert "geheim" not in repr(load(environ={}, folder=tmp_path))


def test_the_database_url_comes_from_a_file_too(tmp_path: Path) -> None:
    write(tmp_path / "url", "postgresql://u:geheim@h/d\r\n")
    got = load(environ={"PORTFOLIO_SYNC_DATABASE_URL_FILE": str(tmp_path / "url")}, folder=tmp_path)
    assert got.settings.database.url == "postgresql://u:geheim@h/d"
    (tmp_path / "url").chmod(0o644)
    with pytest.raises(SettingsError, match=r"DATABASE_URL_FILE: .*read by every user"):
        load(environ={"PORTFOLIO_SYNC_DATABASE_URL_FILE": str(tmp_path / "url")}, folder=tmp_path)


@pytest.mark.parametrize("place", ["{}", '{ env = "A", file = "b" }', '{ env = "" }', '{ keyring = "kraken" }'])
def test_a_reference_names_exactly_one_place(tmp_path: Path, place: str) -> None:
    with pytest.raises(SettingsError, match=r"\[\[accounts\]\] a secret"):
        secrets_from(tmp_path, TWO_FILES.replace('{ file = "s" }', place))


# --- the operating system's keyring ---


class Ring(KeyringBackend):
    priority: ClassVar[Any] = 5
    kept: ClassVar[dict[tuple[str, str], str]] = {("kraken", "key"): KEY, ("kraken", "secret"): SECRET}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


class PlaintextRing(Ring):
    pass


class WeakRing(Ring):
    priority: ClassVar[Any] = 0.5


class LockedRing(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(SECRET)


def made(ring: Callable[[], Ring]) -> Ring:
    return ring()


@pytest.fixture
def _ring_put_back() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("_ring_put_back")
def test_the_keyring_gives_the_key(tmp_path: Path) -> None:
    keyring.set_keyring(made(Ring))
    assert shown(secrets_from(tmp_path, IN_KEYRING)) == (KEY, SECRET)
    with pytest.raises(SettingsError, match="nothing in the keyring; put it there with: keyring set kraken other"):
        secrets_from(tmp_path, IN_KEYRING.replace("kraken/key", "kraken/other"))


@pytest.mark.usefixtures("_ring_put_back")
@pytest.mark.parametrize("ring", [PlaintextRing, WeakRing])
def test_an_unsafe_keyring_is_refused(tmp_path: Path, ring: type[Ring]) -> None:
    keyring.set_keyring(made(ring))
    with pytest.raises(SettingsError, match="account a: key: no safe keyring on this computer"):
        secrets_from(tmp_path, IN_KEYRING)


@pytest.mark.usefixtures("_ring_put_back")
def test_a_locked_keyring_says_so(tmp_path: Path) -> None:
    keyring.set_keyring(made(LockedRing))
    with pytest.raises(SettingsError, match="the keyring does not open: KeyringLocked") as caught:
        secrets_from(tmp_path, IN_KEYRING)
    assert SECRET not in str(caught.value)


def test_a_computer_without_a_keyring_says_what_to_use(tmp_path: Path) -> None:
    write(tmp_path / "portfolio-sync.toml", IN_KEYRING)
    environ = os.environ | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    done = subprocess.run(
        [sys.executable, "-m", "portfolio_sync", "key", "check"],
        cwd=tmp_path, env=environ | {"HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no safe keyring on this computer" in done.stderr
    assert "from a file or the environment" in done.stderr


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SettingsError, match=r"pip install 'portfolio-sync\[keyring\]'"):
        secrets_from(tmp_path, IN_KEYRING)


# --- hidden from everything that prints ---


def test_a_secret_shows_nowhere_and_is_not_copied_out(tmp_path: Path) -> None:
    environ = {
        "KRAKEN_API_KEY": KEY,
        "KRAKEN_API_SECRET": SECRET,
        "PORTFOLIO_SYNC_DATABASE_URL": "postgresql://u:geheim@h/d",
    }
    loaded = load(environ=environ, folder=tmp_path)
    secrets = secrets_of(loaded.settings.accounts[0], loaded.environ, loaded.folder, print)
    credentials = Credentials(secrets.key, secrets.secret, Secret("one-time"), Secret("JBSWY3DPEHPK3PXP"))
    for thing in (loaded, loaded.environ, loaded.settings, secrets, secrets.key, credentials):
        for words in (repr(thing), str(thing), f"{thing}", f"{[thing]!r}"):
            assert not any(secret in words for secret in (KEY, SECRET, "geheim", "one-time", "JBSWY"))
    for thing in (loaded.environ, secrets.key, credentials):
        for way in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                way(thing)
    with pytest.raises(TypeError):
        hash(secrets.key)
    assert secrets.key == Secret(KEY) != Secret(SECRET)
