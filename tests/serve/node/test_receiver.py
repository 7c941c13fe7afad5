"""Receiver: what is acknowledged is on the disk, once; what is not, stays with its sender."""

import errno
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom import AE, evt
from pynetdicom.dsutils import encode

from hepatica.radiology.dicom.frames import tolerant
from hepatica.serve.node.receiver import VERIFICATION, Receiver
from hepatica.serve.node.settings import NodeSettings
from hepatica.serve.node.spool import Spool

SOCKETS: list[socket.socket] = []


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    found = Receiver(
        NodeSettings(callers=("PACS",), rules=(), port=0, free_gib=0.0, largest_gib=2**-10), Spool(tmp_path)
    )
    found.start()
    yield found
    found.stop()
    while SOCKETS:
        SOCKETS.pop().close()  # pynetdicom 3.0.4 leaves it to the garbage collector where the other side went first


def associate(
    receiver: Receiver, *, title: str = "PACS", syntax: str = ExplicitVRLittleEndian, called: str = "HEPATICA"
):
    entity = AE(title)
    for each in (CTImageStorage, EnhancedSRStorage):
        entity.add_requested_context(each, [syntax])
    entity.add_requested_context(VERIFICATION)
    opened = (evt.EVT_CONN_OPEN, lambda event: SOCKETS.append(event.assoc.dul.socket.socket))
    return entity.associate("127.0.0.1", receiver.port, ae_title=called, evt_handlers=[opened])


def send(receiver: Receiver, *objects: Dataset, **how: str) -> list[int]:
    association = associate(receiver, **how)
    statuses = [int(association.send_c_store(each).get("Status", -1)) for each in objects]
    association.release()
    return statuses


def kept(receiver: Receiver) -> list[Path]:
    return sorted(receiver.spool.folder.rglob("*.dcm"))


def test_echo(receiver: Receiver) -> None:
    association = associate(receiver)
    assert association.send_c_echo().Status == 0
    association.release()


def test_what_is_acknowledged_is_what_was_sent(receiver: Receiver, image: Callable[..., Dataset]) -> None:
    assert send(receiver, image(1), image(2)) == [0, 0]
    found = {str(each.SOPInstanceUID): each for each in map(pydicom.dcmread, kept(receiver))}
    assert found.keys() == {"1.2.3.4.1", "1.2.3.4.2"}
    for number in (1, 2):
        assert encode(found[f"1.2.3.4.{number}"], False, True) == encode(image(number), False, True)
        assert found[f"1.2.3.4.{number}"].file_meta.SourceApplicationEntityTitle == "PACS"


def test_an_object_that_arrives_twice_counts_once(receiver: Receiver, image: Callable[..., Dataset]) -> None:
    assert send(receiver, image(1), image(1)) == [0, 0]
    (path,) = kept(receiver)
    written = path.stat().st_mtime_ns
    (marker,) = receiver.spool.folder.glob("*/open")
    word = marker.read_text()
    assert send(receiver, image(1)) == [0]
    assert kept(receiver)[0].stat().st_mtime_ns == written
    assert marker.read_text() == word


def test_a_corrected_object_takes_the_place_of_the_former(receiver: Receiver, image: Callable[..., Dataset]) -> None:
    assert send(receiver, image(1), image(1, PatientName="Roe^Jane")) == [0, 0]
    (path,) = kept(receiver)
    assert pydicom.dcmread(path).PatientName == "Roe^Jane"


def test_who_is_not_listed_is_refused_with_the_reason(receiver: Receiver, caplog) -> None:
    assert associate(receiver, title="EVIL").is_rejected
    assert associate(receiver, called="OTHER").is_rejected
    assert "EVIL" in caplog.text


def test_a_syntax_is_refused_for_its_context_alone(receiver: Receiver, image, caplog) -> None:
    association = associate(receiver, syntax=DeflatedExplicitVRLittleEndian)
    assert [str(each.abstract_syntax) for each in association.accepted_contexts] == [VERIFICATION]
    assert association.send_c_echo().Status == 0
    association.release()
    assert "CT Image Storage in Deflated Explicit VR Little Endian: transfer syntax not supported" in caplog.text


@pytest.mark.parametrize("name", ["StudyInstanceUID", "SOPInstanceUID"])
def test_hostile_uids_make_no_paths(receiver: Receiver, image, caplog, name: str) -> None:
    hostile = image(1, PatientName="<script>^../../etc")
    with tolerant():
        setattr(hostile, name, "../../../tmp/x")
        answer = send(receiver, hostile)
    assert answer[0] not in (0, -1)
    assert kept(receiver) == []
    assert not [word for word in ("script", "etc", "tmp/x") if word in caplog.text]


def test_hostile_names_reach_neither_paths_nor_the_log(receiver: Receiver, image, caplog) -> None:
    caplog.set_level("DEBUG")
    assert send(receiver, image(1, PatientName="<script>^../..", PatientID="../../x", SeriesDescription="../\\")) == [0]
    (path,) = kept(receiver)
    assert path.relative_to(receiver.spool.folder).parts[1] == "images"
    assert not [word for word in ("script", "../", "1.2.3.4") if word in caplog.text]


def test_an_object_that_is_not_the_announced_one_is_refused(receiver: Receiver, image, monkeypatch) -> None:
    monkeypatch.setattr("pynetdicom.association.encode", lambda *_: encode(image(99), False, True))
    assert send(receiver, image(1)) == [0xA900]
    assert kept(receiver) == []


def test_a_full_disk_is_out_of_resources_and_the_sender_keeps_its_object(
    receiver: Receiver, image, monkeypatch
) -> None:
    whole = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        whole(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert send(receiver, image(1)) == [0xA700]
    assert list(receiver.spool.folder.rglob("*.dcm")) == []
    assert send(receiver, image(1)) == [0]
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=-1))
    assert send(receiver, image(2)) == [0xA700]


def test_an_association_that_is_aborted_loses_nothing_acknowledged(receiver: Receiver, image, caplog) -> None:
    association = associate(receiver)
    assert association.send_c_store(image(1)).Status == 0
    association.abort()
    end = time.monotonic() + 5
    while "PACS: the association broke off" not in caplog.text:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert len(kept(receiver)) == 1
    assert len(receiver.spool.quiet(for_s=0)) == 1


@pytest.mark.parametrize("head", [b"\x01\x00\xff\xff\xff\xff", b"\x04\x00\xff\xff\xff\xff"])
def test_a_stranger_that_claims_gigabytes_is_disconnected(receiver: Receiver, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=5) as stranger:
        stranger.sendall(head + bytes(4096))
        begun = time.monotonic()
        while stranger.recv(4096):
            pass
        assert time.monotonic() - begun < 4
    assert send(receiver) == []


def test_an_object_beyond_the_largest_ends_the_connection(receiver: Receiver, image, caplog) -> None:
    association = associate(receiver)
    assert "Status" not in association.send_c_store(image(1, PixelData=bytes(3 * 2**20)))
    assert kept(receiver) == []
    assert "too large" in caplog.text


def test_reports_are_kept_and_open_no_study(receiver: Receiver, image) -> None:
    report = image(1, sop_class=EnhancedSRStorage)
    report.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    assert send(receiver, report, syntax=ImplicitVRLittleEndian) == [0]
    assert receiver.spool.quiet(for_s=0) == {}
    assert [path.parent.name for path in kept(receiver)] == ["others"]
