"""Uploads: pieces in any number of connections become the file that was announced, or none."""

from dataclasses import replace
from hashlib import sha256

from fastapi.testclient import TestClient

from hepatica.serve import uploads
from hepatica.serve.web.limits import CHUNK
from hepatica.serve.workbench import Workbench

URL = "/api/v1/uploads"


def announced(content: bytes, *, name: str = "a.csv") -> dict[str, object]:
    return {"name": name, "size": len(content), "sha256": sha256(content).hexdigest()}


def piece(client: TestClient, upload_id: str, content: bytes, *, offset: int) -> tuple[int, dict]:
    found = client.patch(f"{URL}/{upload_id}", content=content, headers={"upload-offset": str(offset)})
    return found.status_code, found.json()


def test_a_half_upload_is_resumed_and_is_no_case_before(client: TestClient, tables) -> None:
    content = tables.csv
    begun = client.post(URL, json=announced(content)).json()
    key = begun["upload_id"]
    assert piece(client, key, content[:100], offset=0)[1]["received"] == 100
    early = client.post("/api/v1/cases", json={"run": "one", "uploads": [key]})
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    assert client.post(URL, json=announced(content)).json() == begun | {"received": 100}
    assert piece(client, key, content[100:], offset=50)[0] == 409
    assert piece(client, key, content[100:], offset=100)[1]["received"] == len(content)
    first = client.post("/api/v1/cases", json={"run": "one", "uploads": [key]})
    again = client.post("/api/v1/cases", json={"run": "one", "uploads": [key]})
    assert first.json() == again.json()
    assert first.status_code == 201


def test_uploads_of_a_case_are_not_answered_by_it_for_another_model(client: TestClient, send, tables) -> None:
    asked = {"run": "one", "uploads": [send(tables.csv)["upload_id"]]}
    assert client.post("/api/v1/cases", json=asked).json()["run"] == "one"
    other = client.post("/api/v1/cases", json=asked | {"run": "two"})
    assert (other.status_code, "case of the run one" in other.json()["message"]) == (409, True)


def test_the_disk_keeps_its_reserve(client: TestClient, tables, monkeypatch) -> None:
    key = client.post(URL, json=announced(b"ab")).json()["upload_id"]
    form = {"files": {"file": ("a.csv", tables.csv)}, "data": {"run": "one"}}
    monkeypatch.setattr(uploads, "RESERVE", 2**62)
    assert client.post("/api/v1/cases/file", **form).status_code == 507
    assert piece(client, key, b"ab", offset=0)[0] == 507
    monkeypatch.setattr(uploads, "RESERVE", 0)
    assert client.post("/api/v1/cases/file", **form).status_code == 201
    assert piece(client, key, b"ab", offset=0)[0] == 200


def test_more_than_was_announced_is_refused(client: TestClient, bench: Workbench) -> None:
    key = client.post(URL, json=announced(b"ab")).json()["upload_id"]
    assert piece(client, key, b"abc", offset=0)[0] == 413
    huge = announced(b"") | {"size": bench.settings.largest_upload_bytes + 1}
    assert client.post(URL, json=huge).status_code == 413
    assert piece(client, key, bytes(CHUNK + 1), offset=0)[0] == 413
    assert client.get(f"{URL}/{key}").json()["received"] == 0


def test_what_arrives_damaged_is_no_case(client: TestClient) -> None:
    key = client.post(URL, json=announced(b"patient_id\nA\n")).json()["upload_id"]
    piece(client, key, b"patient_id\nB\n", offset=0)
    found = client.post("/api/v1/cases", json={"run": "one", "uploads": [key]})
    assert (found.status_code, "SHA-256" in found.json()["message"]) == (409, True)
    assert client.get(f"{URL}/{key}").status_code == 404


def test_two_requests_do_not_write_one_file_at_once(client: TestClient, bench: Workbench) -> None:
    key = client.post(URL, json=announced(b"ab")).json()["upload_id"]
    upload = bench.uploads.get("local", key)
    with bench.uploads.appending(upload, offset=0):
        assert piece(client, key, b"ab", offset=0)[0] == 409
    assert piece(client, key, b"ab", offset=0)[0] == 200


def test_an_upload_is_its_owners_and_can_be_dropped(client: TestClient, bench: Workbench) -> None:
    key = client.post(URL, json=announced(b"ab")).json()["upload_id"]
    assert bench.uploads.begin("anna", name="a.csv", size=2, sha256="0" * 64).upload_id != key
    other = bench.uploads.begin("anna", name="a.csv", size=2, sha256="1" * 64)
    assert client.get(f"{URL}/{other.upload_id}").status_code == 404
    assert client.delete(f"{URL}/{key}").status_code == 204
    assert client.get(f"{URL}/{key}").status_code == 404


def test_what_is_never_finished_is_swept(client: TestClient, bench: Workbench, monkeypatch) -> None:
    key = client.post(URL, json=announced(b"ab")).json()["upload_id"]
    piece(client, key, b"a", offset=0)
    bench.uploads.sweep()
    assert client.get(f"{URL}/{key}").status_code == 200
    bench.uploads.settings = replace(bench.settings, longest_upload_s=-1)
    bench.uploads.sweep()
    assert client.get(f"{URL}/{key}").status_code == 404
    assert list(bench.uploads.folder.iterdir()) == []


def test_names_and_kinds(client: TestClient, bench: Workbench) -> None:
    for name, kind in {"Smith^John.svs": "slide", "../../<script>.nii.gz": "volume", "x.exe": "unknown"}.items():
        found = client.post(URL, json=announced(name.encode(), name=name)).json()
        assert found["kind"] == kind
        kept = bench.uploads.get("local", found["upload_id"]).name
        assert set(kept) <= set("0123456789abcdef.svniigz")
