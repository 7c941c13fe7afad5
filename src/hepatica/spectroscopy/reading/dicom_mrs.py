"""IMA: spectra in DICOM, of Siemens and United Imaging read through spec2nii, of others as the standard has them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from einops import rearrange
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import RawSpectra

_DATA = 0x56000020  # Spectroscopy Data
_BY_SPEC2NII = ("siemens", "uih", "united imaging")
_DEFERRED, _UNDEFINED = 256, 0xFFFFFFFF  # bytes; a length that is not given (PS3.5, 7.1.1)


def read_ima(path: Path, *, header_overrides: Header) -> RawSpectra:
    """The spectrum of one DICOM file; the water reference that Philips puts into the same file comes with it.

    Raises SpecimenError when it is no DICOM, no spectrum, of an unknown maker, of several voxels, or damaged.
    """
    dataset = pydicom.dcmread(path, defer_size=_DEFERRED)
    if _end(dataset) > path.stat().st_size:
        raise SpecimenError("the DICOM file is truncated: its last element is incomplete; export it again")
    if _DATA in dataset and not str(dataset.get("Manufacturer", "")).lower().startswith(_BY_SPEC2NII):
        return _of_standard(dataset, header_overrides=header_overrides)
    convert = _converter(str(dataset.get("Manufacturer", "")))
    images = [image for image in convert([path], "spectrum", None, False)[0] if np.prod(image.shape[:3]) == 1]
    if not images:
        raise SpecimenError("got a spectroscopic image of several voxels, wanted a single voxel; leave it out")
    raw, *others = (of_nifti_mrs(image, header_overrides=header_overrides) for image in images[:2])
    return replace(raw.with_water(next(iter(others), None)), averages=_averages(dataset))


def _of_standard(dataset: Dataset, *, header_overrides: Header) -> RawSpectra:
    """Decays of MR Spectroscopy Storage (PS3.3 C.8.14), whose sign is hepatica's; frames are transients.

    Philips has its water reference in the second half where (0018,9199) says so (ours: after spec2nii, of which the
    geometry, which is not needed here, fails on some files).
    """
    nucleus, voxels = str(dataset.get("ResonantNucleus", "1H")), dataset.get("Rows", 1) * dataset.get("Columns", 1)
    if nucleus != "1H" or voxels > 1:
        raise SpecimenError(f"got {voxels} voxels of {nucleus}, wanted one of 1H; leave it out")
    points = int(dataset.get("SpectroscopyAcquisitionDataColumns") or dataset.DataPointColumns)
    numbers = np.frombuffer(dataset[_DATA].value, "<f4").astype(float)
    if numbers.size % (2 * points) or not numbers.size:
        raise SpecimenError(f"got {numbers.size // 2} points, wanted a multiple of {points}; export it again")
    fids = rearrange(numbers[::2] + 1j * numbers[1::2], "(t n) -> t 1 n", n=points)
    with_water = dataset.get("WaterReferencedPhaseCorrection") == "YES" and len(fids) % 2 == 0
    raw, *water = (
        RawSpectra.of(each, _header(dataset), overrides=header_overrides)
        for each in np.split(fids, 2 if with_water else 1)
    )
    return replace(raw.with_water(next(iter(water), None)), averages=_averages(dataset))


def _header(dataset: Dataset) -> Header:
    def found(name: str) -> Any:
        """The first of that name, at any depth."""
        value = next((each.value for each in dataset.iterall() if each.keyword == name), None)
        return value[0] if isinstance(value, MultiValue) else value

    def number(name: str) -> float | None:
        value = found(name)
        return None if value is None else float(value)

    te_ms = number("EffectiveEchoTime")
    names = (found(name) for name in ("VolumeLocalizationTechnique", "PulseSequenceName", "ProtocolName"))
    return Header(
        f0_mhz=number("TransmitterFrequency"),
        bandwidth_hz=number("SpectralWidth"),
        te_ms=number("EchoTime") if te_ms is None else te_ms,
        tr_ms=number("RepetitionTime"),
        field_t=number("MagneticFieldStrength"),
        sequence_name=" ".join(str(each) for each in names if each),
    )


def _averages(dataset: Dataset) -> int | None:
    averages = dataset.get("NumberOfAverages")
    return int(averages) if averages else None


def _end(dataset: Dataset) -> int:
    """The byte at which the last element of known length ends; those of DEFERRED bytes or more were not read."""
    elements: list[Any] = [dataset.get_item(tag, keep_deferred=True) for tag in list(dataset.keys())]
    raw = [each for each in elements if isinstance(each, RawDataElement)]
    return max((each.value_tell + each.length for each in raw if each.length != _UNDEFINED), default=0)


def _converter(maker: str) -> Callable[..., tuple[list[Any], list[str]]]:
    from spec2nii import uih
    from spec2nii.Philips import philips_dcm
    from spec2nii.Siemens import dicomfunctions

    makers = {"siemens": dicomfunctions, "philips": philips_dcm, "uih": uih, "united imaging": uih}
    for name, module in makers.items():
        if maker.lower().startswith(name):
            found: Callable[..., tuple[list[Any], list[str]]] = module.multi_file_dicom
            return found
    raise SpecimenError(f"got a DICOM file of maker {maker!r}, wanted {', '.join(makers)}; export it as NIfTI-MRS")
