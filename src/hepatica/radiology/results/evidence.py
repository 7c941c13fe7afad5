"""Evidence: the files of a series as results in DICOM refer to them, what is missing in their headers filled in.

Hospitals' and de-identifiers' headers lack what the standard asks of every file. Results carry over what is there and
derive the rest the same way each time: a blank UID from the series' digest, a blank or misspelt date as none.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR
from pydicom.uid import UID, CTImageStorage, MRImageStorage, UltrasoundImageStorage, generate_uid
from pydicom.valuerep import DSfloat, validate_value

from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.header import Header
from hepatica.radiology.dicom.series import Series
from hepatica.radiology.dicom.stack import Stack, as_stored

_BLANK_OR_STATED = (
    *("PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyID", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName"),
)
"""Type 2: must be there, may be blank."""

_IF_STATED = (
    *("IssuerOfPatientID", "PatientAge", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("DeidentificationMethodCodeSequence", "StudyDescription", "Manufacturer", "ManufacturerModelName"),
    *("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class FileEvidence:
    """Files of one patient, identifiers included; no pixels.

    `files` are the files, each once; `key` is a digest of what they are of, `name` the patient's; `notes` list what was
    missing. `slices` are single images one each, also those of a multi-frame file; `frames` maps such a slice's UID to
    the frame of its file.
    """

    key: str
    name: str = field(repr=False)
    slices: tuple[Dataset, ...] = field(repr=False)
    files: tuple[Dataset, ...] = field(repr=False)
    frames: dict[str, tuple[str, str, int]] = field(repr=False)
    notes: tuple[str, ...]

    @property
    def head(self) -> Dataset:
        """The first image, for what all have in common; of slices that nearest the feet."""
        return self.slices[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence(FileEvidence):
    """The files of one series and their slices from the feet to the head."""

    series: Series

    def at(self, index: int) -> Dataset | None:
        """The slice that lies at a place of the volume's grid, None where that was interpolated."""
        own = self.series.stack.slice_at(index)
        return None if own is None else self.slices[own]


def evidence_of(series: Series) -> Evidence:
    """What results may contain of a series and refer to; SpecimenError when its first file is no longer to be read."""
    dataset = series.dataset()
    with tolerant():
        common, notes = _common(dataset, series.key)
        instances = _instances(series, common.SeriesInstanceUID)
        many = "NumberOfFrames" in dataset
        slices = tuple(
            _slice(common, header, first=series.headers[0], uid=f"{uid}#{header.frame + 1}" if many else uid)
            for header, uid in zip(series.headers, instances, strict=True)
        )
        files = tuple(_file(common, dataset, uid) for uid in dict.fromkeys(instances))
        kind = files[0].SOPClassUID
        frames = {
            each.SOPInstanceUID: (kind, uid, header.frame + 1)
            for each, uid, header in zip(slices, instances, series.headers, strict=True)
            if many
        }
        unnamed = ("the files have no UID; derived",) if not all(header.instance for header in series.headers) else ()
        name = str(dataset.get("PatientName") or "")
    notes = (*series.notes, *notes, *unnamed)
    return Evidence(
        key=series.key, series=series, name=name, slices=slices, files=files, frames=frames, notes=notes
    )  # fmt: skip


def evidence_of_files(datasets: Sequence[Dataset]) -> FileEvidence:
    """The same of images that have no place in the patient, such as ultrasound; all of one patient, one or more."""
    with tolerant():
        uids = [str(each.get("SOPInstanceUID") or "") for each in datasets]
        key = hashlib.sha256("\0".join(uids).encode()).hexdigest()[:16]
        common, notes = _common(datasets[0], key)
        del common.FrameOfReferenceUID
        blank = [uid or generate_uid(entropy_srcs=[key, str(k)]) for k, uid in enumerate(uids)]
        files = tuple(_file(common, each, uid) for each, uid in zip(datasets, blank, strict=True))
    notes = tuple(each for each in notes if "FrameOfReferenceUID" not in each)
    name = str(datasets[0].get("PatientName") or "")
    return FileEvidence(key=key, name=name, slices=files, files=files, frames={}, notes=notes)


