"""De-identify: a study without what identifies the patient, by the basic profile of PS3.15 annex E."""

import hashlib
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, MediaStorageDirectoryStorage

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import RunError, SpecimenError
from hepatica.radiology.deidentify.burned_in import suspect_header, text_like
from hepatica.radiology.deidentify.confidentiality import Pseudonyms, protect, pseudonyms
from hepatica.radiology.dicom.frames import UNPACKING, tolerant
from hepatica.radiology.dicom.sources import Source, find_sources

_BROKEN = (*UNPACKING, ValueError, KeyError, AttributeError, TypeError, IndexError, OSError)


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
    source: Path, *, out: Path, shift_dates: bool = False, keep_flagged: bool = False, key: Path | None = None
) -> Deidentified:
    """Write the images of a folder, zip archive or file to `out`, one folder a series, names of no meaning.

    Every attribute goes by `confidentiality.protect`; UIDs are mapped alike within one call, and across calls with the
    same `key`, a file of 16 random bytes or more; without one the secret is thrown away. What cannot be cleaned that
    way is refused and counted: no or damaged DICOM, a DICOMDIR, documents without pixels, and pixels that may show
    text (`burned_in`) or cannot be looked at; `keep_flagged` keeps those last two.

    RunError when `out` is not empty; SettingsError when the key is none; SpecimenError when there is no file.
    """
    _refuse_full(out)
    by = pseudonyms(key)
    refused: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    written: set[tuple[str, str, str]] = set()
    for each in find_sources(source):
        try:
            dataset, content = _read(each)
            reasons = _suspicions(dataset)
            if reasons and not keep_flagged:
                raise SpecimenError(f"text may be burned in: {reasons[0]}")
            place = _clean(dataset, content, by=by, shift_dates=shift_dates)
            _write(dataset, out / place[1] / f"{place[2]}.dcm")
        except SpecimenError as error:
            refused[str(error)] += 1
            continue
        written.add(place)
        flagged.update(reasons[:1])
    patients, series, files = (len({each[: k + 1] for each in written}) for k in range(3))
    return Deidentified(files=files, series=series, patients=patients, refused=refused, flagged=flagged)


def _refuse_full(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(
            f"{out} is not empty; give a new folder (or empty what a stopped call left), so that no real file is taken"
            " for a cleaned one"
        )


def _read(source: Source) -> tuple[Dataset, bytes]:
    """A file and its bytes; SpecimenError when it is no image that can be cleaned."""
    try:
        with source.open() as file:
            content = file.read()
        with tolerant():
            dataset = pydicom.dcmread(io.BytesIO(content))
            _refuse_documents(dataset)
    except InvalidDicomError:
        raise SpecimenError("no DICOM file") from None
    except _BROKEN:
        raise SpecimenError("a damaged DICOM file; send it again") from None
    return dataset, content


def _refuse_documents(dataset: Dataset) -> None:
    kind = UID(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if kind == MediaStorageDirectoryStorage or "DirectoryRecordSequence" in dataset:
        raise SpecimenError("a DICOMDIR, a list of files with names in it; it is of no use without those files")
    if "PixelData" not in dataset and "FloatPixelData" not in dataset:
        raise SpecimenError("no image: the text of reports and the like cannot be cleaned by a table")


def _suspicions(dataset: Dataset) -> tuple[str, ...]:
    """Why the pixels may identify the patient; SpecimenError when they are damaged."""
    reasons = suspect_header(dataset)
    if "PixelData" not in dataset or dataset.get("BitsAllocated") == 1:
        return reasons
    if not _can_be_decoded(dataset):
        return (*reasons, "its pixels are of a coding that cannot be looked at here")
    try:
        with tolerant():
            seen = any(text_like(np.asarray(frame)) for frame in iter_pixels(dataset, raw=True))
    except _BROKEN:
        raise SpecimenError("its pixels are damaged; send it again") from None
    return (*reasons, "something looks like text near the border") if seen else reasons


def _can_be_decoded(dataset: Dataset) -> bool:
    try:
        return bool(get_decoder(dataset.file_meta.TransferSyntaxUID).is_available)
    except (NotImplementedError, AttributeError):
        return False


def _clean(dataset: Dataset, content: bytes, *, by: Pseudonyms, shift_dates: bool) -> tuple[str, str, str]:
    """Clean in place; the pseudonyms of patient, series and file. A blank UID is taken from the meta information."""
    file = hashlib.sha256(content).hexdigest()
    meta = dataset.file_meta
    series = by.name("series", *(str(dataset.get(each) or "") for each in ("StudyInstanceUID", "SeriesInstanceUID")))
    try:
        with tolerant():
            dataset.SOPClassUID = dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID")
            dataset.SOPInstanceUID = dataset.get("SOPInstanceUID") or meta.get("MediaStorageSOPInstanceUID") or file
            protect(dataset, by=by, shift_dates=shift_dates)
    except _BROKEN:
        raise SpecimenError("a damaged DICOM file; send it again") from None
    return str(dataset.PatientID), series, by.name("file", file)


def _write(dataset: Dataset, path: Path) -> None:
    with replacing(path) as temporary, tolerant():
        try:
            dataset.save_as(temporary, enforce_file_format=True)
        except (ValueError, AttributeError, TypeError, KeyError):
            raise SpecimenError("a value of its header cannot be written; send the original file") from None
