"""Header: the attributes of each slice of a DICOM file, before a pixel is decoded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from hepatica.cohort.errors import SpecimenError, miscoded, reading
from hepatica.radiology.dicom.frames import LARGEST, read_dicom, tolerant
from hepatica.radiology.dicom.sources import Identity, Source, identity
from hepatica.radiology.dicom.weighting import Weighting, weighting

Kind = Literal["ct", "mr"]
"""Computed tomography, in Hounsfield units, or magnetic resonance, in units of signal that no two scans share."""

_NOT_HOUNSFIELD = "the pixels are {}, not Hounsfield units (effective atomic number, density or similar); exclude it"


MOMENTS = {
    "TemporalPositionIdentifier": "TemporalPositionIdentifier",
    "TemporalPositionIndex": "TemporalPositionIndex",
    "AcquisitionNumber": "FrameAcquisitionNumber",
    "AcquisitionDateTime": "FrameAcquisitionDateTime",
    "AcquisitionTime": "FrameReferenceDateTime",
    "ContentTime": "",
    "TriggerTime": "",
}
"""Attributes that distinguish the time points of one series, in this order, and their names in enhanced files."""

FARTHEST = 1e5  # ours
"""mm from the origin of the frame of reference beyond which no slice lies."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """One slice: where it lies and how stored numbers become Hounsfield units or signal; in mm, patient axes (LPS).

    `patient`, `series`, `instance` and `description` are identifiers or may be; they are never printed.
    `moments` are the values of MOMENTS, blank where the file is silent; `kind` is the image type, `kernel` that of the
    reconstruction. `orientation` is the direction of a row, then of a column; `spacing` is that between rows, then
    between columns. `slope` and `intercept` are None where the file is silent; `padding` are the lowest and the highest
    stored value that fill what lies outside the image. `frame` counts the frames of a multi-frame file. `weighting` is
    of MR alone.
    """

    source: Source = field(repr=False)
    frame: int
    patient: Identity = field(repr=False)
    series: tuple[str, ...] = field(repr=False)
    number: str
    instance: str = field(repr=False)
    description: str = field(repr=False)
    moments: tuple[str, ...]
    kind: tuple[str, ...]
    kernel: str
    transfer_syntax: str
    photometric: str
    position: tuple[float, float, float]
    orientation: tuple[float, ...]
    spacing: tuple[float, float]
    thickness: float | None
    shape: tuple[int, int]
    slope: float | None
    intercept: float | None
    padding: tuple[float, float] | None
    signed: bool
    bits: int
    modality: Kind = "ct"
    weighting: Weighting | None = None


def read_headers(source: Source, *, kind: Kind = "ct") -> tuple[Header, ...]:
    """The slices of one file, in the order of its frames: one, or many in an enhanced (multi-frame) file.

    SpecimenError with the reason when the file is no image of this kind with a place in the patient (of CT in
    Hounsfield units): another modality, a localizer, a screen shot, a dose report, spectra, no DICOM at all, or a
    damaged header.
    """
    dataset = read_dataset(source)
    try:
        with tolerant():  # values are converted, and would be complained of, only when they are asked for
            _refuse_other(dataset, wanted=kind)
            return tuple(
                _placed(_header(dataset, source=source, frame=k, modality=kind)) for k in range(_frames(dataset))
            )
    except SpecimenError:
        raise
    except Exception as error:  # values of any kind stand where a number should
        if miscoded(error):
            raise
        raise SpecimenError(
            "the header is incomplete (no usable position, orientation, pixel spacing or matrix): "
            "no slice that could be placed in the patient"
        ) from None


def read_dataset(source: Source) -> pydicom.Dataset:
    """All attributes of a file, identifiers included, pixels excepted; SpecimenError when it is no DICOM file."""
    with reading("the header of a DICOM file"):
        try:
            with source.open() as file, tolerant():
                return read_dicom(file, stop_before_pixels=True)
        except InvalidDicomError:
            raise SpecimenError("not a DICOM file") from None


def _frames(dataset: pydicom.Dataset) -> int:
    """How many frames there are; one that is not described has no place, so that a claim of millions costs nothing."""
    claimed, described = (
        int(dataset.get("NumberOfFrames") or 1),
        len(dataset.get("PerFrameFunctionalGroupsSequence", ())),
    )
    if claimed != 1 and claimed != described:
        raise SpecimenError(
            f"got {described} frames with a position, wanted {claimed} as the header declares; send it again"
        )
    return claimed


def _refuse_other(dataset: pydicom.Dataset, *, wanted: Kind) -> None:
    modality = str(dataset.get("Modality") or "unnamed")
    kind, what = _kind(dataset), UID(dataset.get("SOPClassUID") or "").keyword
    if modality != wanted.upper():
        raise SpecimenError(f"modality {modality}, not {wanted.upper()}")
    if "LOCALIZER" in kind:
        raise SpecimenError("a localizer (scout), not an axial image")
    if "Rows" not in dataset or "Spectroscopy" in what:
        raise SpecimenError("not an image (a report, a list or spectra)")
    if "SecondaryCapture" in what or {"SCREEN SAVE", "DOSE INFO"} & set(kind):
        raise SpecimenError("a screen shot or dose report, not an acquired image")
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise SpecimenError("a colour image, not one of values")
    if not 0 < int(dataset.Rows) * int(dataset.Columns) <= LARGEST:
        raise SpecimenError(f"got {dataset.Rows} x {dataset.Columns} pixels, wanted 1 to {LARGEST}; send it again")


def value_of(dataset: pydicom.Dataset, frame: int, name: str, group: str) -> Any:
    """An attribute from the frame's functional groups, the shared ones, or the plain header, in this order."""
    for groups in _groups(dataset, frame):
        found = groups[group][0].get(name) if groups.get(group) else None
        if found is not None:
            return found
    return dataset.get(name)


