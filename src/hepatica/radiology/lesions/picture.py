"""Picture: the lesions of a study for a reader, over phases and planes, and where the network finds the evidence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.cohort.predictions import PROBABILITY
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.lesions.crops import LESION
from hepatica.radiology.lesions.store import LesionStore
from hepatica.radiology.picture import glowing

MOST = 4
"""Lesions that are drawn, the largest (ours)."""

PLANES = {"axial": 0, "coronal": 1, "sagittal": 2}
"""The axis of a crop (z y x) that each plane's middle slice is across."""


def draw_lesions(
    specimen: Specimen,
    *,
    material: LesionStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write a picture of each lesion, `_lesion_ID.png`: a column a phase, and of solid crops the middle slices of three
    planes, each with its outline above and its saliency below; the patient's right is on the left.

    `regions` are the crops of this study (lesion_id, score, diameter_mm, and of several classes a probability each), in
    the order of `material`; of several slices of a lesion the first is drawn, and their mean is what is said of it.
    `note` is printed on each picture, `meaning` says what is scored. Returns the files.
    """
    own = material.select(specimen_ids=[specimen.specimen_id])
    rows = regions.reset_index(drop=True).drop_duplicates("lesion_id").nlargest(MOST, "diameter_mm")
    chosen = rows.index.to_numpy()
    images, marks, places = own.read(chosen), own.masks(chosen), own.geometries(chosen)
    said = regions.groupby("lesion_id").mean(numeric_only=True)
    phases = own.specimens["phases"].iloc[0].split(", ")
    drawn: list[Path] = []
    for image, seen, mark, place, (_, row) in zip(
        images, saliency(images), marks, places, rows.iterrows(), strict=True
    ):
        finding = _finding(said.loc[row["lesion_id"]], meaning=meaning)
        title = f"lesion {row['lesion_id']}, {row['diameter_mm']:.0f} mm\n{finding}"
        path = stem.with_name(f"{stem.name}_lesion_{len(drawn) + 1}.png")
        _draw(image.reshape(*mark.shape, -1), seen.reshape(mark.shape), mark == LESION,
              place=place, phases=phases, path=path, title=title, note=note)  # fmt: skip
        drawn.append(path)
    return drawn


def _finding(scores: "pd.Series[float]", *, meaning: str) -> str:
    """The score of a lesion and what it says; of several classes that of the likeliest."""
    classes = scores[scores.index.str.startswith(PROBABILITY)]
    if classes.empty:
        return f"{meaning}: {scores['score']:.2f}"
    return f"probability of {str(classes.idxmax()).removeprefix(PROBABILITY)}: {classes.max():.2f}"


def _draw(
    image: np.ndarray,
    seen: np.ndarray,
    lesion: np.ndarray,
    *,
    place: Geometry,
    phases: list[str],
    path: Path,
    title: str,
    note: str,
) -> None:
    """`image` (z y x phase) on 0..1, `seen` and `lesion` (z y x)."""
    planes = PLANES if len(image) > 1 else {"axial": 0}
    count = image.shape[-1]
    figure = Figure(figsize=(2.1 * count + 0.5, 4.2 * len(planes) + 0.9), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2 * len(planes), count, squeeze=False)
    for number, (name, across) in enumerate(planes.items()):
        cuts = [_cut(each, across) for each in (image, seen, lesion)]
        down, along = (side for axis, side in enumerate(place.spacing) if axis != across)
        for column in range(count):
            grey = np.repeat(np.rint(255 * cuts[0][..., column]).astype(np.uint8)[..., None], 3, axis=-1)
            upper, lower = panels[2 * number, column], panels[2 * number + 1, column]
            upper.imshow(grey, aspect=down / along)
            if cuts[2].any() and not cuts[2].all():
                upper.contour(cuts[2], levels=[0.5], colors="#ffb000", linewidths=0.7)
            lower.imshow(glowing(grey, cuts[1]), aspect=down / along)
            upper.set_title(f"{phases[column] if column < len(phases) else 'outline'}\n{name}", fontsize=8)
            for panel in (upper, lower):
                panel.set_axis_off()
    figure.suptitle(title, fontsize=9)
    where = "where the network finds the evidence" if seen.any() else "the network finds no evidence for it here"
    figure.supxlabel(f"below each: {where}\n{note}", fontsize=7)
    with replacing(path) as temporary:
        figure.savefig(temporary)


def _cut(crop: np.ndarray, across: int) -> np.ndarray:
    """The middle slice across an axis, the head up where z is an axis of it."""
    middle = np.take(crop, crop.shape[across] // 2, axis=across)
    return np.asarray(middle if across == 0 else middle[::-1])
