"""Signal: a spectrum, how it was acquired, its noise and its peaks."""

__all__ = ["acquisition", "header", "peaks", "resample", "spectrum", "targets"]
