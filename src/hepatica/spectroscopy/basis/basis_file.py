"""Basis file: read or write a basis in the format that its name tells."""

from collections.abc import Callable
from pathlib import Path

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.jmrui_basis import read_jmrui_basis, write_jmrui_basis
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis, write_lcmodel_basis
from hepatica.spectroscopy.basis.nifti_basis import read_nifti_basis, write_nifti_basis

_READ: dict[str, Callable[[Path], Basis]] = {
    ".basis": read_lcmodel_basis, ".txt": read_jmrui_basis, ".nii.gz": read_nifti_basis, ".nii": read_nifti_basis,
}  # fmt: skip
_WRITE = {
    ".basis": write_lcmodel_basis, ".txt": write_jmrui_basis, ".nii.gz": write_nifti_basis, ".nii": write_nifti_basis,
}  # fmt: skip


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
