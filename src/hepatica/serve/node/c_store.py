"""C-STORE: send objects to an archive by DICOM, and tell it that they are there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset
from pydicom.uid import UID, generate_uid
from pynetdicom import AE, evt

from hepatica.cohort.errors import UnavailableError
from hepatica.radiology.dicom.frames import tolerant
from hepatica.serve.node.sent import Sent, is_final, is_stored
from hepatica.serve.node.settings import Archive

PATIENCE_S = 30
"""Seconds that an archive may take to answer. Ours."""

AVAILABILITY = "1.2.840.10008.5.1.4.33"
"""Instance Availability Notification."""

Context = tuple[str, str]
"""Class and transfer syntax of an object."""


def c_store(files: Sequence[Path], *, archive: Archive, title: str) -> Sent:
    """Send DICOM files, calling ourselves `title`.

    UnavailableError where the archive is not there, refuses the association or an object for now: send all again, which
    an archive that has some of them already may ignore, for their UIDs are the same.
    """
    sent, kinds = Sent(), {path: _kind(path) for path in files}
    with _association(sorted(set(kinds.values())), archive=archive, title=title) as association, tolerant():
        taken = {(str(each.abstract_syntax), str(each.transfer_syntax[0])) for each in association.accepted_contexts}
        for path, kind in kinds.items():
            if kind not in taken:
                sent.refused[UID(kind[0]).name] = "presentation context not accepted"
                continue
            status = _status(association, pydicom.dcmread(path))
            if is_final(status):
                sent.refused[UID(kind[0]).name] = f"status 0x{status:04X}"
            elif not is_stored(status):
                raise UnavailableError(f"the archive answered 0x{status:04X} to an object; it is sent again later")
            else:
                sent.stored += 1
    return sent


def notify(objects: Sequence[Dataset], *, archive: Archive, title: str, at: str) -> None:
    """Tell an archive or a worklist by an Instance Availability Notification (PS3.4 R) which results of a study are
    available, from the archive titled `at`. UnavailableError where it does not take it.
    """
    kind = (AVAILABILITY, str(pydicom.uid.ExplicitVRLittleEndian))
    with _association([kind], archive=archive, title=title) as association:
        answer, _ = association.send_n_create(note(objects, at=at), AVAILABILITY, generate_uid())
        status = int(answer.get("Status", 0xFFFF))
    if status:
        raise UnavailableError(f"the note was answered 0x{status:04X}; it is sent again later")


def note(objects: Sequence[Dataset], *, at: str) -> Dataset:
    """The content of such a notification: the study, its series with results, and their objects, all online."""
    found = Dataset()
    found.ReferencedPerformedProcedureStepSequence = []
    found.StudyInstanceUID = objects[0].StudyInstanceUID
    found.ReferencedSeriesSequence = []
    for uid in dict.fromkeys(each.SeriesInstanceUID for each in objects):
        series = Dataset()
        series.SeriesInstanceUID = uid
        series.ReferencedSOPSequence = [_reference(each, at=at) for each in objects if each.SeriesInstanceUID == uid]
        found.ReferencedSeriesSequence.append(series)
    return found


def _reference(each: Dataset, *, at: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = each.SOPClassUID, each.SOPInstanceUID
    reference.InstanceAvailability, reference.RetrieveAETitle = "ONLINE", at
    return reference


def _kind(path: Path) -> Context:
    meta = pydicom.filereader.read_file_meta_info(path)
    return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)


def _status(association: Any, dataset: Dataset) -> int:
    if not association.is_established:
        raise UnavailableError("the archive ended the association; all is sent again later")
    status = association.send_c_store(dataset)
    if "Status" not in status:
        raise UnavailableError("the archive ended the association before it answered; all is sent again later")
    return int(status.Status)


@contextmanager
def _association(kinds: Sequence[Context], *, archive: Archive, title: str) -> Iterator[Any]:
    entity: Any = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = PATIENCE_S
    for sop_class, syntax in kinds:
        entity.add_requested_context(sop_class, syntax)
    tls = None if archive.tls is None else (archive.tls.client(), archive.host)
    sockets = list[Any]()
    opened = (evt.EVT_CONN_OPEN, lambda event: sockets.append(event.assoc.dul.socket.socket))
    association = entity.associate(
        archive.host, archive.port, ae_title=archive.title, tls_args=tls, evt_handlers=[opened]
    )
    try:
        if not association.is_established:
            raise UnavailableError(
                "the archive refused the association" if association.is_rejected else "the archive cannot be reached"
            )
        yield association
        association.release()
    finally:
        if association.is_established:
            association.abort()
        for each in sockets:
            each.close()  # pynetdicom 3.0.4 leaves it to the garbage collector where the other side went first
