"""Stow: files that come by the web are stored as those of C-STORE are, and the answer says what became of each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dicom_images import ct_image
from fastapi.testclient import TestClient

from hepatica.cohort import SettingsError
from hepatica.radiology.phantom.dicom import encoded
from hepatica.serve.node.multipart import message
from hepatica.serve.node.settings import NodeSettings, Stow
from hepatica.serve.node.spool import Spool
from hepatica.serve.node.stow import application
from hepatica.serve.settings import Settings

TOKEN = "a-token-of-a-test-0123456789"
TYPE = 'multipart/related; type="application/dicom"; boundary=abc'


@pytest.fixture
def settings(tmp_path: Path) -> NodeSettings:
    (tmp_path / "token").write_text(TOKEN + "\n")
    stow = Stow(port=0, token=tmp_path / "token")
    return NodeSettings(callers=("PACS",), rules=(), stow=stow, free_gib=0.0, largest_gib=2**-10)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "studies")


@pytest.fixture
def client(settings: NodeSettings, spool: Spool) -> Iterator[TestClient]:
    with TestClient(application(settings, spool)) as found:
        found.headers["Authorization"] = f"Bearer {TOKEN}"
        yield found


@pytest.fixture
def post(client: TestClient) -> Callable[..., tuple[int, dict[str, list[dict[str, object]]]]]:
    """`post(piece, …)` is the status, and each sequence of the answer, plain."""

    def run(*pieces: bytes, path: str = "/dicom-web/studies"):
        answer = client.post(path, content=message(list(pieces), boundary="abc"), headers={"Content-Type": TYPE})
        plain = {
            tag: [{each: element["Value"][0] for each, element in item.items()} for item in sequence["Value"]]
            for tag, sequence in answer.json().items()
        }
        return answer.status_code, plain

    return run


def test_files_are_stored_once(post, spool: Spool) -> None:
    pieces = [encoded(ct_image(number)) for number in (1, 2)]
    for _ in range(2):
        status, said = post(*pieces)
        assert status == 200
        assert [each["00081155"] for each in said["00081199"]] == ["1.2.3.4.1", "1.2.3.4.2"]
        assert said.keys() == {"00081199"}
    (study,) = spool.studies()
    assert len(spool.images(study)) == 2
    assert len(spool.quiet(for_s=0)) == 1


def test_each_piece_has_its_answer(post) -> None:
    status, said = post(encoded(ct_image(1)), b"no DICOM")
    assert status == 202
    assert [each["00081155"] for each in said["00081199"]] == ["1.2.3.4.1"]
    assert said["0008119A"] == [{"00081197": 0xC000}]
    status, said = post(encoded(ct_image(1)), path="/dicom-web/studies/9.9.9")
    assert status == 409
    assert said["00081198"] == [
        {"00081150": "1.2.840.10008.5.1.4.1.1.2", "00081155": "1.2.3.4.1", "00081197": 0xA900}
    ]  # fmt: skip
    assert post(encoded(ct_image(1)), path="/dicom-web/studies/1.2.3")[0] == 200


def test_a_full_disk_refuses_with_its_reason(post, spool: Spool, monkeypatch) -> None:
    monkeypatch.setattr("hepatica.serve.node.stow.room", lambda *_, **__: False)
    status, said = post(encoded(ct_image(1)))
    assert (status, said["00081198"][0]["00081197"]) == (409, 0xA700)
    assert spool.studies() == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (message([encoded(ct_image(1))], boundary="abc")[:-9], TYPE, 400),
        (message([bytes(2**20 + 1)], boundary="abc"), TYPE, 400),
        (b"--abc\r\n" + b"a: b\r\n" * 99, TYPE, 400),
    ],
)
def test_a_message_that_is_none_is_refused(client: TestClient, content: bytes, kind: str, status: int) -> None:
    answer = client.post("/dicom-web/studies", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status


def test_what_came_whole_before_the_message_broke_off_is_there(client: TestClient, spool: Spool) -> None:
    broken = message([encoded(ct_image(1)), encoded(ct_image(2))], boundary="abc")[:-50]
    assert client.post("/dicom-web/studies", content=broken, headers={"Content-Type": TYPE}).status_code == 400
    (study,) = spool.studies()
    assert len(spool.images(study)) == 1


@pytest.mark.parametrize("given", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_token_nothing_is_taken(client: TestClient, spool: Spool, given: str) -> None:
    client.headers["Authorization"] = given
    answer = client.post("/dicom-web/studies", content=b"", headers={"Content-Type": TYPE})
    assert answer.status_code == 401
    assert client.get("/health").status_code == 200
    assert spool.studies() == []


def test_a_short_token_is_refused(settings: NodeSettings, spool: Spool) -> None:
    settings.stow.token.write_text("short")
    with pytest.raises(SettingsError, match="16 characters"):
        application(settings, spool)


def test_the_workbench_takes_them_for_a_node_on_the_same_folder(browse, runs: Path, tmp_path: Path) -> None:
    found = browse(Settings(data=tmp_path / "data", runs=runs))
    send = {"content": message([encoded(ct_image(1))], boundary="abc"), "headers": {"Content-Type": TYPE}}
    assert found.post("/dicom-web/studies", **send).status_code == 200
    assert len(Spool(tmp_path / "data" / "node" / "studies").studies()) == 1
    found.cookies.clear()
    assert found.post("/dicom-web/studies", **send).status_code == 401
