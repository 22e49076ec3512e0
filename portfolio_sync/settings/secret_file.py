"""Read a file that holds secrets: a line or two, however an editor or a platform wrote it, and only where it is private."""

from __future__ import annotations

import codecs
import os
import shlex
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from portfolio_sync.core.secret import Secret
from portfolio_sync.errors import SettingsError

LARGEST = 65_536  # bytes; what is longer is some other file
# Where container platforms and systemd put secrets, for this service alone, with modes that nobody here can change.
PLATFORM_FOLDERS = (Path("/run/secrets"), Path("/var/run/secrets"), Path("/run/credentials"))
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # systemd's LoadCredential= and SetCredential=
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # what PowerShell's > writes

Warn = Callable[[str], None]


def place_of(path: Path, folder: Path, environ: Mapping[str, str]) -> Path:
    """Where a named file lies: systemd's credential of that name if there is one, else from ``folder`` (the settings file's)."""
    path = path.expanduser()
    handed_over = environ.get(CREDENTIALS)
    if handed_over and len(path.parts) == 1 and (credential := Path(handed_over) / path).exists():
        return credential
    return folder / path


def read_secret(path: Path, setting: str, warn: Warn) -> Secret:
    """The one line of a file. Raises SettingsError that names ``setting`` and the file, never what is in it."""
    lines = _lines(path, setting, warn)
    if len(lines) != 1:
        raise SettingsError(f"{setting}: {path} must hold one line, the secret; it has {len(lines)}")
    return lines[0]


def read_key_file(path: Path, setting: str, warn: Warn) -> tuple[Secret, Secret]:
    """Key and secret, the two lines of a file. Raises SettingsError."""
    lines = _lines(path, setting, warn)
    if len(lines) != 2:
        raise SettingsError(f"{setting}: {path} must hold two lines, the key and the secret; it has {len(lines)}")
    return lines[0], lines[1]


def read_private(path: Path, setting: str) -> Secret:
    """The whole text of a file, its mode unseen. Raises SettingsError where it cannot be read."""
    reason = "not a text file"
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        reason, content = error.strerror or "unreadable", b""
    else:
        if (text := _decoded(content)) is not None:
            return text
    del content  # no list of locals shows it
    raise SettingsError(f"{setting}: cannot read {path}: {reason}")


def check_private(path: Path, setting: str, warn: Warn) -> None:
    """Raises SettingsError where everybody can read the file or others can change it; warns where its group can read it."""
    if os.name != "posix" or _handed_over(path):
        return
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe: pass it as <(command)
        return
    mend = f"make it private with: chmod 600 {shlex.quote(str(path))}"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError(f"{setting}: {path} can be changed by other users; {mend}")
    if status.st_mode & stat.S_IROTH:
        raise SettingsError(f"{setting}: {path} can be read by every user of this computer; {mend}")
    if status.st_mode & stat.S_IRGRP:
        warn(f"{setting}: {path} can be read by its group; {mend}")


def _handed_over(path: Path) -> bool:
    """Whether a platform mounted it for us: in its own folders, or read-only, where no chmod could help."""
    if any(folder in each.parents for folder in PLATFORM_FOLDERS for each in (path.absolute(), path.resolve())):
        return True
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _lines(path: Path, setting: str, warn: Warn) -> list[Secret]:
    text = read_private(path, setting)
    check_private(path, setting, warn)
    lines = [Secret(line.strip()) for line in text.reveal().splitlines() if line.strip()]
    if not lines:
        raise SettingsError(f"{setting}: {path} is empty")
    return lines


def _decoded(content: bytes) -> Secret | None:
    """Text with or without a byte order mark. None: no text."""
    with suppress(UnicodeDecodeError):
        text = content.decode("utf-16" if content.startswith(UTF16) else "utf-8-sig")
        if len(content) <= LARGEST and "\0" not in text:
            return Secret(text)
    return None
