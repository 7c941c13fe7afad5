"""Header: the attributes of each slice of a DICOM file, before a pixel is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.sources import Source

_NOT_HOUNSFIELD = (
    "the pixels are {}, not Hounsfield units (effective atomic number, density or the like); leave it aside"
)


@dataclass(frozen=True, kw_only=True)
class Header:
    """One slice: where it lies and how its stored numbers become Hounsfield units; lengths in mm, patient axes (LPS).

    `patient`, `series` and `instance` are identifiers; they separate slices and are never printed.
    `orientation` is the direction of a row, then of a column; `spacing` is that between rows, then between columns.
    `slope` and `intercept` are None where the file is silent. `frame` counts the frames of a multi-frame file.
    """

    source: Source = field(repr=False)
    frame: int
    patient: tuple[str, ...] = field(repr=False)
    series: tuple[str, ...] = field(repr=False)
    instance: str = field(repr=False)
    acquisition: str
    transfer_syntax: str
    photometric: str
    position: tuple[float, float, float]
    orientation: tuple[float, ...]
    spacing: tuple[float, float]
    thickness: float | None
    shape: tuple[int, int]
    slope: float | None
    intercept: float | None
    signed: bool
    bits: int


def read_headers(source: Source) -> tuple[Header, ...]:
    """The slices of one file, in the order of its frames: one, or many in an enhanced (multi-frame) CT.

    SpecimenError with the reason when the file is no CT image in Hounsfield units with a place in the patient: another
    modality, a localizer, a screen shot, a dose report, no DICOM at all, or a damaged header.
    """
    dataset = read_dataset(source)
    try:
        with tolerant():  # values are converted, and would be complained of, only when they are asked for
            _refuse_other(dataset)
            frames = int(dataset.get("NumberOfFrames") or 1)
            return tuple(_placed(_header(dataset, source=source, frame=k)) for k in range(frames))
    except (AttributeError, TypeError, ValueError, IndexError, KeyError):
        raise SpecimenError(
            "the header is incomplete (no usable position, orientation, pixel spacing or matrix): "
            "no slice that could be placed in the patient"
        ) from None


def read_dataset(source: Source) -> pydicom.Dataset:
    """All attributes of a file, identifiers included, pixels excepted; SpecimenError when it is no DICOM file."""
    try:
        with source.open() as file, tolerant():
            return pydicom.dcmread(file, stop_before_pixels=True)
    except InvalidDicomError:
        raise SpecimenError("no DICOM file") from None
    except (OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, NotImplementedError):
        raise SpecimenError("a damaged DICOM file: its header cannot be read; send it again") from None


def _refuse_other(dataset: pydicom.Dataset) -> None:
    modality = str(dataset.get("Modality") or "unnamed")
    kind = [str(part).upper() for part in _several(dataset.get("ImageType"))]
    if modality != "CT":
        raise SpecimenError(f"modality {modality}, not CT")
    if "LOCALIZER" in kind:
        raise SpecimenError("a localizer (scout), not an axial image")
    if "Rows" not in dataset:
        raise SpecimenError("no image (a report or a list)")
    if "SecondaryCapture" in UID(dataset.get("SOPClassUID") or "").keyword or {"SCREEN SAVE", "DOSE INFO"} & set(kind):
        raise SpecimenError("a screen shot or dose report, not an acquired image")
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise SpecimenError("a colour picture, not an image in Hounsfield units")
    unit = str(dataset.get("RescaleType") or "HU").upper()
    if unit not in {"HU", "HU_MOD", "US"}:
        raise SpecimenError(_NOT_HOUNSFIELD.format(unit))


def _header(dataset: pydicom.Dataset, *, source: Source, frame: int) -> Header:
    def value(name: str, group: str) -> Any:
        """From the frame's functional groups, the shared ones, or the plain header, in this order."""
        for groups in _groups(dataset, frame):
            found = groups[group][0].get(name) if group in groups else None
            if found is not None:
                return found
        return dataset.get(name)

    thickness = value("SliceThickness", "PixelMeasuresSequence")
    slope = value("RescaleSlope", "PixelValueTransformationSequence")
    intercept = value("RescaleIntercept", "PixelValueTransformationSequence")
    across = [float(each) for each in value("PixelSpacing", "PixelMeasuresSequence")]
    place = [float(each) for each in value("ImagePositionPatient", "PlanePositionSequence")]
    return Header(
        source=source,
        frame=frame,
        patient=_patient(dataset),
        series=_series(dataset),
        instance=str(dataset.get("SOPInstanceUID") or ""),
        acquisition=str(dataset.get("AcquisitionNumber") or ""),
        transfer_syntax=str(dataset.file_meta.get("TransferSyntaxUID") or ""),
        photometric=str(dataset.get("PhotometricInterpretation") or "MONOCHROME2"),
        position=(place[0], place[1], place[2]),
        orientation=_orientation(value("ImageOrientationPatient", "PlaneOrientationSequence")),
        spacing=(across[0], across[1]),
        thickness=float(thickness) if thickness else None,
        shape=(int(dataset.Rows), int(dataset.Columns)),
        slope=None if slope is None else float(slope),
        intercept=None if intercept is None else float(intercept),
        signed=bool(dataset.get("PixelRepresentation") or 0),
        bits=int(dataset.get("BitsStored") or 16),
    )


def _placed(header: Header) -> Header:
    """The header, once its lengths and directions are such as a slice can have; ValueError when they are not."""
    if not np.isfinite([*header.position, *header.orientation, *header.spacing]).all() or min(header.spacing) <= 0:
        raise ValueError("a place or a spacing that is no number above 0")
    if not np.cross(header.orientation[:3], header.orientation[3:]).any():
        raise ValueError("rows and columns of no direction")
    return header


def _groups(dataset: pydicom.Dataset, frame: int) -> Iterator[pydicom.Dataset]:
    if "PerFrameFunctionalGroupsSequence" in dataset:
        yield dataset.PerFrameFunctionalGroupsSequence[frame]
    if "SharedFunctionalGroupsSequence" in dataset:
        yield dataset.SharedFunctionalGroupsSequence[0]


def _patient(dataset: pydicom.Dataset) -> tuple[str, ...]:
    """ID, name and birth date; a name is the same in capitals and without its empty parts (PS3.5 6.2.1.1)."""
    own, name, born = _texts(dataset, "PatientID", "PatientName", "PatientBirthDate")
    return own.strip(), name.rstrip("^ ").upper(), born


def _series(dataset: pydicom.Dataset) -> tuple[str, ...]:
    """The series' UID, or, where a de-identifier blanked it, whatever else separates one series from another."""
    uid = str(dataset.get("SeriesInstanceUID") or "")
    if uid:
        return (uid,)
    names = ["StudyInstanceUID", "FrameOfReferenceUID", "StudyDate", "SeriesNumber", "SeriesDescription", "ImageType"]
    names += ["AcquisitionNumber", "ConvolutionKernel", "SliceThickness"]
    return _texts(dataset, *names, "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")


def _texts(dataset: pydicom.Dataset, *names: str) -> tuple[str, ...]:
    return tuple(str(dataset.get(name) or "") for name in names)


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _orientation(value: Any) -> tuple[float, ...]:
    cosines = tuple(float(each) for each in value)
    if len(cosines) != 6:
        raise ValueError("six direction cosines are wanted")
    return cosines
