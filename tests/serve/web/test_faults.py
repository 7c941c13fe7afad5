"""Faults: a full disk, a locked or absent database, damage and hostile words are each one clear answer."""

import errno
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from hepatica.serve import uploads
from hepatica.serve.settings import Settings
from hepatica.serve.workbench import Workbench


def test_a_disk_that_is_full_is_said_before_and_while_a_file_arrives(
    client: TestClient, bench: Workbench, send, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"name": "a.csv", "size": 5, "sha256": "0" * 64}
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "RESERVE", 2**60)
        assert client.post("/api/v1/uploads", json=asked).status_code == 507
    key = client.post("/api/v1/uploads", json=asked).json()["upload_id"]

    class Full:
        def __init__(self, *_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", Full)
    answer = client.patch(f"/api/v1/uploads/{key}", content=b"12345", headers={"upload-offset": "0"})
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")


def test_a_case_on_a_full_disk_is_no_case(client: TestClient, bench: Workbench, send, tables, monkeypatch) -> None:
    key = send(tables.csv)["upload_id"]

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("shutil.move", full)
        assert client.post("/api/v1/cases", json={"run": "one", "uploads": [key]}).status_code == 507
    assert client.get("/api/v1/cases").json() == []
    assert client.post("/api/v1/cases", json={"run": "one", "uploads": [key]}).status_code == 201


def test_a_locked_database_is_503(settings: Settings, browse, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    for module in (sqlite3, sqlite3.dbapi2):
        monkeypatch.setattr(module, "connect", lambda *a, **k: connect(*a, **k | {"timeout": 0.05}))
    client = browse(settings)
    with connect(settings.data / "workbench.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        asked = {"name": "a.csv", "size": 5, "sha256": "0" * 64}
        for answer in (
            client.post("/api/v1/uploads", json=asked),
            client.post("/api/v1/jobs/report", json={"run": "one"}),
        ):
            assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "away", "5")
        other.execute("ROLLBACK")
    other.close()
    assert client.post("/api/v1/uploads", json=asked).status_code == 201


def test_a_server_of_databases_that_is_gone_is_503(
    settings: Settings, browse, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(replace(settings, database=postgresql))
    bench = client.app.state.workbench
    assert client.get("/health").json() == {"status": "ok"}
    away = postgresql.replace("127.0.0.1", "127.0.0.1:1")
    monkeypatch.setattr(bench.jobs, "where", away)
    for path in ("/health", "/api/v1/cases", "/api/v1/jobs"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "away"), path
        assert "hepatica@" not in answer.text


def test_a_fault_of_ours_shows_nothing_of_itself(settings: Settings, browse, monkeypatch, caplog) -> None:
    client = browse(settings)

    def broken(*_: object) -> None:
        raise ValueError("name of a patient")

    monkeypatch.setattr(client.app.state.workbench.cases, "all", broken)
    answer = client.get("/api/v1/cases")
    assert answer.status_code == 500
    assert answer.json() == {"code": "fault", "message": "a fault of hepatica; its log has more"}
    assert "ValueError" in caplog.text
    assert "name of a patient" not in caplog.text.replace('raise ValueError("name of a patient")', "")
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.csv", "../../etc/passwd", "a\u202efdp.csv", "x" * 999])
def test_hostile_names_reach_no_disk_and_no_answer(client: TestClient, bench: Workbench, tables, name: str) -> None:
    files = {"file": (name, tables.csv)}
    answer = client.post("/api/v1/cases/file", data={"run": "one"}, files=files)
    assert answer.status_code in (201, 415)
    assert "script" not in answer.text
    written = [str(each.relative_to(bench.settings.data)) for each in bench.settings.data.rglob("*")]
    assert not [each for each in written if "script" in each or "passwd" in each or "xxx" in each]


def test_the_wrong_kind_of_file_is_415_with_what_is_read(client: TestClient, send) -> None:
    key = send(b"II*\0" + bytes(200), name="a.svs")["upload_id"]
    answer = client.post("/api/v1/cases", json={"run": "one", "uploads": [key]})
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_kind")
    assert answer.json()["message"].startswith("got slide, wanted archive or table for a model that reads table")


def test_what_is_wrong_in_a_request_is_named_and_not_repeated(client: TestClient) -> None:
    answer = client.post("/api/v1/cases", json={"run": "Smith^John\n", "uploads": ["x"]})
    assert answer.status_code == 422
    assert "run" in answer.json()["message"]
    assert "Smith" not in answer.text


def test_no_file_is_read_before_it_is_known_who_sends_it(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError

    client.cookies.clear()
    monkeypatch.setattr("starlette.requests.Request.form", read)
    monkeypatch.setattr("starlette.requests.Request.stream", read)
    files = {"file": ("a.csv", b"x")}
    assert client.post("/api/v1/cases/file", data={"run": "one"}, files=files).status_code == 401
    sent = client.patch(f"/api/v1/uploads/{'0' * 32}", content=b"x", headers={"upload-offset": "0"})
    assert sent.status_code == 401


def test_a_form_without_a_file_is_said(client: TestClient) -> None:
    for fields in (
        {"data": {"run": "one"}},
        {"files": {"file": ("a.csv", b"x")}},
        {"data": {"run": "one", "file": "x"}},
    ):
        assert client.post("/api/v1/cases/file", **fields).status_code == 400
