"""Binary: statistics of scores against a yes-or-no outcome."""

__all__ = [
    "balance",
    "binary",
    "calibration",
    "confusion",
    "discrimination",
    "over_folds",
    "paired",
    "recalibration",
    "temperature",
    "time_dependent",
]