def _moments(value: Callable[[str, str], Any]) -> tuple[str, ...]:
    return tuple(
        str(value(plain, "FrameContentSequence") or value(enhanced or plain, "FrameContentSequence") or "")
        for plain, enhanced in MOMENTS.items()
    )


def _header(dataset: pydicom.Dataset, *, source: Source, frame: int, modality: Kind) -> Header:
    value = partial(value_of, dataset, frame)
    unit = str(value("RescaleType", "PixelValueTransformationSequence") or "HU").upper()
    if modality == "ct" and unit not in {"HU", "HU_MOD", "US"}:
        raise SpecimenError(_NOT_HOUNSFIELD.format(unit))
    frame_type = _several(value("FrameType", f"{modality.upper()}ImageFrameTypeSequence"))
    kind = tuple(str(each).upper() for each in frame_type or _kind(dataset))
    thickness = value("SliceThickness", "PixelMeasuresSequence")
    slope = value("RescaleSlope", "PixelValueTransformationSequence")
    intercept = value("RescaleIntercept", "PixelValueTransformationSequence")
    across = [float(each) for each in value("PixelSpacing", "PixelMeasuresSequence")]
    place = [float(each) for each in value("ImagePositionPatient", "PlanePositionSequence")]
    return Header(
        source=source,
        frame=frame,
        patient=identity(dataset),
        series=_series(dataset),
        number=str(dataset.get("SeriesNumber") or ""),
        instance=str(dataset.get("SOPInstanceUID") or ""),
        description=str(dataset.get("SeriesDescription") or ""),
        moments=_moments(value),
        kind=kind,
        kernel=str(next(iter(_several(value("ConvolutionKernel", "CTReconstructionSequence"))), "")).strip().upper(),
        transfer_syntax=str(dataset.file_meta.get("TransferSyntaxUID") or ""),
        photometric=str(dataset.get("PhotometricInterpretation") or "MONOCHROME2"),
        position=(place[0], place[1], place[2]),
        orientation=_orientation(value("ImageOrientationPatient", "PlaneOrientationSequence")),
        spacing=(across[0], across[1]),
        thickness=float(thickness) if thickness else None,
        shape=(int(dataset.Rows), int(dataset.Columns)),
        slope=None if slope is None else float(slope),
        intercept=None if intercept is None else float(intercept),
        padding=_padding(dataset),
        signed=bool(dataset.get("PixelRepresentation") or 0),
        bits=int(dataset.get("BitsStored") or 16),
        modality=modality,
        weighting=weighting(dataset, value=value, kind=kind) if modality == "mr" else None,
    )


def _placed(header: Header) -> Header:
    """The header, once its lengths and directions are such as a slice can have; ValueError when they are not."""
    lengths = [*header.position, *header.orientation, *header.spacing]
    if not np.isfinite(lengths).all() or np.abs(lengths).max() > FARTHEST or min(header.spacing) <= 0:
        raise ValueError("a position or spacing that is not a number, not above 0 or beyond any scanner")
    if not np.cross(header.orientation[:3], header.orientation[3:]).any():
        raise ValueError("rows and columns without a direction")
    return header


def _groups(dataset: pydicom.Dataset, frame: int) -> Iterator[pydicom.Dataset]:
    if "PerFrameFunctionalGroupsSequence" in dataset:
        yield dataset.PerFrameFunctionalGroupsSequence[frame]
    if "SharedFunctionalGroupsSequence" in dataset:
        yield dataset.SharedFunctionalGroupsSequence[0]


def _padding(dataset: pydicom.Dataset) -> tuple[float, float] | None:
    """The stored values that pad (PS3.3 C.7.5.1.1.2), by the sign of the pixels; None where the header has none."""
    values = [dataset.get(name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if values[0] is None:
        return None
    bits = int(dataset.get("BitsAllocated") or 16)
    wrapped = [
        int(each) - (1 << bits) if dataset.get("PixelRepresentation") and int(each) >= 1 << (bits - 1) else int(each)
        for each in values
        if each is not None
    ]
    return min(wrapped), max(wrapped)


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


def _kind(dataset: pydicom.Dataset) -> list[str]:
    return [str(part).upper() for part in _several(dataset.get("ImageType"))]


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _orientation(value: Any) -> tuple[float, ...]:
    cosines = tuple(float(each) for each in value)
    if len(cosines) != 6:
        raise ValueError("six direction cosines are required")
    return cosines
