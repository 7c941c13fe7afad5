"""Cohorts: the spectra of a cohort as a store that networks read, and pictures of them."""

__all__ = ["fit_priors", "millimolar", "spectra", "spectrum_picture"]
