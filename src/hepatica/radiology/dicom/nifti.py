"""NIfTI: volumes and masks to and from .nii and .nii.gz, turned to the orientation of a DICOM series."""

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from einops import rearrange
from nibabel import orientations
from nibabel.filebasedimages import ImageFileError

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry, from_lps

_nifti: Any = nib  # declares itself typed, yet hardly any of its functions is
_axes: Any = orientations

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_nifti(path: Path) -> tuple[np.ndarray, Geometry]:
    """The array (z y x) and where it lies, axes flipped and exchanged to be those of `Geometry`; nothing is resampled.

    Whole numbers (masks, labels) keep their type unless the file scales them; the rest is float32. SpecimenError when
    the file is no NIfTI, is damaged, has not three axes, or has no position in the patient.
    """
    try:
        image = _nifti.load(path)
        raw = np.asanyarray(image.dataobj)
    except (ImageFileError, OSError, EOFError, ValueError) as error:
        raise SpecimenError(f"the NIfTI file cannot be read ({error}); send it again") from None
    if not isinstance(image, _nifti.Nifti1Image) or not (image.header["qform_code"] or image.header["sform_code"]):
        raise SpecimenError("the file has no position in the patient (no NIfTI qform or sform); export it again")
    if raw.ndim == 4 and raw.shape[3] == 1:
        raw = rearrange(raw, "x y z 1 -> x y z")
    if raw.ndim != 3:
        raise SpecimenError(f"got a NIfTI file of {raw.ndim} axes, wanted 3; give one volume a file")
    turn = _axes.ornt_transform(_axes.io_orientation(image.affine), _axes.axcodes2ornt(("L", "P", "S")))
    affine = image.affine @ _axes.inv_ornt_aff(turn, raw.shape)
    values = rearrange(_axes.apply_orientation(raw, turn), "x y z -> z y x")
    z, y, x = values.shape
    kind = values.dtype if np.issubdtype(values.dtype, np.integer) else np.float32
    return np.ascontiguousarray(values, kind), from_lps(_LPS_FROM_RAS @ affine, shape=(z, y, x))


def write_nifti(path: Path, *, values: np.ndarray, geometry: Geometry) -> None:
    """Write an array (z y x) as NIfTI-1 (`path` ends in .nii or .nii.gz), axes to the left, the back and the head."""
    image = _nifti.Nifti1Image(rearrange(values, "z y x -> x y z"), geometry.affine, dtype=values.dtype)
    image.set_qform(geometry.affine, code=1)
    image.set_sform(geometry.affine, code=1)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
