"""Binary: statistics of scores against a yes-or-no outcome."""

__all__ = [
    "binary",
    "calibration",
    "confusion",
    "discrimination",
    "lead_time",
    "over_folds",
    "paired",
    "recalibration",
]
