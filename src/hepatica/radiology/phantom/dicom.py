"""DICOM: a phantom study as CT Image Storage series, one a phase, in a zip file."""

import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from hepatica.cohort.atomic import replacing
from hepatica.cohort.phantom import Patient
from hepatica.radiology.phantom.enhancement import PHASES
from hepatica.radiology.phantom.scanner import LOWEST, Hospital
from hepatica.radiology.phantom.study import Study

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry of a zip file: the same study is the same bytes."""


def write_study(
    path: Path, study: Study, *, patient: Patient, hospital: Hospital, injected: datetime, entropy: tuple[str, ...]
) -> None:
    """Write every slice of every phase into one zip, atomically: explicit little endian, uncompressed, head first.

    `injected`: when the contrast was given; no real time. `entropy` gives the UIDs: the same words, the same UIDs.
    """
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for phase, name in enumerate(PHASES):
            header = _patient_and_study(patient, injected, entropy)
            _equipment(header, hospital)
            _geometry(header, study, hospital)
            _series(header, phase, hospital, injected, (*entropy, name))
            for instance, content in _slices(header, study, phase, hospital, (*entropy, name)):
                archive.writestr(zipfile.ZipInfo(f"{phase + 1}/{instance:04d}.dcm", _EPOCH), content, compresslevel=1,
                                 compress_type=zipfile.ZIP_DEFLATED)  # fmt: skip


def _set(header: Dataset, **elements: Any) -> None:
    for keyword, value in elements.items():
        setattr(header, keyword, value)


def _patient_and_study(patient: Patient, injected: datetime, entropy: tuple[str, ...]) -> Dataset:
    header = Dataset()
    begun = injected - timedelta(minutes=5)
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
        StudyDescription="CT abdomen, phantom",
        AccessionNumber="",
        ReferringPhysicianName="",
        FrameOfReferenceUID=generate_uid(entropy_srcs=[*entropy, "frame of reference"]),
        PositionReferenceIndicator="",
    )
    return header


def _equipment(header: Dataset, hospital: Hospital) -> None:
    _set(
        header,
        Modality="CT",
        Manufacturer="hepatica",
        ManufacturerModelName="phantom",
        KVP="120",
        ConvolutionKernel=hospital.kernel,
        BodyPartExamined="ABDOMEN",
        PatientPosition="FFS",
        RescaleIntercept=_intercept(hospital),
        RescaleSlope="1",
        RescaleType="HU",
        WindowCenter="60",
        WindowWidth="400",
        BurnedInAnnotation="NO",
    )


def _intercept(hospital: Hospital) -> int:
    return 0 if hospital.signed else LOWEST


def _geometry(header: Dataset, study: Study, hospital: Hospital) -> None:
    grid = study.grid
    _, rows, columns = grid.shape
    _set(
        header,
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        PixelSpacing=[grid.pixel, grid.pixel],
        SliceThickness=grid.thickness,
        SpacingBetweenSlices=grid.thickness,
        Rows=rows,
        Columns=columns,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16,
        BitsStored=16 if hospital.signed else 12,
        HighBit=15 if hospital.signed else 11,
        PixelRepresentation=int(hospital.signed),
    )


def _series(header: Dataset, phase: int, hospital: Hospital, injected: datetime, entropy: tuple[str, ...]) -> None:
    begun = injected + timedelta(seconds=hospital.seconds[phase])
    _set(
        header,
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        SOPClassUID=CTImageStorage,
        SeriesInstanceUID=generate_uid(entropy_srcs=[*entropy, "series"]),
        SeriesNumber=phase + 1,
        AcquisitionNumber=phase + 1,
        SeriesDescription=hospital.descriptions[phase],
        **{f"{event}Date": f"{begun:%Y%m%d}" for event in ("Series", "Acquisition", "Content")},
        **{f"{event}Time": f"{begun:%H%M%S}" for event in ("Series", "Acquisition", "Content")},
    )
    if phase:
        _set(
            header,
            ContrastBolusAgent="Iopromide 370",
            ContrastBolusRoute="IV",
            ContrastBolusStartTime=f"{injected:%H%M%S}",
        )


def _slices(
    header: Dataset, study: Study, phase: int, hospital: Hospital, entropy: tuple[str, ...]
) -> Iterator[tuple[int, bytes]]:
    """The files of one series, numbered from 1 at the head."""
    grid = study.grid
    stored = (study.hounsfield[phase].astype(np.int32) - _intercept(hospital)).astype(
        "<i2" if hospital.signed else "<u2"
    )
    left, front = float(grid.x.flat[0]), float(grid.y.flat[0])
    for instance, index in enumerate(reversed(range(len(stored))), start=1):
        height = float(grid.z.flat[index])
        header.SOPInstanceUID = generate_uid(entropy_srcs=[*entropy, str(instance)])
        header.InstanceNumber = instance
        header.ImagePositionPatient = [left, front, height]
        header.SliceLocation = height
        header.PixelData = stored[index].tobytes()
        yield instance, _encoded(header)


def _encoded(header: Dataset) -> bytes:
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, header, enforce_file_format=True)
    return buffer.getvalue()
