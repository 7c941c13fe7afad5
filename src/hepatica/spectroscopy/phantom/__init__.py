"""Phantom: simulated cohorts of liver spectra of patients with cirrhosis, whose truth is known."""

from hepatica.spectroscopy.phantom.cohort import phantom_spectra
from hepatica.spectroscopy.phantom.settings import PhantomSettings

__all__ = ["PhantomSettings", "phantom_spectra"]
