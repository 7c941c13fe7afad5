"""Sources: the files of a study, in a folder, a zip archive or single, and which of them are of one patient."""

import os
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.archives import MAX_INFLATED, MAX_UNPACKED, NESTED, is_tar, refuse_swollen, unpacked
from hepatica.radiology.dicom.frames import UNPACKING, open_file

MAX_MEMBER = 4 * 2**30  # ours
"""Bytes one file of an archive may have when unpacked; it is in memory while it is read."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file, on disk or within a zip archive; its name may identify a patient and is therefore never printed.

    `archive` is that from which the file was unpacked; `fault` is why an archive that lies beside other files cannot be
    looked into.
    """

    path: Path
    member: str | None = None
    fault: str | None = None
    archive: Path | None = None

    def open(self) -> BinaryIO:
        """The file's bytes, to be closed by the caller.

        SpecimenError when an archive or its member is damaged, or a deflated file would unpack to more than
        MAX_INFLATED.
        """
        if self.fault is not None:
            raise SpecimenError(self.fault)
        try:
            with ExitStack() as unless_sound:
                file = unless_sound.enter_context(open_file(self.path, member=self.member))
                _guard_deflated(file)
                unless_sound.pop_all()
                return file
        except UNPACKING as error:
            raise SpecimenError(f"a file within the archive cannot be unpacked ({error}); send it again") from None


def _guard_deflated(file: BinaryIO) -> None:
    """A DICOM file may be deflated behind its meta information (PS3.5 A.5), whose length is given at its beginning."""
    head = file.read(2048)
    if DeflatedExplicitVRLittleEndian.encode() in head:
        file.seek(144 + int.from_bytes(head[140:144], "little"))
        if len(zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), MAX_INFLATED)) >= MAX_INFLATED:
            raise SpecimenError(f"a deflated DICOM file would unpack to more than {MAX_INFLATED >> 20} MiB")
    file.seek(0)


def find_sources(*paths: Path) -> tuple[Source, ...]:
    """Every file of the folders (whatever their depth), archives and files given, in an order of no meaning.

    A zip archive is read where it is, others are unpacked under numbers (`archives`), so that no name within one can
    lead anywhere; links to other folders are not followed. SpecimenError when a path is not there, when nothing is
    found, and when an archive given is damaged, locked with a password, nearly empty, or would unpack to more than
    MAX_UNPACKED; one that lies in a folder fails when opened.
    """
    found = [source for path in paths for source in _sources(path)]
    if not found:
        raise SpecimenError("got no file at all; give a folder, a zip archive or the files of a study")
    return tuple(dict.fromkeys(found))


def _sources(path: Path) -> Iterable[Source]:
    if path.is_dir():
        return (each for file in _walk(path) for each in _of_file_in_folder(file))
    if path.is_file():
        return _of_file(path)
    raise SpecimenError(f"there is no file or folder {path}; check the path")


def _walk(folder: Path) -> Iterable[Path]:
    for where, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(where, name) for name in sorted(names) if Path(where, name).is_file())


def _of_file_in_folder(path: Path) -> list[Source]:
    try:
        return _of_file(path)
    except SpecimenError as error:
        return [Source(path=path, fault=str(error))]


def _of_file(path: Path) -> list[Source]:
    if is_tar(path):
        return [Source(path=each, archive=path) for each in unpacked(path)]
    if path.suffix.lower() != ".zip" and not _is_zip(path):
        return [Source(path=path)]
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
    except zipfile.BadZipFile:
        raise SpecimenError("the zip archive is damaged or incomplete; send it again") from None
    _guard(members)
    if any(each.filename.lower().endswith(NESTED) for each in members):
        return [Source(path=each, archive=path) for each in unpacked(path)]
    return [Source(path=path, member=each.filename) for each in members]


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _guard(members: list[zipfile.ZipInfo]) -> None:
    """Sizes are those the archive declares, beyond which zipfile unpacks nothing."""
    total, largest = sum(each.file_size for each in members), max((each.file_size for each in members), default=0)
    if total > MAX_UNPACKED or largest > MAX_MEMBER:
        raise SpecimenError(
            f"the zip archive would unpack to {total / 2**30:.1f} GiB (its largest file {largest / 2**30:.1f} GiB), "
            f"wanted at most {MAX_UNPACKED >> 30} ({MAX_MEMBER >> 30}); unpack it yourself and give the folder"
        )
    for each in members:
        refuse_swollen(each.compress_size, each.file_size)
    refuse_swollen(sum(each.compress_size for each in members), total)
    if any(each.flag_bits & 1 for each in members):
        raise SpecimenError("the zip archive is protected by a password; unpack it yourself and give the folder")


NOTE = "the patient's name, birth date or ID is blank or spelt differently in some files; one patient by ID or study"


@dataclass(frozen=True, kw_only=True, order=True)
class Identity:
    """What one file says of its patient and study, trimmed; `name` in capitals without empty parts (PS3.5 6.2.1.1)."""

    patient_id: str
    issuer: str
    name: str
    born: str
    study: str


def identity(dataset: Dataset) -> Identity:
    """The identity in a header; blank where it is silent."""
    names = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID")
    own, issuer, name, born, study = (" ".join(str(dataset.get(each) or "").split()) for each in names)
    return Identity(patient_id=own, issuer=issuer, name=name.rstrip("^ ").upper(), born=born, study=study)


def patients(found: Collection[Identity]) -> dict[Identity, tuple[str, ...]]:
    """For each identity the words that name its patient, alike for all of one patient.

    They are ID and issuer; a blank issuer is that of the same ID elsewhere, where there is one only. Without an ID they
    are those of the same study, and without any in the study, its name and date of birth. Two IDs are two patients.
    """
    issuers: dict[str, set[str]] = defaultdict(set)
    studies: dict[str, set[str]] = defaultdict(set)
    names: dict[str, list[tuple[bool, str, str]]] = defaultdict(list)
    for each in found:
        if each.patient_id:
            issuers[each.patient_id] |= {each.issuer} - {""}
            studies[each.study].add(each.patient_id)
        elif each.study:
            names[each.study].append((not each.name, each.name, each.born))

    def with_id(patient_id: str, issuer: str) -> tuple[str, ...]:
        known = issuers[patient_id]
        return patient_id, issuer or (next(iter(known)) if len(known) == 1 else "")

    def words(each: Identity) -> tuple[str, ...]:
        same = studies[each.study] if each.study else set()
        if each.patient_id:
            return with_id(each.patient_id, each.issuer)
        if len(same) == 1:
            return with_id(next(iter(same)), "")
        _, name, born = min(names[each.study]) if each.study else (False, each.name, each.born)
        return "", "", name, born

    return {each: words(each) for each in found}