def _common(dataset: Dataset, key: str) -> tuple[Dataset, tuple[str, ...]]:
    common = Dataset()
    common.SpecificCharacterSet = "ISO_IR 192"
    common.PatientName = None  # highdicom logs names it finds odd, so that it never gets one
    for keyword in _BLANK_OR_STATED:
        setattr(common, keyword, _sound(keyword, dataset) or "")
    for keyword in _IF_STATED:
        if value := _sound(keyword, dataset):
            setattr(common, keyword, value)
    common.Modality = str(dataset.get("Modality") or "CT")
    common.PositionReferenceIndicator = ""
    study = [str(dataset.get(each) or "") for each in ("PatientID", "PatientName", "StudyDate", "StudyTime", "StudyID")]
    derived = {"StudyInstanceUID": study, "SeriesInstanceUID": [key], "FrameOfReferenceUID": [key]}
    blank = [keyword for keyword in derived if not dataset.get(keyword)]
    for keyword, words in derived.items():
        setattr(common, keyword, str(dataset.get(keyword) or generate_uid(entropy_srcs=[keyword, *words])))
    return common, tuple(f"the header has no {keyword}; derived" for keyword in blank)


def _sound(keyword: str, dataset: Dataset) -> Any:
    """The value as Unicode text, or nothing where it is a date, an age, a sex or a number that is misspelt."""
    value, kind = dataset.get(keyword), dictionary_VR(keyword)
    if kind == "SQ" or not value:
        return value
    if keyword == "PatientSex":
        return value if value in {"M", "F", "O"} else ""
    if kind in {"DA", "TM", "AS", "CS", "DS"}:
        try:
            for each in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
                validate_value(kind, str(each), RAISE)
        except ValueError:
            return ""
        return value
    return str(value)


def _instances(series: Series, uid: str) -> list[str]:
    """The UID of each slice's file; a blank one is derived from the file's place in the series."""
    place = {source: str(k) for k, source in enumerate(dict.fromkeys(header.source for header in series.headers))}
    return [
        header.instance or generate_uid(entropy_srcs=[uid, series.key, place[header.source]])
        for header in series.headers
    ]


def _slice(common: Dataset, header: Header, *, first: Header, uid: str) -> Dataset:
    """Direction and spacing are those of the first slice: a stack's slices agree, though not to the last digit."""
    image = Dataset()
    image.update(common)
    image.SOPClassUID = _storage(common)
    image.SOPInstanceUID = uid
    image.Rows, image.Columns = header.shape
    image.ImagePositionPatient = decimals(header.position)
    image.ImageOrientationPatient = decimals(first.orientation)
    image.PixelSpacing = decimals(first.spacing)
    image.SliceThickness = decimals([header.thickness or 0.0])[0] if header.thickness else None
    return image


def _storage(common: Dataset) -> UID:
    """Of single images of this modality."""
    return {"MR": MRImageStorage, "US": UltrasoundImageStorage}.get(common.Modality, CTImageStorage)


def _file(common: Dataset, dataset: Dataset, uid: str) -> Dataset:
    file = Dataset()
    file.update(common)
    file.SOPClassUID = str(dataset.get("SOPClassUID") or _storage(common))
    file.SOPInstanceUID = uid
    file.Rows, file.Columns = dataset.Rows, dataset.Columns
    return file


def decimals(values: Sequence[float]) -> list[DSfloat]:
    """Numbers as DICOM writes them, in 16 characters at the most."""
    return [DSfloat(float(each), auto_format=True) for each in values]


def in_files(values: np.ndarray, evidence: Evidence) -> np.ndarray:
    """Turn slices (z y x …) of the upright grid back to the rows and columns of the files; the order of z stays."""
    header = evidence.series.headers[0]
    return np.ascontiguousarray([as_stored(each, header) for each in values])


def positions(evidence: Evidence, chosen: np.ndarray) -> list[tuple[float, ...]]:
    """mm (x y z) of the first stored pixel of slices of the grid: the file's own, or on the line between two files."""
    return [_position(evidence.series.stack, int(index)) for index in chosen]


def _position(stack: Stack, index: int) -> tuple[float, ...]:
    own = stack.slice_at(index)
    if own is not None:
        return stack.headers[own].position
    away = stack.grid[index] - np.array(stack.positions)
    nearest = int(np.abs(away).argmin())
    return tuple(np.array(stack.headers[nearest].position) + away[nearest] * np.array(stack.geometry.directions[0]))
