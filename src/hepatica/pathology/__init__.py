"""Pathology: H&E slides, from files of scanners to stain-normalised tissue tiles."""
