"""Measures: what tells MR of the upper abdomen from other images: size and outline of the body, levels, structure."""

import numpy as np
from scipy import ndimage

from hepatica.cohort.texture import bands, coherence
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.mr.signal import normalised

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
    values = _coarser(normalised(volume))
    body = np.stack([_body(each) for each in values])
    inside = values[body] if body.any() else np.zeros(1, np.float32)
    sides = [np.ptp(np.argwhere(each), axis=0) + 1 for each in body if each.any()] or [np.ones(2)]
    down, across = np.median(sides, axis=0) * [_step(volume, axis) for axis in (1, 2)]
    area = np.median(body.sum(axis=(1, 2))) * _step(volume, 1) * _step(volume, 2) / 100
    shown = np.clip(values, 0, 1)
    kept = bands(shown, scales=SCALES)
    return {
        "body_cm2_log2": float(np.log2(max(area, 1.0))),
        "body_aspect_log2": float(np.log2(across / down)),
        "body_share": float(body.mean()),
        "level_low": float(np.quantile(inside, 0.25)),
        "level_middle": float(np.median(inside)),
        **{f"structure_{s}_px_log2": float(np.log2(max(each[body].std(), 1e-4))) for s, each in kept.items()},
        "coherence": coherence(shown, scale=SCALES[1]),
    }


def _factor(volume: Volume, axis: int) -> int:
    return max(1, round(FINEST / volume.geometry.spacing[axis]))


def _step(volume: Volume, axis: int) -> float:
    """mm of a pixel once it is coarser."""
    return _factor(volume, axis) * volume.geometry.spacing[axis]


def _coarser(volume: Volume) -> np.ndarray:
    """(n y x) float32: the slices that are measured, blocks of pixels averaged."""
    count = len(volume.values)
    chosen = np.unique(np.linspace(0, count - 1, min(SLICES, count)).astype(int))
    factors = [_factor(volume, 1), _factor(volume, 2)]
    rows, columns = ((side // each) * each for side, each in zip(volume.values.shape[1:], factors, strict=True))
    cut = volume.values[chosen, :rows, :columns]
    shape = (len(chosen), rows // factors[0], factors[0], columns // factors[1], factors[1])
    return np.asarray(cut.reshape(shape).mean(axis=(2, 4)))


def _body(image: np.ndarray) -> np.ndarray:
    """The largest bright part of a slice, filled."""
    parts, count = ndimage.label(image > image.mean())
    if not count:
        return np.zeros(image.shape, bool)
    largest = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    return np.asarray(ndimage.binary_fill_holes(ndimage.binary_closing(largest, iterations=2)))
