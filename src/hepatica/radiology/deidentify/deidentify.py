"""De-identify: a study without what identifies the patient, by the basic profile of PS3.15 annex E."""

import csv
import hashlib
import io
import struct
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, MediaStorageDirectoryStorage

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import RunError, SpecimenError, reading
from hepatica.radiology.deidentify.burned_in import suspect_header, text_like
from hepatica.radiology.deidentify.confidentiality import Pseudonyms, protect, pseudonyms
from hepatica.radiology.dicom.frames import is_available, read_frames, tolerant
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.sources import Identity, Source, find_sources, identity, patients
from hepatica.radiology.phase.phase_tags import named_phase

_AT_ONCE = 16  # frames


@dataclass(frozen=True, kw_only=True)
class Deidentified:
    """What was written: files, series and patients; `refused` counts the files left out by reason; `flagged` likewise
    those that were kept although text may be burned in.
    """

    files: int
    series: int
    patients: int
    refused: Mapping[str, int]
    flagged: Mapping[str, int]


def deidentify(
    source: Path,
    *,
    out: Path,
    shift_dates: bool = False,
    clean_descriptors: bool = False,
    keep_flagged: bool = False,
    key: Path | None = None,
) -> Deidentified:
    """Write the images of a folder, zip archive or file to `out`, one folder a series, names of no meaning.

    Every attribute goes by `confidentiality.protect`; UIDs are mapped alike within one call, and across calls with the
    same `key`, a file of 16 random bytes or more; without one the secret is thrown away. With `clean_descriptors` the
    name of a series that tells its contrast phase becomes the phase's name. What cannot be cleaned is refused and
    counted: no or damaged DICOM, a DICOMDIR, documents without pixels, a study of two patients' IDs, and pixels that
    may show text (`burned_in`) or cannot be looked at; `keep_flagged` keeps those last two. Beside `out`, and not in
    it, a table `out`_refused.csv names the files refused and those flagged.

    RunError when `out` is not empty; SettingsError when the key is none; SpecimenError when there is no file.
    """
    _refuse_full(out)
    sources = find_sources(source)
    cleaner = _Cleaner(
        by=pseudonyms(key),
        who=_patients(sources),
        shift_dates=shift_dates,
        clean_descriptors=clean_descriptors,
        keep_flagged=keep_flagged,
    )
    listed: list[tuple[str, str, str]] = []
    written: set[tuple[str, str, str]] = set()
    for each in sources:
        name = each.member or str(each.path.relative_to(source) if source.is_dir() else each.path.name)
        try:
            with reading("the DICOM file"), tolerant():
                dataset, place, reasons = cleaner.clean(each)
            _write(dataset, out / place[1] / f"{place[2]}.dcm")
        except SpecimenError as error:
            listed.append((name, "refused", str(error)))
            continue
        written.add(place)
        listed += [(name, "kept", reason) for reason in reasons[:1]]
    _list(listed, out.with_name(f"{out.name}_refused.csv"))
    return _summary(listed, written)


def _summary(listed: Sequence[tuple[str, str, str]], written: Collection[tuple[str, str, str]]) -> Deidentified:
    patients, series, files = (len({each[: k + 1] for each in written}) for k in range(3))
    refused, flagged = (Counter(why for _, what, why in listed if what == kind) for kind in ("refused", "kept"))
    return Deidentified(files=files, series=series, patients=patients, refused=refused, flagged=flagged)


