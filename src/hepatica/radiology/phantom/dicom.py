"""DICOM: a phantom study as series of classic images in a zip file."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from hepatica.cohort.atomic import replacing
from hepatica.cohort.phantom import Patient
from hepatica.radiology.dicom.geometry import Geometry

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry of a zip file: the same study is the same bytes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stored:
    """One series as it is stored: `pixels` (z, y, x) int16 or uint16 from the feet up.

    `name` tells it from the others of its study, `description` is what the scanner calls it; `agent`: the contrast
    agent in the body, if any. `elements` are what only this kind of series has, by keyword.
    """

    name: str
    description: str
    pixels: np.ndarray
    begun: datetime
    agent: str
    elements: Mapping[str, Any]


def write_study(
    path: Path,
    series: Sequence[Stored],
    *,
    patient: Patient,
    geometry: Geometry,
    injected: datetime,
    entropy: tuple[str, ...],
) -> None:
    """Write every slice of every series into one zip, atomically: explicit little endian, uncompressed, head first.

    `injected`: when the contrast was given; no real time. `entropy` gives the UIDs: the same words, the same UIDs.
    """
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for number, each in enumerate(series, start=1):
            words = (*entropy, each.name)
            header = patient_and_study(patient, injected, entropy)
            _geometry(header, geometry, each.pixels)
            _series(header, each, number, injected, words)
            for instance, content in _slices(header, each.pixels, geometry, words):
                entry(archive, f"{number}/{instance:04d}.dcm", content)


def entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file to an archive, at no real time."""
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, compresslevel=1, compress_type=zipfile.ZIP_DEFLATED)


def _set(header: Dataset, **elements: Any) -> None:
    for keyword, value in elements.items():
        setattr(header, keyword, value)


def patient_and_study(patient: Patient, injected: datetime, entropy: tuple[str, ...]) -> Dataset:
    """What every file of a study has; the study began a quarter of an hour before."""
    header = Dataset()
    begun = injected - timedelta(minutes=15)
    _set(
        header,
        SpecificCharacterSet="ISO_IR 192",
        PatientName=f"Phantom^{patient.patient_id}",
        PatientID=patient.patient_id,
        PatientBirthDate="",
        PatientSex="M" if patient.person.sex == "male" else "F",
        PatientAge=f"{patient.person.age_years:03d}Y",
        PatientIdentityRemoved="YES",
        DeidentificationMethod="Synthetic: no patient",
        StudyInstanceUID=generate_uid(entropy_srcs=[*entropy, "study"]),
        StudyID="1",
        StudyDate=f"{begun:%Y%m%d}",
        StudyTime=f"{begun:%H%M%S}",
        AccessionNumber="",
        ReferringPhysicianName="",
        FrameOfReferenceUID=generate_uid(entropy_srcs=[*entropy, "frame of reference"]),
        PositionReferenceIndicator="",
    )
    return header


def _geometry(header: Dataset, geometry: Geometry, pixels: np.ndarray) -> None:
    thickness, *sides = geometry.spacing
    _, down, across = geometry.directions
    _, rows, columns = geometry.shape
    signed = pixels.dtype.kind == "i"
    _set(
        header,
        ImageOrientationPatient=[round(each, 9) for each in (*across, *down)],
        PixelSpacing=[round(each, 9) for each in sides],
        SliceThickness=thickness,
        SpacingBetweenSlices=thickness,
        Rows=rows,
        Columns=columns,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16,
        BitsStored=16 if signed else 12,
        HighBit=15 if signed else 11,
        PixelRepresentation=int(signed),
    )


def _series(header: Dataset, series: Stored, number: int, injected: datetime, entropy: tuple[str, ...]) -> None:
    _set(
        header,
        Manufacturer="hepatica",
        BodyPartExamined="ABDOMEN",
        PatientPosition="FFS",
        BurnedInAnnotation="NO",
        SeriesInstanceUID=generate_uid(entropy_srcs=[*entropy, "series"]),
        SeriesNumber=number,
        AcquisitionNumber=number,
        SeriesDescription=series.description,
        **{f"{event}Date": f"{series.begun:%Y%m%d}" for event in ("Series", "Acquisition", "Content")},
        **{f"{event}Time": f"{series.begun:%H%M%S}" for event in ("Series", "Acquisition", "Content")},
        **series.elements,
    )
    if series.agent:
        _set(
            header,
            ContrastBolusAgent=series.agent,
            ContrastBolusRoute="IV",
            ContrastBolusStartTime=f"{injected:%H%M%S}",
        )
    header.StudyDescription = f"{header.Modality} abdomen, phantom"


def _slices(
    header: Dataset, pixels: np.ndarray, geometry: Geometry, entropy: tuple[str, ...]
) -> Iterator[tuple[int, bytes]]:
    """The files of one series, numbered from 1 at the head."""
    stored = pixels.astype(pixels.dtype.newbyteorder("<"))
    for instance, index in enumerate(reversed(range(len(stored))), start=1):
        place = geometry.lps @ (0, 0, index, 1)
        header.SOPInstanceUID = generate_uid(entropy_srcs=[*entropy, str(instance)])
        header.InstanceNumber = instance
        header.ImagePositionPatient = [round(float(each), 6) for each in place[:3]]
        header.SliceLocation = round(float(np.dot(geometry.directions[0], place[:3])), 6)
        header.PixelData = stored[index].tobytes()
        yield instance, encoded(header)


def encoded(header: Dataset) -> bytes:
    """A file: explicit little endian, uncompressed."""
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, header, enforce_file_format=True)
    return buffer.getvalue()
