"""Basis file: read or write a basis in the format of the file's ending; NIfTI-MRS files and folders of them here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from einops import rearrange

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.jmrui_basis import read_jmrui_basis, write_jmrui_basis
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis, write_lcmodel_basis
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs, opened, read_nifti_mrs, save_nifti_mrs
from hepatica.spectroscopy.reading.read import usable
from hepatica.spectroscopy.signal.header import UNKNOWN

_AXIS = "DIM_USER_0"


def read_nifti_basis(path: Path) -> Basis:
    """One NIfTI-MRS file with the components along DIM_USER_0, or a folder of files called as their components.

    The names are in the header of that axis, as `write_nifti_basis` puts them; a folder is how spant stores a basis.
    Raises SpecimenError where names are missing, or the files of a folder differ in sampling.
    """
    return _folder(path) if path.is_dir() else _file(path)


def _file(path: Path) -> Basis:
    image = opened(path)
    if _AXIS not in image.dim_tags:
        raise SpecimenError(f"the file has no axis of components ({_AXIS}): it is a spectrum, not a basis")
    place = image.dim_tags.index(_AXIS)
    fields = image.hdr_ext.to_dict().get(f"dim_{place + 5}_header") or {}
    size = image.shape[place + 4]
    lists = [field["Value"] if isinstance(field, dict) else field for field in fields.values()]
    names = next((each for each in lists if len(each) == size and all(isinstance(one, str) for one in each)), None)
    if names is None:
        raise SpecimenError(f"the header does not name the {size} components: wanted a list in dim_{place + 5}_header")
    image.set_dim_tag(_AXIS, "DIM_DYN")
    raw = of_nifti_mrs(image, header_overrides=UNKNOWN)
    return Basis(names=tuple(names), fids=rearrange(raw.fids, "k 1 n -> k n"), acquisition=raw.acquisition)


def _folder(path: Path) -> Basis:
    files = sorted(each for each in path.iterdir() if each.name.endswith((".nii", ".nii.gz")))
    if not files:
        raise SpecimenError("the folder has no NIfTI-MRS file (.nii, .nii.gz), wanted one a component")
    raw = [read_nifti_mrs(each, header_overrides=UNKNOWN) for each in files]
    if len({each.acquisition for each in raw}) > 1 or any(each.fids.shape[:2] != (1, 1) for each in raw):
        raise SpecimenError(
            "the components of the folder differ in sampling, or have several signals: simulate them again"
        )
    return Basis(
        names=tuple(each.name.removesuffix(".gz").removesuffix(".nii") for each in files),
        fids=np.array([each.fids[0, 0] for each in raw]), acquisition=raw[0].acquisition,
    )  # fmt: skip


def write_nifti_basis(basis: Basis, *, path: Path) -> None:
    """Write one NIfTI-MRS file (.nii or .nii.gz), complex64, whole or not at all; equal bases give equal files."""
    named = {"Component": {"Value": list(basis.names), "Description": "Name of each component of the basis set"}}
    axes = {_AXIS: {"info": "Components of a basis set, 1 mM each", "hdr": named}}
    save_nifti_mrs(path, rearrange(basis.fids, "k n -> 1 1 1 n k"), basis.acquisition, axes=axes)


_READ: dict[str, Callable[[Path], Basis]] = {
    ".basis": read_lcmodel_basis, ".txt": read_jmrui_basis, ".nii.gz": read_nifti_basis, ".nii": read_nifti_basis,
}  # fmt: skip
_WRITE = {
    ".basis": write_lcmodel_basis, ".txt": write_jmrui_basis, ".nii.gz": write_nifti_basis, ".nii": write_nifti_basis,
}  # fmt: skip


@usable("basis")
def read_basis(path: Path) -> Basis:
    """A basis from LCModel's .basis, jMRUI's .txt, a NIfTI-MRS .nii or .nii.gz, or a folder of those.

    Raises SettingsError on another ending, and SpecimenError on what cannot be read.
    """
    return read_nifti_basis(path) if path.is_dir() else _READ[_ending(path)](path)


def write_basis(basis: Basis, *, path: Path) -> None:
    """Write a basis in the format of the path's ending. Raises SettingsError on another ending."""
    _WRITE[_ending(path)](basis, path=path)


def _ending(path: Path) -> str:
    found = [ending for ending in _READ if path.name.lower().endswith(ending)]
    if not found:
        raise SettingsError(f"got a basis called *{path.suffix}, wanted one of {', '.join(_READ)}")
    return found[0]
