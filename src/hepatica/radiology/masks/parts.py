"""Parts: liver and focal lesions of a mask, as one label map, whatever its format calls them."""

import re
from pathlib import Path

import numpy as np

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.masks.mask import open_mask, resampled
from hepatica.radiology.masks.segments import Segments

LABELS = {"liver": 1, "lesions": 2}
"""The label from which on a voxel is of each part: lesions lie in the liver. Also that of masks we write."""

_LESION = re.compile(r"lesion|tumou?r|mass|nodule|hcc", re.IGNORECASE)


def outlined(path: Path, *, geometry: Geometry) -> np.ndarray:
    """What is marked in a mask (`mask.open_mask`), (z y x) uint8 on `geometry` by the nearest voxel: 2 lesion, 1 other
    liver, 0 else.

    Liver is what `read_mask` takes for it. Lesions are the segments whose names say so (lesion, tumour, mass, nodule,
    HCC); where no segment is called liver, also those numbered 2 and on, as LiTS and our phantoms have them. Raises
    SpecimenError when the mask is damaged or absent.
    """
    with reading("the mask"):
        segments = open_mask(path, geometry=geometry)
        named = {number for number, name in segments.names.items() if _LESION.search(name)}
        tabled = any(name.strip().lower() == "liver" for name in segments.names.values())
        lesions = named if tabled else named | {number for number in segments.names if number > 1}
        found = np.zeros(geometry.shape, np.uint8)
        if set(segments.names) - named:
            found[_on(segments, "liver", geometry)] = LABELS["liver"]
        if lesions:
            found[_on(segments, sorted(lesions), geometry)] = LABELS["lesions"]
    return found


def _on(segments: Segments, only: object, geometry: Geometry) -> np.ndarray:
    try:
        marked, own = segments.take(only)  # type: ignore[arg-type]
    except SpecimenError:  # a mask of lesions alone
        return np.zeros(geometry.shape, bool)
    return marked if own.agrees(geometry) else resampled(marked, own, geometry)
