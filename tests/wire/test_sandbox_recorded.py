"""Over HTTP: recorded answers come back byte for byte, and an export makes its whole way from request to ZIP."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from io import BytesIO
from itertools import count
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from zipfile import ZipFile

from portfolio_sync.sandbox.generate import generate
from portfolio_sync.sandbox.replay import replay
from portfolio_sync.sandbox.server import Sandbox
from tests.patience import PATIENCE

SAMPLES = Path(__file__).parents[1] / "data" / "kraken-samples"
NONCES = count(1)


def private(exchange: Sandbox, method: str, **params: str) -> bytes:
    """A signed call, as the exchange's own code sample makes it."""
    nonce = str(next(NONCES))
    body = urlencode({"nonce": nonce, **params})
    path = f"/0/private/{method}"
    message = path.encode() + hashlib.sha256((nonce + body).encode()).digest()
    sign = b64encode(hmac.new(b64decode(exchange.secret), message, hashlib.sha512).digest()).decode()
    request = Request(exchange.url + path, body.encode(), {"API-Key": exchange.key, "API-Sign": sign})
    with urlopen(request, timeout=PATIENCE) as response:
        return bytes(response.read())


def result(answer: bytes) -> object:
    parsed = json.loads(answer)
    assert parsed["error"] == []
    return parsed["result"]


def test_recorded_answers_come_back_byte_for_byte() -> None:
    folder = SAMPLES / "kraken-net"
    with Sandbox(replay=replay(folder, SAMPLES / "live-public-2026-09")) as exchange:
        for method, name in (
            ("Ledgers", "GetLedgerInfo"),
            ("GetApiKeyInfo", "GetApiKeyInfo"),
            ("BalanceEx", "GetAvailableBalances"),
        ):
            assert private(exchange, method) == (folder / f"{name}.json").read_bytes()
        with urlopen(f"{exchange.url}/0/public/Time", timeout=PATIENCE) as response:
            assert response.read() == (SAMPLES / "live-public-2026-09" / "Time.json").read_bytes()


def test_an_export_goes_from_request_to_zip_to_removal() -> None:
    account = generate(2, 200)
    with Sandbox(account) as exchange:
        job = result(private(exchange, "AddExport", report="ledgers", description="all", starttm="0"))
        assert isinstance(job, dict)
        (described,) = json.loads(private(exchange, "ExportStatus", report="ledgers"))["result"]
        assert (described["id"], described["status"]) == (job["id"], "Processed")
        with ZipFile(BytesIO(private(exchange, "RetrieveExport", id=job["id"]))) as bundle:
            lines = bundle.read("ledgers.csv").decode().splitlines()
        assert [line[1:20] for line in lines[1:]] == [row.id for row in account.ledgers]
        assert result(private(exchange, "RemoveExport", id=job["id"], type="delete")) == {"delete": True}
        assert json.loads(private(exchange, "RetrieveExport", id=job["id"]))["error"] == ["EExport:Unknown report"]
