"""Into scan: phantom lesions in a CT series that the user gives, written as a series of its own with its truth mask."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.cohort.phantom import Lesion
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.header import Header, read_dataset
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.dicom.series import Series, read_study
from hepatica.radiology.dicom.stack import as_stored
from hepatica.radiology.dicom.volume import Volume, read_volume
from hepatica.radiology.liver.liver import estimate_liver
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.phantom.insert import insert_lesions

SERIES_NUMBER = 9100  # ours
"""Beyond any scanner's own and those of hepatica's results."""

_OF_OTHER_PIXELS = (
    "PixelPaddingValue", "PixelPaddingRangeLimit", "SmallestImagePixelValue", "LargestImagePixelValue",
    "IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence", "RescaleType",
)  # fmt: skip


def lesions_into_scan(
    study: Path,
    folder: Path,
    *,
    kind: str,
    diameters_cm: Sequence[float],
    phase: str,
    seed: int = 0,
    difficulty: float = 0,
    liver_mask: Path | None = None,
    series: int | None = None,
) -> Path:
    """Draw phantom lesions into a real CT series and write it to `folder`, which is returned.

    `folder`/dicom holds one file a slice, numbered from the feet: what the source says of patient, study, scanner and
    place is carried over (private elements are not), pixels are Hounsfield units in 16 bits, and image type, series
    description, derivation and quality control image say what it is. New UIDs come from the pixels and the wishes: the
    same call gives the same bytes. `folder`/mask.nii.gz holds the lesions' truth, 2 and on, and the liver used, 1. The
    folder appears when all is written.

    `liver_mask` is read as `read_mask` does, the liver estimated without one. `series` counts the axial series of the
    study from 1 and may be left out when there is one. `insert_lesions` says what kinds and phases there are.

    SettingsError for a wish that cannot be granted, SpecimenError for a series that has gaps or cannot be read.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SettingsError(f"{folder} is not empty; choose an empty or a new folder")
    source = _chosen(study, series)
    volume = _whole(source)
    liver = _liver(volume, liver_mask)
    lesions = [Lesion(kind=kind, diameter_cm=each) for each in diameters_cm]
    values, mask = insert_lesions(volume, liver=liver, phase=phase, lesions=lesions, seed=seed, difficulty=difficulty)
    sizes = ", ".join(f"{each:g} cm" for each in diameters_cm)
    what = f"phantom lesions ({kind}, {sizes}; {phase} phase; seed {seed}; difficulty {difficulty:g})"
    part = folder.resolve().with_name(f".{folder.resolve().name}.part")
    try:
        _write_series(part / "dicom", source, values, what=what)
        write_nifti(part / "mask.nii.gz", values=mask, geometry=volume.geometry)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _liver(volume: Volume, mask: Path | None) -> np.ndarray:
    return estimate_liver(volume) if mask is None else read_mask(mask, geometry=volume.geometry, only="liver")


def _chosen(study: Path, number: int | None) -> Series:
    found = read_study(study).axial()
    if number is None and len(found) > 1:
        raise SettingsError(f"got {len(found)} axial series, wanted one; say which of 1 to {len(found)}")
    if number is not None and not 1 <= number <= len(found):
        raise SettingsError(f"got series {number}, wanted 1 to {len(found)}")
    return found[(number or 1) - 1]


def _whole(series: Series) -> Volume:
    """The volume, each slice of which is a file of the series."""
    if any(header.frame for header in series.headers):
        raise SpecimenError("got a multi-frame file, wanted one file a slice; send the series as classic CT images")
    volume = read_volume(series)
    if len(volume.values) != len(series.headers) or not volume.measured.all():
        raise SpecimenError("slices are missing, damaged or unevenly spaced; wanted a complete series")
    return volume


def _write_series(folder: Path, source: Series, values: np.ndarray, *, what: str) -> None:
    folder.mkdir(parents=True)
    entropy = [what, hashlib.sha256(values.tobytes()).hexdigest()]
    for number, (header, image) in enumerate(zip(source.headers, values, strict=True), start=1):
        with tolerant():
            made = _derived(header, image, number=number, entropy=entropy, what=what)
            dcmwrite(folder / f"{number:04d}.dcm", made, enforce_file_format=True)


def _derived(header: Header, image: np.ndarray, *, number: int, entropy: list[str], what: str) -> Dataset:
    """One slice of the new series: the header of the old one, new identifiers and pixels (y x) in HU."""
    made = read_dataset(header.source)
    made.remove_private_tags()
    for name in _OF_OTHER_PIXELS:
        made.pop(name, None)
    _refer(made)
    made.SOPClassUID = CTImageStorage
    for name in ("StudyInstanceUID", "FrameOfReferenceUID"):  # de-identifiers may have blanked them
        setattr(made, name, made.get(name) or generate_uid(entropy_srcs=[*entropy, name]))
    made.SeriesInstanceUID = generate_uid(entropy_srcs=[*entropy, "series"])
    made.SOPInstanceUID = generate_uid(entropy_srcs=[*entropy, str(number)])
    made.SeriesNumber, made.InstanceNumber = SERIES_NUMBER, number
    made.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    made.SeriesDescription = "PHANTOM lesion, no finding"
    made.DerivationDescription = f"hepatica: {what} drawn into a real scan"
    made.QualityControlImage = "YES"  # the standard's word for an image of a phantom
    _put_pixels(made, as_stored(image, header))
    return made


def _refer(made: Dataset) -> None:
    """Name the slice it was made from, where that has a name."""
    if made.get("SOPInstanceUID") and made.get("SOPClassUID"):
        source = Dataset()
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
        made.SourceImageSequence = [source]


def _put_pixels(made: Dataset, image: np.ndarray) -> None:
    made.RescaleSlope, made.RescaleIntercept = 1, 0
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 1
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.PixelData = np.rint(image).clip(-32768, 32767).astype("<i2").tobytes()
    made["PixelData"].VR = "OW"
