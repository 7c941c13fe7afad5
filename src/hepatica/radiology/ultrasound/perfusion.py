"""Perfusion: how fast and how far contrast comes and goes in a lesion and in the liver around it."""

import numpy as np

NAMES = (
    "baseline", "peak", "seconds_to_peak", "wash_in", "wash_out", "area", "peak_above_liver", "end_above_liver",
)  # fmt: skip
"""Grey levels, seconds, and grey levels a second; `area` is the mean above the baseline."""


def time_intensity(cine: np.ndarray, *, lesion: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Features NAMES of a contrast cine (t y x) uint8 at times (t,), of a lesion (y x) bool and of what is around it.

    Wash-in is the rise from the baseline to the peak over its time, wash-out the fall from the peak to the end; 0 where
    the peak is the first or the last frame.
    """
    values = cine.reshape(len(cine), -1).astype(np.float32)
    around = ~lesion & (cine > 0).any(axis=0)
    inside = values[:, lesion.ravel()].mean(axis=1)
    liver = values[:, around.ravel()].mean(axis=1) if around.any() else np.zeros(len(cine))
    top = int(inside.argmax())
    rise, fall = seconds[top] - seconds[0], seconds[-1] - seconds[top]
    return np.array([
        inside[0],
        inside[top],
        rise,
        (inside[top] - inside[0]) / rise if rise > 0 else 0.0,
        (inside[top] - inside[-1]) / fall if fall > 0 else 0.0,
        (inside - inside[0]).mean(),
        inside[top] - liver[top],
        inside[-1] - liver[-1],
    ], np.float32)  # fmt: skip
