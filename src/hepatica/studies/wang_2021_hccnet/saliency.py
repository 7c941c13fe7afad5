"""Saliency: whether NoduleNet responds to the nodule that an expert outlined, slice by slice."""

import numpy as np
import pandas as pd
from einops import reduce
from scipy.special import logit

from hepatica.cohort import RunError
from hepatica.radiology.slices import SliceStore
from hepatica.runs import LockedRun
from hepatica.saliency import dice_at, pointing

MOST_SLICES = 400
"""Slices of a cohort that are judged, evenly spread over those with an outlined nodule (ours)."""

_AT_ONCE = 32


def saliency_hits(locked: LockedRun, *, slices: SliceStore, regions: pd.DataFrame) -> pd.DataFrame:
    """One row a slice with an outlined nodule: where it is, whether it was found, how well its map meets the outline.

    Columns: patient_id, specimen_id, series, slice, phase; flagged: NoduleNet found it; share: of the slice that is
    nodule, which a blind guess would hit; pointing: 1 where the map's brightest place lies in the nodule, else 0; dice:
    of the nodule and as many of the brightest places. `regions` are the rows of `slices` as the model read them;
    RunError where they differ, because files have changed since.
    """
    _require_same(regions, slices.index)
    shown = np.flatnonzero(slices.index["nodule"].to_numpy() == 1)
    spread = shown[np.unique(np.linspace(0, len(shown) - 1, min(MOST_SLICES, len(shown))).round().astype(int))]
    outlines = slices.nodules(spread)
    seen = outlines.any(axis=(1, 2))  # a nodule may be too small for the pixels the network reads
    chosen, outlines = spread[seen], outlines[seen]
    maps = np.zeros(outlines.shape, np.float32)
    for start in range(0, len(chosen), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        maps[part] = locked.system.explain(locked.network, slices.read(chosen[part]))
    odds = regions["nodule_log_odds"].to_numpy()[chosen]
    return (
        slices.index.loc[chosen, ["patient_id", "specimen_id", "series", "slice", "phase"]]
        .assign(
            flagged=odds >= logit(locked.settings.nodule_probability),
            share=reduce(outlines.astype(float), "b y x -> b", "mean"),
            pointing=pointing(maps, outlines),
            dice=dice_at(maps, outlines),
        )
        .reset_index(drop=True)
    )


def _require_same(regions: pd.DataFrame, index: pd.DataFrame) -> None:
    place = ["specimen_id", "series", "slice"]
    if regions[place].to_numpy().tolist() != index[place].to_numpy().tolist():
        raise RunError(
            f"got {len(index)} slices where the model read {len(regions)}, or others: studies or masks have changed"
            " since; do the study in a new folder"
        )
