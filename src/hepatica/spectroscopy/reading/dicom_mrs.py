"""IMA: spectra in DICOM, of Siemens (VA to XA), Philips and United Imaging, read through spec2nii."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import RawSpectra

_DEFERRED, _UNDEFINED = 256, 0xFFFFFFFF  # bytes; a length that is not given (PS3.5, 7.1.1)


def read_ima(path: Path, *, header_overrides: Header) -> RawSpectra:
    """The spectrum of one DICOM file; the water reference that Philips puts into the same file comes with it.

    Raises SpecimenError when it is no DICOM, no spectrum, of an unknown maker, of several voxels, or damaged.
    """
    try:
        dataset = pydicom.dcmread(path, defer_size=_DEFERRED)
    except (InvalidDicomError, OSError, EOFError) as error:
        raise SpecimenError(f"the file cannot be read as DICOM ({type(error).__name__}); export it again") from None
    if _end(dataset) > path.stat().st_size:
        raise SpecimenError("the DICOM file is cut short: its last element is not whole; export it again")
    convert = _converter(str(dataset.get("Manufacturer", "")))
    images = _converted(lambda: convert([path], "spectrum", None, False))
    if not images:
        raise SpecimenError("got a spectroscopic image of several voxels, wanted a single voxel; leave it out")
    raw = of_nifti_mrs(images[0], header_overrides=header_overrides)
    averages = dataset.get("NumberOfAverages")
    return replace(
        raw,
        water=of_nifti_mrs(images[1], header_overrides=header_overrides).fids if len(images) > 1 else None,
        averages=int(averages) if averages else None,
    )


def _end(dataset: Dataset) -> int:
    """The byte at which the last element of known length ends; those of DEFERRED bytes or more were not read."""
    elements: list[Any] = [dataset.get_item(tag, keep_deferred=True) for tag in list(dataset.keys())]
    raw = [each for each in elements if isinstance(each, RawDataElement)]
    return max((each.value_tell + each.length for each in raw if each.length != _UNDEFINED), default=0)


def _converter(maker: str) -> Callable[..., tuple[list[Any], list[str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental on import
        from spec2nii import uih
        from spec2nii.Philips import philips_dcm
        from spec2nii.Siemens import dicomfunctions
    makers = {"siemens": dicomfunctions, "philips": philips_dcm, "uih": uih, "united imaging": uih}
    for name, module in makers.items():
        if maker.lower().startswith(name):
            found: Callable[..., tuple[list[Any], list[str]]] = module.multi_file_dicom
            return found
    raise SpecimenError(f"got a DICOM file of maker {maker!r}, wanted {', '.join(makers)}; export it as NIfTI-MRS")


def _converted(convert: Callable[[], tuple[list[Any], list[str]]]) -> list[Any]:
    """Single voxels that spec2nii finds in a file; it meets unknown software with whatever error comes first."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [image for image in convert()[0] if np.prod(image.shape[:3]) == 1]
    except Exception as error:
        raise SpecimenError(
            f"spec2nii cannot read this spectrum ({type(error).__name__}): it is a picture, or of software it does not"
            " know; export RDA, SDAT or NIfTI-MRS"
        ) from None
