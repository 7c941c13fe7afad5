"""Client: what it sends arrives whole over connections that break, and what the workbench refuses is said."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from hepatica import client as module
from hepatica.client import Client, WorkbenchError
from hepatica.cohort.errors import UnavailableError


class Server:
    """A workbench that fails at the requests whose numbers are in `broken`, after it has done what was asked."""

    def __init__(self, *broken: int, status: int = 0) -> None:
        self.broken, self.status = set(broken), status
        self.asked: list[str] = []
        self.file, self.said = b"", dict[str, Any]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path.removeprefix('/api/v1')}")
        assert request.headers["authorization"] == "Bearer t"
        answer = self._answer(request)
        if len(self.asked) in self.broken:
            if self.status:
                return httpx.Response(self.status, json={"code": "away", "message": "away"})
            raise httpx.ReadError("broke")
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        if path == "uploads":
            self.said = json.loads(request.content)
        elif request.method == "PATCH":
            if int(request.headers["upload-offset"]) != len(self.file):
                return httpx.Response(409, json={"code": "conflict", "message": "other offset"})
            self.file += request.content
        if path.startswith("uploads"):
            return httpx.Response(200, json={"upload_id": "u", "received": len(self.file), "piece": 4})
        if path.startswith("cases"):
            return httpx.Response(200, json={"case_id": "c", "state": "done"})
        return httpx.Response(404, json={"code": "not_found", "message": "no such thing"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_bytes(b"0123456789")
    return tmp_path / "a.csv"


def connected(server: Server, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(module, "PAUSE_S", 0.001)
    found = Client("http://127.0.0.1:1", token="t")
    found._http._transport = httpx.MockTransport(server)
    return found


def test_a_file_that_shrinks_on_its_way_is_no_endless_upload(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Shrinking(Server):
        def _answer(self, request: httpx.Request) -> httpx.Response:
            file.write_bytes(b"0123")
            return super()._answer(request)

    with connected(Shrinking(), monkeypatch) as client, pytest.raises(UnavailableError, match="became shorter"):
        client.submit(file, run="one")


@pytest.mark.parametrize("broken", [(), (1,), (2,), (3, 4), (5,), (6, 7)])
def test_a_file_arrives_whole_whatever_breaks(broken: tuple[int, ...], file: Path, monkeypatch) -> None:
    server = Server(*broken)
    with connected(server, monkeypatch) as client:
        assert client.submit(file, run="one")["case_id"] == "c"
        assert client.wait("c")["state"] == "done"
    assert server.file == b"0123456789"
    assert server.said == {"name": "a.csv", "size": 10, "sha256": sha256(b"0123456789").hexdigest()}


def test_a_workbench_that_is_away_is_asked_again_and_then_said(file: Path, monkeypatch) -> None:
    with connected(Server(1, 2, status=503), monkeypatch) as client:
        assert client.case("c")["state"] == "done"
    with connected(Server(*range(1, 20)), monkeypatch) as client, pytest.raises(UnavailableError, match="ReadError"):
        client.case("c")


def test_a_refusal_is_an_error_of_ours(monkeypatch) -> None:
    with connected(Server(), monkeypatch) as client, pytest.raises(WorkbenchError, match="no such thing") as error:
        client.runs()
    assert (error.value.status, error.value.code) == (404, "not_found")
