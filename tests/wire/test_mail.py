"""``notify test`` and alerts by e-mail: through Apprise to a mail server on loopback, and what is said where that cannot be."""

from __future__ import annotations

import socketserver
import sys
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from portfolio_sync.cli.main import main


class Post(socketserver.ThreadingTCPServer):
    """As much of SMTP as one message needs. ``letters``: what was taken; refuses while ``closed``."""

    daemon_threads = True

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.to: list[str] = []
        self.closed = False
        super().__init__(("127.0.0.1", 0), Counter)

    @property
    def url(self) -> str:
        port = self.server_address[1]
        return f"mailto://127.0.0.1:{port}?from=service@example.com&to=owner@example.com"


class Counter(socketserver.StreamRequestHandler):
    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        post = self.server
        assert isinstance(post, Post)
        self.say("220 loopback")
        for line in self.rfile:
            word = line.split(b":")[0].strip().upper()
            if word == b"QUIT":
                self.say("221 bye")
                return
            if word == b"RCPT TO":
                post.to.append(line.decode().split(":")[1].strip())
            if word != b"DATA":
                self.say("550 not here" if post.closed and word == b"RCPT TO" else "250 ok")
                continue
            self.say("354 go on")
            text = b"".join(iter(self.rfile.readline, b".\r\n"))
            letter = message_from_bytes(text, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            post.letters.append(letter)
            self.say("250 taken")


@pytest.fixture
def post() -> Iterator[Post]:
    server = Post()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "portfolio-sync.toml").write_text('[notify]\nurls = [{ env = "MAIL" }]\n')
    return tmp_path


def test_a_letter_arrives(
    post: Post, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAIL", post.url)
    assert main(["notify", "test"]) == 0
    assert capsys.readouterr().out == "env MAIL: sent\n"
    (letter,) = post.letters
    assert letter["Subject"] == "portfolio-sync: test"
    assert (post.to, "service@example.com" in letter["From"]) == (["<owner@example.com>"], True)
    body = letter.get_body(("plain", "html"))
    assert body is not None
    assert "notifications of portfolio-sync arrive" in body.get_content()


def test_a_letter_that_is_refused_is_said_and_the_address_is_not_shown(
    post: Post, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    post.closed = True
    monkeypatch.setenv("MAIL", post.url.replace("127.0.0.1", "me:password-of-the-mailbox@127.0.0.1"))
    assert main(["notify", "test"]) == 5
    shown = capsys.readouterr()
    assert shown.out == "env MAIL: FAILED\n"
    assert "password-of-the-mailbox" not in shown.err
    assert post.letters == []


@pytest.mark.parametrize(
    ("settings", "url", "words"),
    [
        ("", "", 'names no channel; write urls = [{ env = "ALERT_URL" }] under [notify]'),
        ('[notify]\nurls = [{ env = "MAIL" }]\n', "no url at all", "is no URL of a channel"),
        ('[notify]\nurls = [{ env = "NOWHERE" }]\n', "", "NOWHERE"),
    ],
)
def test_what_is_not_set_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: str, url: str, words: str
) -> None:
    (here / "portfolio-sync.toml").write_text(settings)
    monkeypatch.setenv("MAIL", url)
    assert main(["notify", "test"]) == 2
    said = capsys.readouterr().err
    assert words in said.splitlines()[-1]
    assert "no url at all" not in said


def test_without_apprise_it_says_what_to_install(
    post: Post, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAIL", post.url)
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert main(["notify", "test"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "portfolio-sync: [notify] urls needs: pip install 'portfolio-sync[notify]'"
