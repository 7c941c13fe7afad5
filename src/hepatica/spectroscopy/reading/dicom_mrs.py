"""IMA: spectra in DICOM, of Siemens (VA to XA), Philips and United Imaging, read through spec2nii."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import RawSpectra

_DEFERRED, _UNDEFINED = 256, 0xFFFFFFFF  # bytes; a length that is not given (PS3.5, 7.1.1)


def read_ima(path: Path, *, header_overrides: Header) -> RawSpectra:
    """The spectrum of one DICOM file; the water reference that Philips puts into the same file comes with it.

    Raises SpecimenError when it is no DICOM, no spectrum, of an unknown maker, of several voxels, or damaged.
    """
    dataset = pydicom.dcmread(path, defer_size=_DEFERRED)
    if _end(dataset) > path.stat().st_size:
        raise SpecimenError("the DICOM file is truncated: its last element is incomplete; export it again")
    convert = _converter(str(dataset.get("Manufacturer", "")))
    images = [image for image in convert([path], "spectrum", None, False)[0] if np.prod(image.shape[:3]) == 1]
    if not images:
        raise SpecimenError("got a spectroscopic image of several voxels, wanted a single voxel; leave it out")
    raw, *others = (of_nifti_mrs(image, header_overrides=header_overrides) for image in images[:2])
    averages = dataset.get("NumberOfAverages")
    return replace(raw.with_water(next(iter(others), None)), averages=int(averages) if averages else None)


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
