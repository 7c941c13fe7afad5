"""DICOMweb: a study out of a real archive as it was put in, and archives that answer amiss."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from dicom_images import ct_files, ct_image
from orthanc import Orthanc, free_port

from hepatica.cli.node import given
from hepatica.cohort import SettingsError, SpecimenError, UnavailableError
from hepatica.radiology.phantom.dicom import encoded
from hepatica.serve.node.dicomweb import DicomWeb
from hepatica.serve.node.multipart import message
from hepatica.serve.node.received import of_file

pytestmark = pytest.mark.xdist_group("trained_ct")  # archives in one process

KIND = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=abc'}


def datasets(folder: Path) -> dict[str, bytes]:
    found = [of_file(path.read_bytes()) for path in folder.rglob("*.dcm")]
    return {each.instance: each.dataset for each in found}


def test_a_study_comes_out_as_it_was_put_in(orthanc: Orthanc, tmp_path: Path) -> None:
    files = ct_files(tmp_path / "study", 5)
    (tmp_path / "study" / "report.dcm").write_bytes(
        encoded(ct_image(9, study=of_file(files[0].read_bytes()).study, Modality="SR", SeriesInstanceUID="1.2.9"))
    )
    with DicomWeb(orthanc.web) as archive:
        sent = archive.store(sorted((tmp_path / "study").iterdir()))
        assert (sent.stored, sent.refused) == (6, {})
        assert archive.store(files).stored == 5
        uid = of_file(files[0].read_bytes()).study
        found = archive.fetch(uid, into=tmp_path / "fetched")
        assert datasets(found) == {
            each.instance: each.dataset for each in (of_file(path.read_bytes()) for path in files)
        }
        times = {path: path.stat().st_mtime_ns for path in found.rglob("*.dcm")}
        archive.fetch(uid, into=tmp_path / "fetched")
    assert {path: path.stat().st_mtime_ns for path in found.rglob("*.dcm")} == times


def test_compressed_files_come_as_they_are(orthanc: Orthanc, tmp_path: Path) -> None:
    image = ct_image(1)
    image.compress(pydicom.uid.JPEG2000Lossless, generate_instance_uid=False)
    (tmp_path / "x.dcm").write_bytes(b"")
    image.save_as(tmp_path / "x.dcm", enforce_file_format=True)
    with DicomWeb(orthanc.web) as archive:
        archive.store([tmp_path / "x.dcm"])
        (path,) = archive.fetch("1.2.3", into=tmp_path / "fetched").rglob("*.dcm")
    assert of_file(path.read_bytes()).syntax == pydicom.uid.JPEG2000Lossless


def test_a_study_that_is_not_there(orthanc: Orthanc, tmp_path: Path) -> None:
    with DicomWeb(orthanc.web) as archive, pytest.raises(SpecimenError, match="no images of this study"):
        archive.fetch("1.2.99", into=tmp_path)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DicomWeb]:
    """`archive(answer)` is one that answers as a function of the request does."""

    def make(answer: Callable[[httpx.Request], httpx.Response]) -> DicomWeb:
        found = DicomWeb("http://archive/dicom-web", authorization="Bearer x")
        found._client.close()
        found._client = httpx.Client(
            transport=httpx.MockTransport(answer), base_url="http://archive/dicom-web/", headers=found._client.headers
        )
        return found

    return make


def one_series(count: int = 1, **more: Any) -> Any:
    row = {"0020000E": {"Value": ["1.2.3.4"]}, "00080060": {"Value": ["CT"]}, "00201209": {"Value": [count]}}
    return [row | more]


def answering(series: Any, body: bytes, **how: Any) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/series"):
            return httpx.Response(200, json=series)
        assert "transfer-syntax=*" in request.headers["accept"]
        assert request.headers["authorization"] == "Bearer x"
        return httpx.Response(200, content=body, **({"headers": KIND} | how))

    return answer


@pytest.mark.parametrize(
    ("series", "body", "how", "error"),
    [
        (one_series(), message([encoded(ct_image(1, study="9.9"))], boundary="abc"), {}, SpecimenError),
        (one_series(), message([b"no DICOM"], boundary="abc"), {}, SpecimenError),
        (one_series(), message([encoded(ct_image(1))], boundary="abc")[:-20], {}, SpecimenError),
        (one_series(), b"{}", {"headers": {"Content-Type": "application/json"}}, SpecimenError),
        (one_series(2), message([encoded(ct_image(1))], boundary="abc"), {}, UnavailableError),
        (one_series(**{"0020000E": {"Value": ["../../x"]}}), b"", {}, SpecimenError),
        (one_series(**{"0020000E": "x"}), b"", {}, SpecimenError),
        ({"a": 1}, b"", {}, SpecimenError),
        ([], b"", {}, SpecimenError),
    ],
)
def test_an_archive_that_sends_something_else(archive, tmp_path: Path, series, body, how, error) -> None:
    with archive(answering(series, body, **how)) as found, pytest.raises(error):
        found.fetch("1.2.3", into=tmp_path)


def test_a_study_larger_than_any_is_not_fetched(archive, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("hepatica.serve.node.dicomweb.MAX_UNPACKED", 3000)
    body = message([encoded(ct_image(number)) for number in (1, 2, 3)], boundary="abc")
    with archive(answering(one_series(3), body)) as found, pytest.raises(SpecimenError, match="the most that is"):
        found.fetch("1.2.3", into=tmp_path)


def test_an_answer_without_an_end_is_not_read(archive, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("hepatica.serve.node.dicomweb.LONGEST_ANSWER", 10)
    with archive(answering(one_series(), b"")) as found, pytest.raises(UnavailableError, match="has no end"):
        found.fetch("1.2.3", into=tmp_path)


def test_an_error_is_not_quoted(archive, tmp_path: Path) -> None:
    fault = pytest.raises(UnavailableError, match="answered 500")
    with archive(lambda request: httpx.Response(500, text="Doe^Jane")) as found, fault as caught:
        found.fetch("1.2.3", into=tmp_path)
    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize("study", ["../../etc", "1.2.3/series", "", "1.2.3?x"])
def test_a_study_that_is_no_uid_is_not_asked_for(archive, tmp_path: Path, study: str) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError

    with archive(never) as found, pytest.raises(SettingsError, match="no UID"):
        found.fetch(study, into=tmp_path)


def failure(reason: int) -> dict[str, Any]:
    item = {"00081150": {"Value": ["1.2.840.10008.5.1.4.1.1.2"]}, "00081197": {"Value": [reason]}}
    return {"00081198": {"Value": [item]}}


@pytest.mark.parametrize(
    ("status", "answer", "stored", "refused"),
    [
        (200, {"00081199": {"Value": [{}]}}, 1, {}),
        (409, failure(0x0111), 1, {}),
        (409, failure(0x0122), 0, {"CT Image Storage": "status 0x0122"}),
        (409, failure(0xC000), 0, {"CT Image Storage": "status 0xC000"}),
    ],
)
def test_what_became_of_what_was_sent(archive, tmp_path: Path, status: int, answer, stored, refused) -> None:
    with archive(lambda request: httpx.Response(status, json=answer)) as found:
        sent = found.store(ct_files(tmp_path, 1))
    assert (sent.stored, sent.refused) == (stored, refused)


@pytest.mark.parametrize(
    ("status", "answer"), [(409, failure(0xA700)), (200, {}), (200, []), (503, {}), (401, {}), (409, failure(0x0110))]
)
def test_what_is_sent_again(archive, tmp_path: Path, status: int, answer) -> None:
    with archive(lambda request: httpx.Response(status, json=answer)) as found, pytest.raises(UnavailableError):
        found.store(ct_files(tmp_path, 1))


def test_an_archive_that_is_not_there(tmp_path: Path) -> None:
    with DicomWeb(f"http://127.0.0.1:{free_port()}") as found, pytest.raises(UnavailableError, match="be reached"):
        found.fetch("1.2.3", into=tmp_path)
    with pytest.raises(SettingsError, match="http"):
        DicomWeb("file:///etc")


@pytest.mark.parametrize(
    "words",
    [
        {"inputs": None, "dicomweb": None, "study": None},
        {"inputs": [Path("x")], "dicomweb": "http://x", "study": "1.2"},
        {"inputs": None, "dicomweb": "http://x", "study": None},
        {"inputs": [Path("x")], "dicomweb": None, "study": "1.2"},
    ],
)
def test_files_or_a_study_and_not_both(words: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="neither or both"):
        given(words["inputs"], dicomweb=words["dicomweb"], study=words["study"], out=tmp_path)


def test_offline_asks_no_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SettingsError, match="--offline"):
        given(None, dicomweb="http://127.0.0.1:1", study="1.2.3", out=tmp_path)


def test_each_study_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(DicomWeb, "fetch", lambda self, study, *, into: into)
    folders = {
        path
        for study in ("1.2.3", "1.2.4", "1.2.3")
        for path in given(None, dicomweb="http://127.0.0.1:1", study=study, out=tmp_path)
    }
    assert len(folders) == 2
    assert not any("1.2" in path.name for path in folders)
