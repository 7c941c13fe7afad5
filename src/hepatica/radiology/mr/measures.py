"""Measures: what tells MR of the upper abdomen from other images: size and outline of the body, levels, structure."""

import numpy as np
from einops import reduce
from scipy import ndimage

from hepatica.cohort.texture import bands, coherence
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.mr.adc import normalised

SLICES, FINEST = 8, 3.0
"""Slices, evenly spread, that are measured, and mm of their pixels, made coarser to about this (ours)."""

SCALES = (1, 2, 4)
"""SD in such pixels at which structure is measured (ours)."""

TOLERANCES = {
    "body_cm2_log2": 1.0,
    "body_aspect_log2": 0.5,
    "body_share": 0.2,
    "level_low": 0.15,
    "level_middle": 0.2,
    **{f"structure_{scale}_px_log2": 1.0 for scale in SCALES},
    "coherence": 0.05,
}
"""How far studies of another hospital may lie beyond those of training (ours; docs/studies/applicability.md)."""


def measured(volume: Volume) -> dict[str, float]:
    """Numbers of one volume of MR signal, whose scale does not count: area of the body (log2 of cm2) and its width over
    its depth (log2), its share of the image, its lower quartile and median on a scale from its 1st to its 99th
    percentile, structure by scale (log2 of the SD on that scale) and coherence, 1 where all structure runs one way.
    """
    values, pixel = _coarser(normalised(volume))
    body = np.stack([skin(each) for each in values])
    inside = values[body] if body.any() else np.zeros(1, np.float32)
    sides = [np.ptp(np.argwhere(each), axis=0) + 1 for each in body if each.any()] or [np.ones(2)]
    down, across = np.median(sides, axis=0) * pixel
    shown = np.clip(values, 0, 1)
    kept = bands(shown, scales=SCALES)
    return {
        "body_cm2_log2": float(np.log2(max(np.median(body.sum(axis=(1, 2))) * np.prod(pixel) / 100, 1.0))),
        "body_aspect_log2": float(np.log2(across / down)),
        "body_share": float(body.mean()),
        "level_low": float(np.quantile(inside, 0.25)),
        "level_middle": float(np.median(inside)),
        **{f"structure_{s}_px_log2": float(np.log2(max(each[body].std(), 1e-4))) for s, each in kept.items()},
        "coherence": coherence(shown, scale=SCALES[1]),
    }


def _coarser(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """(n y x) float32: the slices that are measured, blocks of pixels averaged, and the mm of their pixels (y x)."""
    values, spacing = volume.values, np.array(volume.geometry.spacing[1:])
    down, across = (int(each) for each in np.maximum(np.rint(FINEST / spacing), 1))
    chosen = values[np.unique(np.linspace(0, len(values) - 1, min(SLICES, len(values))).astype(int))]
    cut = chosen[:, : values.shape[1] // down * down, : values.shape[2] // across * across]
    return reduce(cut, "n (y j) (x i) -> n y x", "mean", j=down, i=across), spacing * [down, across]


def skin(image: np.ndarray) -> np.ndarray:
    """Where the body is in a slice (y x) of MR: its largest bright part, filled; (y x) bool."""
    parts, count = ndimage.label(image > image.mean())
    if not count:
        return np.zeros(image.shape, bool)
    largest = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    return np.asarray(ndimage.binary_fill_holes(ndimage.binary_closing(largest, iterations=2)))
