"""Scans: the volumes of a CT or MR study, DICOM, NIfTI or pictures, series by series."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hepatica.cohort.digests import content_digest
from hepatica.cohort.draft.found import mask_column, phase_in
from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import LARGEST
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.hounsfield import refuse_hounsfield, refuse_other_units
from hepatica.radiology.dicom.nifti import read_itk, read_nifti, refuse_swollen_nifti
from hepatica.radiology.dicom.series import Refusal, Series, read_study
from hepatica.radiology.dicom.stack import MOST_MADE, refuse_oblique
from hepatica.radiology.dicom.volume import Volume, read_volume

SUFFIXES = (".jpg", ".jpeg", ".png")
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")
_NOTE = "images: grey values without Hounsfield units, spacing or position; window and order as they were saved"


def read_pictures(folder: Path) -> Volume:
    """A folder of slices as a volume of units "grey" (0 to 255), in the order of the numbers in their names.

    Lengths are unknown: the geometry counts voxels of 1 mm from 0. Only their names give the order of
    pictures. SpecimenError when there is none, one is damaged, or sizes differ.
    """
    paths = sorted((each for each in visible(folder) if each.suffix.lower() in SUFFIXES), key=_number)
    if not paths:
        raise SpecimenError(f"got no picture ({', '.join(SUFFIXES)}) in the folder; wanted one a slice")
    images: list[np.ndarray] = []
    for k, path in enumerate(paths, start=1):
        images.append(_grey(path, place=k))
        sizes = sorted({image.shape for image in images})
        if len(sizes) > 1 or len(paths) * images[0].size > MOST_MADE:
            raise SpecimenError(f"got {len(paths)} pictures of sizes {sizes}, wanted one size, and 2^28 pixels at most")
    values = np.stack(images).astype(np.float32)
    z, y, x = values.shape
    geometry = Geometry(shape=(z, y, x), spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))
    return Volume(values=values, geometry=geometry, units="grey", measured=np.ones(z, bool), notes=(_NOTE,))


def visible(folder: Path) -> list[Path]:
    """The files of a folder but hidden ones and those that macOS and Windows leave behind."""
    return [each for each in folder.iterdir() if each.name[0] != "." and each.name.lower() not in _OF_THE_SYSTEM]


def _number(path: Path) -> tuple[list[int], str]:
    return [int(each) for each in re.findall(r"\d+", path.stem)], path.name


def _grey(path: Path, *, place: int) -> np.ndarray:
    with reading(f"picture {place} in order"), Image.open(path) as image:
        if image.width * image.height > LARGEST:
            raise SpecimenError(f"picture {place} in order has {image.width} x {image.height} pixels; leave it out")
        return np.asarray(image.convert("L"))


NIFTI = (".nii", ".nii.gz")
ITK = (".nrrd", ".mha")


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One volume to be read: a series of a DICOM study, or a file or folder of another kind (`series` is None).

    `key` is a digest by which the ledger may name it; `phase` is that in the name of a file that lies beside others.
    """

    path: Path
    key: str
    kind: Kind = "ct"
    series: Series | None = None
    phase: str = ""

    def read(self, *, regular: bool = True) -> Volume:
        """Decode it, `regular` as in `read_volume`; SpecimenError as the readers of its kind."""
        with reading("the series"):
            if self.series is not None:
                return read_volume(self.series, regular=regular)
            return _volume(self.path, kind=self.kind) if _is_volume(self.path) else read_pictures(self.path)


@dataclass(frozen=True, kw_only=True)
class Scans:
    """The scans of one specimen; `refused` are files of a study that are no readable series of the kind, and why."""

    scans: tuple[Scan, ...]
    refused: tuple[Refusal, ...] = ()


def find_scans(path: Path, *, wanted: str = "", kind: Kind = "ct") -> Scans:
    """Find the scans of a file or folder without decoding a pixel.

    A folder of pictures and nothing else is a series of CT pictures; a file named as NIfTI, NRRD or MHA is one volume,
    and a folder of such files and nothing else has one each (but masks); everything else is a DICOM study, of which
    `wanted` names series as in `read_study`. SpecimenError when a study has no axial series of the kind, or more than
    one patient; a volume of the other kind is refused when it is read.
    """
    if kind == "mr" and _holds_pictures(path):
        raise SpecimenError(
            "got a folder of pictures, which say neither sequence nor mm; send the MR as DICOM or NIfTI"
        )
    if volumes := _volumes_in(path):
        return Scans(scans=tuple(
            Scan(path=each, key=content_digest(each).hex()[:16], kind=kind, phase=phase_in(each)) for each in volumes
        ))  # fmt: skip
    if _is_volume(path) or _holds_pictures(path):
        return Scans(scans=(Scan(path=path, key=content_digest(path).hex()[:16], kind=kind),))
    with reading("the study"):
        study = read_study(path, wanted=wanted, kind=kind)
    series = study.axial()
    if study.patients > 1:
        raise SpecimenError(
            f"got {kind.upper()} series of {study.patients} patients in one study, wanted one; hepatica init sorts them"
        )
    return Scans(
        scans=tuple(Scan(path=path, key=each.key, kind=kind, series=each) for each in series), refused=study.refused
    )


def _is_volume(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith((*NIFTI, *ITK))


def _volumes_in(path: Path) -> list[Path]:
    """The volumes of a folder that has nothing else."""
    files = sorted(visible(path)) if path.is_dir() else []
    return [each for each in files if not mask_column(Path(each.name))] if files and all(map(_is_volume, files)) else []


def _holds_pictures(path: Path) -> bool:
    if not path.is_dir():
        return False
    suffixes = {each.suffix.lower() for each in visible(path)}
    return bool(suffixes) and suffixes <= set(SUFFIXES)


def _volume(path: Path, *, kind: Kind) -> Volume:
    refuse_swollen_nifti(path)
    values, geometry = read_nifti(path) if path.name.lower().endswith(NIFTI) else read_itk(path)
    refuse_oblique(np.array(geometry.directions[0]), kind=kind)
    if kind == "ct":
        refuse_other_units(values, remedy="it is MR, scaled or normalised")
    else:
        refuse_hounsfield(values)
    return Volume(
        values=values.astype(np.float32),
        geometry=geometry,
        units="HU" if kind == "ct" else "signal",
        measured=np.ones(geometry.shape[0], bool),
        notes=(f"no DICOM: {'phase' if kind == 'ct' else 'sequence'} and scanner unknown",),
    )
