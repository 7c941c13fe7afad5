"""Measures: what tells CT of the upper abdomen from other images: tissues by their HU, and structure."""

import numpy as np
import pandas as pd

from hepatica.cohort.texture import bands, coherence
from hepatica.radiology.slices import SliceStore

SLICES = 12
"""Slices, evenly spread over a study's, that are measured (ours)."""

SCALES = (1, 2, 4)
"""SD in pixels of a resampled slice at which structure is measured (ours)."""

BODY_HU = -300
"""What is denser is patient or table (ours)."""

TISSUES = {"fat": (-150, -30), "water": (-30, 20), "soft_tissue": (20, 90), "enhanced": (90, 250), "bone": (250, 3000)}
"""HU from and up to which a pixel counts as each (ours)."""

TOLERANCES = {
    "body_share": 0.15,
    **{f"{tissue}_share": 0.05 if tissue == "bone" else 0.15 for tissue in TISSUES},
    "body_median_hu": 30.0,
    **{f"structure_{scale}_px_log2": 1.0 for scale in SCALES},
    "coherence": 0.05,
}
"""How far studies of another hospital may lie beyond those of training (ours; docs/studies/applicability.md)."""


def measure(store: SliceStore) -> pd.DataFrame:
    """One row a study, by specimen_id: units (HU, or grey of a picture) and, of HU, the share of the image that is body
    and of the body that is each tissue, the body's median, structure by scale (log2 of the SD in HU of what a filter
    keeps within -150 to 250 HU) and coherence, 1 where all structure runs one way.
    """
    units = store.specimens.set_index("specimen_id")["units"]
    places = store.index.reset_index().groupby("specimen_id", sort=False)["index"]
    rows = {
        name: _measured(store.stored(_spread(own.to_numpy())).astype(np.float32)) if units[name] == "HU" else {}
        for name, own in places
    }
    found = pd.DataFrame.from_dict(rows, orient="index", columns=list(TOLERANCES)).rename_axis("specimen_id")
    return found.assign(units=units)


def _spread(places: np.ndarray) -> np.ndarray:
    return np.asarray(places[np.linspace(0, len(places) - 1, min(SLICES, len(places))).astype(int)])


def _measured(values: np.ndarray) -> dict[str, float]:
    body = values > BODY_HU
    inside = values[body] if body.any() else np.zeros(1, np.float32)
    shown = np.clip(values, -150, 250)
    kept = bands(shown, scales=SCALES)
    return {
        "body_share": float(body.mean()),
        **{f"{name}_share": float(((inside >= low) & (inside < high)).mean()) for name, (low, high) in TISSUES.items()},
        "body_median_hu": float(np.median(inside)),
        **{
            f"structure_{scale}_px_log2": float(np.log2(max(band[body].std() if body.any() else 0, 0.01)))
            for scale, band in kept.items()
        },
        "coherence": coherence(shown, scale=SCALES[1]),
    }
