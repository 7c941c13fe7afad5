"""Inspection: a CT or MR study as a radiologist checks it before training: its series, and a slice of the first."""

from typing import cast

import numpy as np

from hepatica.cohort.specimens import Inspected, Specimen
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.phase.together import SERIES
from hepatica.radiology.slicing import WINDOWS
from hepatica.saliency.scale import with_bar


def inspect(specimen: Specimen, *, outlined: bool = True) -> Inspected:
    """The middle slice of the first series, with a scale bar where millimetres are known, and how many series there
    are; SpecimenError where the study cannot be used. Nothing is outlined.
    """
    kind = cast(Kind, specimen.modality)
    found = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""), kind=kind)
    volume = found.scans[0].read(regular=False)
    z, y, x = volume.geometry.spacing
    facts = {
        "series": str(len(found.scans)),
        "first series": f"{len(volume.values)} slices of {x:.2g} x {y:.2g} mm, {z:.2g} mm apart",
        "units": volume.units,
    }
    doubts = (*volume.notes, *(f"{each.files} files set aside: {each.reason}" for each in found.refused))
    return Inspected(picture=_middle(volume), facts=facts, doubts=doubts)


def _middle(volume: Volume) -> np.ndarray:
    image, x = volume.values[len(volume.values) // 2], volume.geometry.spacing[2]
    if volume.units == "HU":
        grey = WINDOWS["abdomen"].grey(image)
    else:
        low, high = np.quantile(image, (0.01, 0.99))
        grey = (np.clip((image - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
    picture = np.repeat(grey[..., None], 3, axis=-1)
    return picture if volume.units == "grey" else with_bar(picture, width=1000 * x * len(image[0]))
