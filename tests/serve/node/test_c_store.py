"""C-STORE: what an archive answers decides what is sent again, what never, and what it is told afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dicom_images import ct_files, ct_image
from orthanc import free_port
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pynetdicom import AE, evt

from hepatica.cohort import UnavailableError
from hepatica.radiology.phantom.dicom import encoded
from hepatica.serve.node.c_store import AVAILABILITY, c_store, notify
from hepatica.serve.node.settings import Archive


@pytest.fixture
def archive() -> Iterator[Callable[..., Archive]]:
    """`archive(answer)` is one that answers so to each object, and to notifications."""
    servers = []

    def start(answer: Callable[[Any], Any], *, classes: tuple[str, ...] = (CTImageStorage, AVAILABILITY)) -> Archive:
        entity = AE("PACS")
        for each in classes:
            entity.add_supported_context(each, ExplicitVRLittleEndian)
        handlers = [(evt.EVT_C_STORE, answer), (evt.EVT_N_CREATE, answer)]
        servers.append(entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers))
        return Archive(title="PACS", host="127.0.0.1", port=servers[-1].server_address[1])

    yield start
    for each in servers:
        each.shutdown()


@pytest.mark.parametrize(("status", "stored"), [(0x0000, 2), (0x0111, 2), (0xB000, 2), (0xB007, 2)])
def test_what_the_archive_has_is_counted(archive, tmp_path: Path, status: int, stored: int) -> None:
    sent = c_store(ct_files(tmp_path, 2), archive=archive(lambda event: status), title="HEPATICA")
    assert (sent.stored, sent.refused) == (stored, {})


@pytest.mark.parametrize("status", [0xA700, 0xA7FF, 0x0110, 0x0124, 0x0211])
def test_what_the_archive_cannot_take_now_is_sent_again(archive, tmp_path: Path, status: int) -> None:
    with pytest.raises(UnavailableError, match=f"0x{status:04X}"):
        c_store(ct_files(tmp_path, 2), archive=archive(lambda event: status), title="HEPATICA")


@pytest.mark.parametrize("status", [0x0122, 0xA900, 0xC000, 0xCFFF])
def test_what_the_archive_will_never_take_is_said(archive, tmp_path: Path, status: int) -> None:
    statuses = iter([status, 0])
    sent = c_store(ct_files(tmp_path, 2), archive=archive(lambda event: next(statuses)), title="HEPATICA")
    assert (sent.stored, sent.refused) == (1, {"CT Image Storage": f"status 0x{status:04X}"})


def test_a_class_that_is_not_accepted_does_not_keep_the_others(archive, tmp_path: Path) -> None:
    files = ct_files(tmp_path, 1)
    (tmp_path / "capture.dcm").write_bytes(encoded(ct_image(9, sop_class=SecondaryCaptureImageStorage)))
    sent = c_store([*files, tmp_path / "capture.dcm"], archive=archive(lambda event: 0), title="HEPATICA")
    assert sent.stored == 1
    assert sent.refused == {"Secondary Capture Image Storage": "presentation context not accepted"}


def test_an_archive_that_breaks_off_is_tried_again(archive, tmp_path: Path) -> None:
    def breaks(event: Any) -> int:
        event.assoc.abort()
        return 0

    with pytest.raises(UnavailableError, match="ended the association"):
        c_store(ct_files(tmp_path, 2), archive=archive(breaks), title="HEPATICA")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # pynetdicom 3.0.4 drops the socket that did not connect
def test_an_archive_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    nobody = Archive(title="PACS", host="127.0.0.1", port=free_port())
    with pytest.raises(UnavailableError, match="cannot be reached"):
        c_store(ct_files(tmp_path, 1), archive=nobody, title="HEPATICA")


def test_a_note_names_the_study_its_objects_and_where_they_are(archive) -> None:
    notes = []

    def take(event: Any) -> tuple[int, None]:
        notes.append(event.attribute_list)
        return 0, None

    notify([ct_image(1), ct_image(2)], archive=archive(take), title="HEPATICA", at="ORTHANC")
    (note,) = notes
    assert note.StudyInstanceUID == "1.2.3"
    assert note.ReferencedPerformedProcedureStepSequence == []
    (series,) = note.ReferencedSeriesSequence
    found = [(each.ReferencedSOPInstanceUID, each.InstanceAvailability, each.RetrieveAETitle) for each in
             series.ReferencedSOPSequence]  # fmt: skip
    assert found == [("1.2.3.4.1", "ONLINE", "ORTHANC"), ("1.2.3.4.2", "ONLINE", "ORTHANC")]


def test_a_note_that_is_not_taken_is_sent_again(archive) -> None:
    with pytest.raises(UnavailableError, match="0x0110"):
        notify([ct_image(1)], archive=archive(lambda event: (0x0110, None)), title="HEPATICA", at="ORTHANC")
