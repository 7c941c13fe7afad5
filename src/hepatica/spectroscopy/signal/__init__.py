"""Signal: a spectrum, how it was acquired, its noise and its peaks."""

__all__ = ["acquisition", "header", "noise", "peaks", "raw", "resample", "spectrum", "targets", "wrapped"]
