"""Pictures: axial slices that survive only as JPEG or PNG, as the papers used them: grey, without units or place."""

import re
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.volume import Volume

SUFFIXES = (".jpg", ".jpeg", ".png")
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")
_NOTE = (
    "pictures: grey values without Hounsfield units, spacing and place; window and order as whoever saved them chose"
)


def read_pictures(folder: Path) -> Volume:
    """A folder of slices as a volume of units "grey" (0 to 255), in the order of the numbers in their names.

    Lengths are unknown: the geometry counts voxels of 1 mm from 0. Nothing else says how pictures follow each other,
    hence the one place where names count. SpecimenError when there is none, one is damaged, or sizes differ.
    """
    paths = sorted((each for each in visible(folder) if each.suffix.lower() in SUFFIXES), key=_number)
    if not paths:
        raise SpecimenError(f"got no picture ({', '.join(SUFFIXES)}) in the folder; wanted one a slice")
    images = [_grey(path, place=k) for k, path in enumerate(paths, start=1)]
    sizes = sorted({image.shape for image in images})
    if len(sizes) > 1:
        raise SpecimenError(f"got pictures of sizes {sizes}, wanted one size; give one series a folder")
    values = np.stack(images)
    z, y, x = values.shape
    geometry = Geometry(shape=(z, y, x), spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))
    return Volume(values=values, geometry=geometry, units="grey", measured=np.ones(z, bool), notes=(_NOTE,))


def visible(folder: Path) -> list[Path]:
    """What somebody put into the folder; files that macOS and Windows leave behind are nobody's."""
    return [each for each in folder.iterdir() if each.name[0] != "." and each.name.lower() not in _OF_THE_SYSTEM]


def _number(path: Path) -> tuple[list[int], str]:
    return [int(each) for each in re.findall(r"\d+", path.stem)], path.name


def _grey(path: Path, *, place: int) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"), np.float32)
    except (UnidentifiedImageError, OSError, SyntaxError):
        raise SpecimenError(f"picture {place} in order is damaged; send it again or leave it out") from None