def _refuse_full(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(
            f"{out} is not empty; give a new folder (or empty that of an interrupted call), so that no original"
            " file is mistaken for a cleaned one"
        )


def _patients(sources: Sequence[Source]) -> Mapping[Identity, tuple[str, ...] | None]:
    """Whose files there are, all known before the first is written; None for those of a study of two patients."""
    found = set()
    for source in sources:
        with suppress(SpecimenError), reading("the DICOM file"), tolerant():
            found.add(identity(read_dataset(source)))
    who = patients(found)
    several = defaultdict(set)
    for each, words in who.items():
        several[each.study].add(words)
    return {each: None if each.study and len(several[each.study]) > 1 else words for each, words in who.items()}


@dataclass(frozen=True, kw_only=True)
class _Cleaner:
    """Who the files are of, and what is to be kept of them."""

    by: Pseudonyms
    who: Mapping[Identity, tuple[str, ...] | None]
    shift_dates: bool
    clean_descriptors: bool
    keep_flagged: bool

    def clean(self, source: Source) -> tuple[Dataset, tuple[str, str, str], tuple[str, ...]]:
        """The cleaned file, the pseudonyms of its patient, series and itself, and why its pixels are suspect."""
        dataset, content = _read(source)
        words = self.who[identity(dataset)]
        if words is None:
            raise SpecimenError("the files of its study name two patients by ID; correct the IDs, then repeat")
        reasons = _suspicions(dataset, source)
        if reasons and not self.keep_flagged:
            raise SpecimenError(f"text may be burned in: {reasons[0]}")
        phase = named_phase(dataset) if self.clean_descriptors else None
        file, series = (
            hashlib.sha256(content).hexdigest(),
            [str(dataset.get(each) or "") for each in ("StudyInstanceUID", "SeriesInstanceUID")],
        )
        meta, patient = dataset.file_meta, self.by.patient(*words)
        dataset.SOPClassUID = dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
        dataset.SOPInstanceUID = dataset.get("SOPInstanceUID") or meta.get("MediaStorageSOPInstanceUID") or file
        description = (phase.name if phase else "") if self.clean_descriptors else None
        protect(dataset, by=self.by, patient=patient, shift_dates=self.shift_dates, description=description)
        return dataset, (patient, self.by.name("series", *series), self.by.name("file", file)), reasons


def _list(rows: Sequence[tuple[str, str, str]], path: Path) -> None:
    """Names of files may identify: the table is for those who have the originals."""
    if rows:
        with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("file", "outcome", "reason"), *rows])


def _read(source: Source) -> tuple[Dataset, bytes]:
    """A file and its bytes; SpecimenError when it is no image that can be cleaned."""
    try:
        with source.open() as file:
            content = file.read()
        dataset = pydicom.dcmread(io.BytesIO(content))
        _refuse_documents(dataset)
    except InvalidDicomError:
        raise SpecimenError("not a DICOM file") from None
    return dataset, content


def _refuse_documents(dataset: Dataset) -> None:
    kind = UID(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if kind == MediaStorageDirectoryStorage or "DirectoryRecordSequence" in dataset:
        raise SpecimenError("a DICOMDIR, a list of files with names in it; it is of no use without those files")
    if "PixelData" not in dataset and "FloatPixelData" not in dataset:
        raise SpecimenError("not an image: the text of reports and similar objects cannot be cleaned by a table")


def _suspicions(dataset: Dataset, source: Source) -> tuple[str, ...]:
    """Why the pixels may identify the patient; SpecimenError when they are damaged."""
    reasons = suspect_header(dataset)
    if "PixelData" not in dataset or dataset.get("BitsAllocated") == 1:
        return reasons
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "")
    if not _can_be_decoded(syntax):
        return (*reasons, "its pixels have an encoding that cannot be decoded here")
    count, seen = int(dataset.get("NumberOfFrames") or 1), False
    for start in range(0, count, _AT_ONCE):  # decoded as for a prediction
        chosen = range(start, min(start + _AT_ONCE, count))
        frames = read_frames(source.path, member=source.member, frames=chosen, transfer_syntax=syntax)
        if any(frame is None for frame in frames):
            raise SpecimenError("its pixels are damaged; send it again")
        seen = seen or any(text_like(frame) for frame in frames if frame is not None)
    return (*reasons, "possible text near the border") if seen else reasons


def _can_be_decoded(syntax: str) -> bool:
    try:
        return is_available(syntax) or bool(get_decoder(UID(syntax)).is_available)
    except NotImplementedError:
        return False


def _write(dataset: Dataset, path: Path) -> None:
    with replacing(path) as temporary, tolerant():
        try:
            dataset.save_as(temporary, enforce_file_format=True)
        except (ValueError, AttributeError, TypeError, KeyError, struct.error):
            raise SpecimenError("a value of its header cannot be written; send the original file") from None
