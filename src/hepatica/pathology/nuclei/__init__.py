"""Nuclei: found on H&E, parted, measured, classed and counted; networks for them trained and compared."""
