"""Picture: the images of an ultrasound study for a reader, what each place scores, and where the evidence lies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.radiology.picture import glowing
from hepatica.radiology.ultrasound.clips import find_clips
from hepatica.radiology.ultrasound.store import UltrasoundStore
from hepatica.radiology.ultrasound.views import millimetres

SHOWN = 4
"""Views drawn, those of the highest score (ours)."""


def draw_ultrasound(
    specimen: Specimen,
    *,
    material: UltrasoundStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write one picture, `_views.png`: the masked image of the highest view with the score at each place, and the
    highest views, with their saliency below. `regions` are the views of this study, in the order of `material`.
    """
    own = material.select(specimen_ids=[specimen.specimen_id])
    rows = regions.reset_index(drop=True)
    chosen = rows.nlargest(SHOWN, "score").index.to_numpy()
    views = own.read(chosen)
    maps = saliency(views)
    path = stem.with_name(f"{stem.name}_views.png")
    figure = Figure(figsize=(5 + 1.7 * len(chosen), 4.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplot_mosaic(
        [
            ["whole", "whole", *(f"a{k}" for k in range(len(chosen)))],
            ["whole", "whole", *(f"b{k}" for k in range(len(chosen)))],
        ]
    )
    _draw_whole(panels["whole"], specimen, rows, number=int(rows.loc[chosen[0], "image"]))
    for k, (view, seen) in enumerate(zip(views, maps, strict=True)):
        grey = np.repeat(_middle(view)[..., :1], 3, axis=-1)
        panels[f"a{k}"].imshow(grey)
        panels[f"a{k}"].set_title(f"{rows.loc[chosen[k], 'score']:.2f}", fontsize=8)
        panels[f"b{k}"].imshow(glowing(grey, _middle(seen[..., None])[..., 0]))
    for panel in panels.values():
        panel.set_axis_off()
    figure.suptitle(f"{meaning}: the views most likely to show it", fontsize=9)
    figure.supxlabel(f"below: where the network finds the evidence\n{note}", fontsize=7)
    with replacing(path) as temporary:
        figure.savefig(temporary)
    return [path]


def _middle(view: np.ndarray) -> np.ndarray:
    """(y x c) of a view: its own, or that of the middle of a cine."""
    return np.asarray(view if view.ndim == 3 else view[len(view) // 2])


def _draw_whole(panel: Any, specimen: Specimen, rows: pd.DataFrame, *, number: int) -> None:
    clip = find_clips(specimen.path)[number - 1].read()
    down, across = millimetres(clip)
    own = rows[rows["image"] == number]
    panel.imshow(clip.grey[len(clip.grey) // 2], cmap="gray", vmin=0, vmax=255)
    panel.scatter(
        own["x_mm"] / across, own["y_mm"] / down, c=own["score"], cmap="inferno", vmin=0, vmax=1, s=16, alpha=0.8,
    )  # fmt: skip
    panel.set_title(f"image {number}, the score at each place", fontsize=8)
