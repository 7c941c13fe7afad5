"""Measures: what tells ultrasound of a liver from other images: depth, brightness by depth, and structure by scale."""

import numpy as np

from hepatica.cohort.texture import bands, coherence
from hepatica.radiology.ultrasound.clips import Clip
from hepatica.radiology.ultrasound.views import millimetres, resized

FINEST_MM = 0.5
"""Pixels on which structure is measured (ours)."""

SCALES = (1, 2, 4)
"""SD in such pixels at which it is (ours)."""

TOLERANCES = {
    "depth_mm": 30.0,
    "megahertz": 1.5,
    "level_low": 30.0,
    "level_middle": 40.0,
    "level_fall": 30.0,
    **{f"structure_{scale}_px_log2": 1.0 for scale in SCALES},
    "coherence": 0.1,
}
"""How far studies of another hospital may lie beyond those of training (ours)."""


def measured(clip: Clip) -> dict[str, float]:
    """Numbers of one image: depth of the tissue (mm), frequency of the probe (MHz, missing where not said), lower
    quartile and median of the grey levels, how much darker the lower half is, structure by scale (log2 of the SD in
    grey levels) and coherence.
    """
    mm, dataset = millimetres(clip), clip.file.dataset
    grey = resized(clip.grey[0], mm=mm, to_mm=FINEST_MM).astype(np.float32)
    seen = resized(clip.seen.astype(np.uint8), mm=mm, to_mm=FINEST_MM, smooth=False) > 0
    rows = np.flatnonzero(seen.any(axis=1))
    if not rows.size:
        return {}
    middle, kilohertz = int(rows.mean()), dataset.get("TransducerFrequency") if dataset is not None else None
    halves = [np.median(grey[part][seen[part]]) for part in (slice(None, middle), slice(middle, None))]
    kept = bands(grey[None], scales=SCALES)
    return {
        "depth_mm": float((np.ptp(rows) + 1) * FINEST_MM),
        "megahertz": float(kilohertz) / 1000 if kilohertz else np.nan,
        "level_low": float(np.quantile(grey[seen], 0.25)),
        "level_middle": float(np.median(grey[seen])),
        "level_fall": float(halves[0] - halves[1]),
        **{f"structure_{s}_px_log2": float(np.log2(max(each[0][seen].std(), 0.1))) for s, each in kept.items()},
        "coherence": coherence(grey[None], scale=SCALES[1]),
    }
