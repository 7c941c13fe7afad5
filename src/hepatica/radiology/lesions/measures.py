"""Measures: what tells lesions from others: their size, and how bright they and what is around them are."""

import numpy as np
import pandas as pd

from hepatica.radiology.lesions.crops import LESION
from hepatica.radiology.lesions.store import LesionStore
from hepatica.radiology.mr import measures as of_mr

PHASES = 4
"""Phases that are measured, the first ones; fewer where a system reads fewer."""

TOLERANCES = {
    "diameter_mm_log2": 1.0,
    **{f"phase_{number}_{part}_hu": 40.0 for number in range(1, PHASES + 1) for part in ("lesion", "around")},
    **of_mr.TOLERANCES,
}
"""How far studies of another hospital may lie beyond those of training (ours)."""


def measure(store: LesionStore) -> pd.DataFrame:
    """One row a study, by specimen_id: units, log2 of the mean diameter in mm, and in HU the median of lesion and of
    what is around it within its crop, in each of the first PHASES that are read, of its first crop; of MR, whose signal
    has no such scale, what `mr.measures` tells of the whole image.
    """
    studies = store.specimens.set_index("specimen_id")
    units, whole = studies["units"], studies.reindex(columns=list(of_mr.TOLERANCES))
    rows = {}
    for name, own in store.index.groupby("specimen_id", sort=False):
        size = {"diameter_mm_log2": float(np.log2(max(own["diameter_mm"].mean(), 0.1)))}
        rows[name] = size | (
            _levels(store, int(own.index[0])) if units[str(name)] == "HU" else whole.loc[str(name)].to_dict()
        )
    found = pd.DataFrame.from_dict(rows, orient="index", columns=list(TOLERANCES)).rename_axis("specimen_id")
    return found.dropna(axis="columns", how="all").assign(units=units)


def _levels(store: LesionStore, row: int) -> dict[str, float]:
    values, marked = store.stored(np.array([row]))[0], store.masks(np.array([row]))[0]
    parts = {"lesion": marked == LESION, "around": marked == 0}
    return {
        f"phase_{number}_{part}_hu": float(np.median(phase[where])) if where.any() else np.nan
        for number, phase in enumerate(values[:PHASES], start=1)
        for part, where in parts.items()
    }
