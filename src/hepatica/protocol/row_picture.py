"""Row picture: one patient's values among those of the others, and how far each moves the score."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.protocol.rows import RowStore

MOVES = "#d55e00"
MOST = 30
"""Values drawn at most, the one that moves the score most first; those that do not move it are left out. Ours."""


def draw_row(
    specimen: Specimen,
    *,
    material: RowStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write a bar a column (`_values.png`): how far the score moves when that value is taken for missing.

    `regions` is the patient's row with its score; `note` is printed on the picture, `meaning` says what is scored.
    """
    path = stem.with_name(f"{stem.name}_values.png")
    own = material.select(specimen_ids=[specimen.specimen_id])
    row = own.read(np.arange(1))
    (moved,) = saliency(row)
    order = np.argsort(-moved, kind="stable")[:MOST]
    drawn = order[: max(int((moved[order] > 0).sum()), 1)]
    names = [f"{material.columns[place]} = {row[0, place]:.3g}" for place in drawn]
    figure = Figure(figsize=(6.4, 0.32 * len(names) + 1.2), dpi=150, layout="constrained")
    axes = figure.subplots()
    axes.barh(names[::-1], moved[drawn][::-1], color=MOVES)
    axes.set_xlim(0, 1.02)
    axes.set_title(f"{meaning}: {float(regions['score'].iloc[0]):.2f}", loc="left", fontsize=9)
    axes.set_xlabel(f"Change in score if the value is missing, relative to the largest\n{note}", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return saved(figure, path)


def saved(figure: Figure, path: Path) -> list[Path]:
    """Write a figure, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary)
    return [path]
