"""NIfTI: volumes and masks to and from .nii and .nii.gz, and volumes of NRRD and MHA, as a DICOM series lies."""

import gzip
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from einops import rearrange
from nibabel import orientations

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.archives import refuse_swollen
from hepatica.radiology.dicom.geometry import Geometry, from_lps

_nifti: Any = nib  # declares itself typed, yet hardly any of its functions is
_axes: Any = orientations

LARGEST = 2**29  # ours
"""Voxels of a NIfTI file: 2,000 slices of 512 x 512. A header that claims more is not followed."""

STRAIGHT = 0.02  # ours
"""Cosine between two axes of the grid, 1.1 degrees off a right angle, from which on it counts as sheared."""

_SIDES = (0.01, 100.0)  # ours: mm of a voxel
_FORMS = ("qform_code", "sform_code")
_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_nifti(path: Path) -> tuple[np.ndarray, Geometry]:
    """The array (z y x) and where it lies, axes flipped and exchanged to be those of `Geometry`; nothing is resampled.

    Whole numbers (masks, labels) keep their type unless the file scales them; the rest is float32. SpecimenError when
    the file is no NIfTI, is damaged or larger than LARGEST, has not three axes, no position in the patient or two that
    disagree, or a sheared grid.
    """
    image, raw = _loaded(path)
    if raw.ndim == 4 and raw.shape[3] == 1:
        raw = rearrange(raw, "x y z 1 -> x y z")
    if raw.ndim != 3:
        raise SpecimenError(f"got a NIfTI file of {raw.ndim} axes, wanted 3; give one volume a file")
    _refuse_place(image)
    return _turned(raw, image.affine)


def refuse_swollen_nifti(path: Path) -> None:
    """SpecimenError where a packed scan is nearly empty and huge when unpacked, before it is; a mask may be so."""
    with reading("the NIfTI file"):
        if path.name.lower().endswith(".nii.gz"):
            header = _nifti.load(path).header
            refuse_swollen(path.stat().st_size, math.prod(header.get_data_shape()) * header.get_data_dtype().itemsize)


def read_itk(path: Path) -> tuple[np.ndarray, Geometry]:
    """The same of a NRRD or MetaImage file (.mha); SpecimenError where it is none, is damaged or has not three axes."""
    import SimpleITK  # takes long to import

    with reading("the volume"):
        reader: Any = SimpleITK.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        size = [each for each in reader.GetSize() if each != 1]
        if len(reader.GetSize()) != 3 or reader.GetNumberOfComponents() != 1 or not 0 < math.prod(size) <= LARGEST:
            raise SpecimenError(f"got a volume of {reader.GetSize()} voxels, wanted 3 axes and {LARGEST} at most")
        refuse_swollen(path.stat().st_size, math.prod(size))
        image = reader.Execute()
        raw = rearrange(SimpleITK.GetArrayFromImage(image), "z y x -> x y z")
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        affine[:3, 3] = image.GetOrigin()
        return _turned(raw, _LPS_FROM_RAS @ affine)


def _turned(raw: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, Geometry]:
    """An array (x y z) whose index `affine` takes to mm in NIfTI's axes, turned to those of `Geometry`."""
    turn = _axes.ornt_transform(_axes.io_orientation(affine), _axes.axcodes2ornt(("L", "P", "S")))
    turned = affine @ _axes.inv_ornt_aff(turn, raw.shape)
    values = rearrange(_axes.apply_orientation(raw, turn), "x y z -> z y x")
    z, y, x = values.shape
    kind = values.dtype if np.issubdtype(values.dtype, np.integer) else np.float32
    return np.ascontiguousarray(values, kind), from_lps(_LPS_FROM_RAS @ turned, shape=(z, y, x))


def _loaded(path: Path) -> tuple[Any, np.ndarray]:
    with reading("the NIfTI file"):
        image = _nifti.load(path)
        if not 0 < math.prod(image.shape) <= LARGEST:
            raise SpecimenError(f"got a NIfTI file of {image.shape} voxels, wanted 1 to {LARGEST}; crop it")
        return image, np.asanyarray(image.dataobj)


def _refuse_place(image: Any) -> None:
    """SpecimenError when the file does not say once and for all where its voxels lie, on a straight grid."""
    codes = [int(image.header[each]) if isinstance(image, _nifti.Nifti1Image) else 0 for each in _FORMS]
    if not any(codes):
        raise SpecimenError("the file has no position in the patient (no NIfTI qform or sform); export it again")
    axes = image.affine[:3, :3]
    sides = np.linalg.norm(axes, axis=0)
    if not np.isfinite(image.affine).all() or sides.min() < _SIDES[0] or sides.max() > _SIDES[1]:
        raise SpecimenError(f"got voxels of {sides} mm, wanted {_SIDES[0]} to {_SIDES[1]}; export it again, in mm")
    if np.abs((axes / sides).T @ (axes / sides) - np.eye(3)).max() > STRAIGHT:
        raise SpecimenError("the grid of the NIfTI file is sheared (a tilted gantry); resample it to a straight one")
    corners = np.array([[*np.multiply(each, np.subtract(image.shape[:3], 1)), 1] for each in np.ndindex(2, 2, 2)]).T
    if all(codes):
        apart = float(np.abs((image.get_qform() - image.get_sform()) @ corners).max())
        if apart > sides.max():
            raise SpecimenError(f"qform and sform of the NIfTI file lie {apart:.3g} mm apart; export it again with one")


def write_nifti(path: Path, *, values: np.ndarray, geometry: Geometry) -> None:
    """Write an array (z y x) as NIfTI-1 (`path` ends in .nii or .nii.gz), axes to the left, the back and the head."""
    with replacing(path) as temporary:
        temporary.write_bytes(nifti_bytes(values, geometry, packed=path.suffix == ".gz"))


def nifti_bytes(values: np.ndarray, geometry: Geometry, *, packed: bool = True) -> bytes:
    """The same as the bytes of the file, by default those of .nii.gz."""
    image = _nifti.Nifti1Image(rearrange(values, "z y x -> x y z"), geometry.affine, dtype=values.dtype)
    image.set_qform(geometry.affine, code=1)
    image.set_sform(geometry.affine, code=1)
    image.header.set_xyzt_units("mm")
    content: bytes = image.to_bytes()
    return gzip.compress(content, mtime=0) if packed else content
