"""Preprocessing: from raw transients to one spectrum that can be fitted."""

__all__ = ["eddy_current", "orientation", "ppm_align", "preprocess", "quality", "transients", "water_removal"]
