"""Spectroscopy: 1H-MR spectra of the liver, from files of scanners to spectra of one acquisition."""
