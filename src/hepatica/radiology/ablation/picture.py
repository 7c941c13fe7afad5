"""Picture: the surface of a tumour, coloured by how far the ablation zone reaches beyond it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from scipy import ndimage

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.radiology.ablation.margin import WIDEST_MM, Surface
from hepatica.radiology.ablation.store import PairStore

_VIEWS = {"from the front": (0, -90), "from the left": (0, 0), "from the feet": (-90, -90)}
_STEPS_MM = (0, 2.5, 5, 7.5, 10)  # ours: 5 mm is what papers ask for


def draw_margin(
    specimen: Specimen,
    *,
    material: PairStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write `_margin.png`: the tumour's surface from three sides, each place in the colour of its margin, and the file.

    `regions` has the margin of this pair (score, mm); `note` is printed, `meaning` says what is measured.
    """
    own = material.select(specimen_ids=[specimen.specimen_id])
    pair = own.read(np.arange(1))
    (narrow,) = saliency(pair)
    points, faces = Surface(share=pair[0, ..., 2], spacing=own.spacing).triangles
    voxel = (points / np.array(own.spacing)).T
    # The map lies on the voxels nearest to the surface: each point takes the narrowest beside it.
    shown = ndimage.map_coordinates(ndimage.maximum_filter(narrow, 2), voxel, order=0)
    mm = WIDEST_MM * (1 - shown[faces].mean(axis=1))
    figure = Figure(figsize=(9.5, 4.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    colours = ScalarMappable(norm=BoundaryNorm(_STEPS_MM, 256, extend="max"), cmap="RdYlGn")
    panels = []
    for number, (name, (up, around)) in enumerate(_VIEWS.items(), start=1):
        axes = figure.add_subplot(1, 3, number, projection="3d", proj_type="ortho")
        corners = points[faces][..., ::-1]  # x to the left, y to the back, z to the head
        axes.add_collection3d(Poly3DCollection(corners, facecolors=colours.to_rgba(mm), edgecolors="none"))
        low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
        middle, reach = (low + high) / 2, (high - low).max() / 2
        axes.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach),
                 zlim=(middle[2] - reach, middle[2] + reach), title=name)  # fmt: skip
        axes.view_init(elev=up, azim=around)
        axes.set_axis_off()
        panels.append(axes)
    figure.colorbar(colours, ax=panels, label="margin, mm", shrink=0.7, ticks=_STEPS_MM)
    figure.suptitle(f"{meaning}: {regions['score'].iloc[0]:.1f} mm at the least", fontsize=10)
    figure.supxlabel(note, fontsize=7)
    path = stem.with_name(f"{stem.name}_margin.png")
    with replacing(path) as temporary:
        figure.savefig(temporary)
    return [path]
