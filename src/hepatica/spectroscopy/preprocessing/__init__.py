"""Preprocessing: from raw transients to one spectrum that can be fitted."""

__all__ = [
    "coils",
    "eddy_current",
    "orientation",
    "phase",
    "ppm_align",
    "preprocess",
    "quality",
    "swap",
    "transients",
    "water_removal",
]
