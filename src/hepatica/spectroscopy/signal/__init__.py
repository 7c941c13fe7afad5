"""Signal: a spectrum, how it was acquired, its noise and its peaks."""

__all__ = ["acquisition", "header", "noise", "peaks", "resample", "spectrum", "targets"]
