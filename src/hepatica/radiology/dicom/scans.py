"""Scans: the volumes of one specimen, whatever it was given as: a DICOM study, NIfTI, or pictures of slices."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.preparation import content_digest
from hepatica.radiology.dicom.hounsfield import HIGHEST
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.dicom.pictures import SUFFIXES, read_pictures, visible
from hepatica.radiology.dicom.series import Refusal, Series, read_study
from hepatica.radiology.dicom.volume import Volume, read_volume

NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One volume to be read: a series of a DICOM study, or a file or folder of another kind (`series` is None).

    `key` is a digest by which the ledger may name it.
    """

    path: Path
    key: str
    series: Series | None = None

    def read(self) -> Volume:
        """Decode it; SpecimenError as the readers of its kind."""
        if self.series is not None:
            return read_volume(self.series)
        return _nifti(self.path) if _is_nifti(self.path) else read_pictures(self.path)


@dataclass(frozen=True, kw_only=True)
class Scans:
    """What one patient's specimen holds; `refused` are the files of a study that are no readable CT series, and why."""

    scans: tuple[Scan, ...]
    refused: tuple[Refusal, ...] = ()


def find_scans(path: Path) -> Scans:
    """Look into a file or folder without decoding a pixel.

    A folder that holds pictures and nothing else is a series of pictures, a file named as NIfTI is one volume, and
    everything else is a DICOM study. SpecimenError when a study has no axial CT series, or more than one patient.
    """
    if _is_nifti(path) or _holds_pictures(path):
        return Scans(scans=(Scan(path=path, key=content_digest(path).hex()[:16]),))
    study = read_study(path)
    series = study.axial()
    if study.patients > 1:
        raise SpecimenError(
            f"got CT series of {study.patients} patients in one study, wanted one; part them by patient"
        )
    return Scans(scans=tuple(Scan(path=path, key=each.key, series=each) for each in series), refused=study.refused)


def _is_nifti(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(NIFTI)


def _holds_pictures(path: Path) -> bool:
    if not path.is_dir():
        return False
    suffixes = {each.suffix.lower() for each in visible(path)}
    return bool(suffixes) and suffixes <= set(SUFFIXES)


def _nifti(path: Path) -> Volume:
    values, geometry = read_nifti(path)
    low, high = float(values.min()), float(values.max())
    if not (low < 0 and high <= HIGHEST):
        raise SpecimenError(
            f"values from {low:.0f} to {high:.0f} are no Hounsfield units (air is -1000); export the CT unscaled"
        )
    measured = np.ones(geometry.shape[0], bool)
    note = "NIfTI: phase and scanner unknown"
    return Volume(values=values.astype(np.float32), geometry=geometry, units="HU", measured=measured, notes=(note,))
