"""The environment over ``.env``, its values hidden from everything that prints, and which of the two a name came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn


class Environ(Mapping[str, str]):
    """Names and values; a value of the environment wins over that of ``.env``."""

    __slots__ = ("_dotenv", "process")

    def __init__(self, process: Mapping[str, str], dotenv: Mapping[str, str]) -> None:
        self.process, self._dotenv = process, dotenv

    def __getitem__(self, name: str) -> str:
        return self.process[name] if name in self.process else self._dotenv[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._dotenv, **self.process})

    def __len__(self) -> int:
        return len(set(self.process) | set(self._dotenv))

    def origin(self, name: str) -> str:
        """Where the name's value comes from, in words."""
        return f"environment {name}" if name in self.process else f".env {name}"

    def from_dotenv(self) -> set[str]:
        """The names whose value is that of ``.env``."""
        return set(self._dotenv) - set(self.process)

    def __repr__(self) -> str:
        return f"Environ({len(self)} names)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("the environment holds secrets: it is not to be written anywhere")
