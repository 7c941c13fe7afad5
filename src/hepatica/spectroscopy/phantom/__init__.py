"""Phantom: simulated cohorts of liver spectra of patients with cirrhosis, whose truth is known."""

from hepatica.spectroscopy.phantom.render import Spectra, phantom_spectra
from hepatica.spectroscopy.phantom.settings import PhantomSettings

__all__ = ["PhantomSettings", "Spectra", "phantom_spectra"]
