"""An answer that is a file: an export report, a ZIP. Errors come as JSON here too, with HTTP status 200."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from tempfile import TemporaryFile
from typing import IO

from portfolio_sync.kraken.response import Answer, Failure, Remedy, read

PIECE = 1 << 16  # bytes
# A local file header; an archive with nothing in it has only its end. The Content-Type is no guide: it has been seen wrong.
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


def saved(status: int, headers: Mapping[str, str], pieces: Iterable[bytes], method: str) -> Answer | Failure:
    """An Answer with the whole file, kept in a temporary one; what is not a ZIP to its end is a failure.

    A file is handed on only when it is complete, so a connection that breaks half-way is one more failed try, nothing else.
    """
    with ExitStack() as closing:
        file = closing.enter_context(TemporaryFile())
        for piece in pieces:
            file.write(piece)
        file.seek(0)
        if not file.read(4).startswith(ZIP_STARTS):
            file.seek(0)
            answer = read(status, headers, file.read(), method)
            return answer if isinstance(answer, Failure) else Failure(Remedy.RETRY, "an answer without a file")
        if not zipfile.is_zipfile(file):
            return Failure(Remedy.RETRY, "half a file")
        file.seek(0)
        closing.pop_all()  # in_pieces closes it
        return Answer(file)


def in_pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(partial(file.read, PIECE), b"")
