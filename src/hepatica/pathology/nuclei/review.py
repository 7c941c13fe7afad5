"""Review: what the tiles that speak most and least for a high score look like, counted instead of described.

Liu 2022 (doi 10.1007/s12072-022-10321-y) had pathologists look at them, and reports stroma, cytological atypia, nuclear
hyperchromasia and few immune cells where recurrence was predicted.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hepatica.cohort.atomic import replacing
from hepatica.pathology.nuclei.finder import Finder
from hepatica.pathology.nuclei.profile import nuclei_of_tiles
from hepatica.pathology.store import TileStore

FINDINGS: Mapping[str, str] = {
    "stroma": "Stromal nuclei per mm²",
    "nuclear_size": "Atypia: mean area of parenchymal nuclei, µm²",
    "nuclear_variation": "Atypia: variation of that area (SD over mean)",
    "hyperchromasia": "Hyperchromasia: haematoxylin of parenchymal nuclei",
    "immune_cells": "Immune cells: lymphocytes per mm²",
}
"""What is counted in a tile; concentrations are those of `stains`."""

SHOWN = 8
"""Tiles of a row of the contact sheet (ours)."""


def extremes(regions: pd.DataFrame) -> pd.DataFrame:
    """The tile of highest and that of lowest score of each patient with several: row (of `regions`) and `end`, high or
    low. One of each a patient, so that tests count patients.
    """
    several = regions.groupby("patient_id")["score"].transform("size") > 1
    by_patient = regions[several].groupby("patient_id")["score"]
    ends = {"high": by_patient.idxmax(), "low": by_patient.idxmin()}
    return pd.concat([regions.loc[rows].assign(row=rows.to_numpy(), end=end) for end, rows in ends.items()])


def review(tiles: TileStore, regions: pd.DataFrame, finder: Finder) -> pd.DataFrame:
    """`extremes` with FINDINGS of each; `regions` are the scored tiles in the order of `tiles`. NaN without nuclei."""
    chosen = extremes(regions.reset_index(drop=True)).reset_index(drop=True)
    nuclei = nuclei_of_tiles(picked(tiles, chosen["row"].to_numpy()), finder)
    mm2 = (tiles.side * finder.mpp / 1000) ** 2
    found = pd.DataFrame({row: _findings(own, mm2) for row, own in nuclei.groupby("region")}).T
    counts = found.reindex(columns=[*FINDINGS], index=range(len(chosen))).astype(float)
    empty = {"stroma": 0.0, "immune_cells": 0.0}
    return chosen.join(counts.fillna(empty))


def picked(tiles: TileStore, rows: np.ndarray) -> TileStore:
    """A store of these rows alone, in this order."""
    return replace(tiles, index=tiles.index.loc[rows].reset_index(drop=True))


def _findings(nuclei: pd.DataFrame, mm2: float) -> dict[str, float]:
    whole = nuclei[nuclei["whole"].astype(bool) & (nuclei["kind"] == "parenchymal")]
    size = whole["area_um2"].astype(float)
    return {
        "stroma": (nuclei["kind"] == "stromal").sum() / mm2,
        "nuclear_size": size.mean(),
        "nuclear_variation": size.std(ddof=0) / size.mean() if len(size) > 2 else np.nan,
        "hyperchromasia": whole["haematoxylin_mean"].astype(float).mean(),
        "immune_cells": (nuclei["kind"] == "lymphocyte").sum() / mm2,
    }


def contact_sheet(tiles: TileStore, reviewed: pd.DataFrame, *, path: Path, note: str, meaning: str) -> None:
    """Draw the tiles of the highest scores above, and of the lowest below, one a patient each."""
    high = reviewed[reviewed["end"] == "high"].nlargest(SHOWN, "score")
    low = reviewed[reviewed["end"] == "low"].nsmallest(SHOWN, "score")
    figure = Figure(figsize=(1.25 * SHOWN, 3.3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1)
    for part, rows, name in zip(parts, (high, low), ("highest", "lowest"), strict=True):
        part.suptitle(f"{meaning}: {name} tiles, one of each patient", fontsize=8)
        panels = part.subplots(1, SHOWN)
        for axes, image in zip(panels, tiles.read(rows["row"].to_numpy()), strict=False):
            axes.imshow(image)
        for axes in panels:
            axes.set_axis_off()
    figure.supxlabel(note, fontsize=7)
    with replacing(path) as temporary:
        figure.savefig(temporary)
