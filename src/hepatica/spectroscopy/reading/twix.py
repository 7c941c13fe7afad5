"""TWIX: Siemens' raw data (.dat), every coil and transient, read through pymapVBVD and spec2nii."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.raw import RawSpectra

_LATER_AXES: dict[str, tuple[None, None, None]] = {"dims": (None, None, None), "tags": (None, None, None)}


def read_twix(path: Path, *, told: Header) -> RawSpectra:
    """The last measurement of a .dat file, its oversampling kept, with the reference scan XA software puts into it.

    Raises SpecimenError when it is no TWIX of a single voxel, is cut short, or of software spec2nii does not know.
    """
    images = _converted(path)
    by_kind = {name.endswith("_ref"): image for name, image in images.items()}
    if False not in by_kind:
        raise SpecimenError("the TWIX file holds a reference scan only; give it as the water of another file")
    raw = of_nifti_mrs(by_kind[False], told=told)
    return replace(raw, averages=1, water=of_nifti_mrs(by_kind[True], told=told).fids if True in by_kind else None)


def _converted(path: Path) -> dict[str, Any]:
    """What spec2nii makes of a file, by name; it meets unknown software with whatever error comes first."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mapvbvd import mapVBVD
            from spec2nii.Siemens.twixfunctions import process_twix

            found = mapVBVD(str(path), quiet=True)
            measured = found[-1] if isinstance(found, list) else found
            images, names = process_twix(measured, "spectrum", "spectrum", "image", _LATER_AXES, quiet=True)
    except Exception as error:
        raise SpecimenError(
            f"the TWIX file cannot be read ({type(error).__name__}); it is cut short, of several voxels or of software"
            " that spec2nii does not know: export RDA or DICOM, or convert it to NIfTI-MRS"
        ) from None
    return dict(zip(names, images, strict=True))
