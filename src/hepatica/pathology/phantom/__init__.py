"""Phantom: simulated cohorts of liver-tumour slides whose truth is known."""

from hepatica.pathology.phantom.cohort import phantom_slides
from hepatica.pathology.phantom.settings import PhantomSettings

__all__ = ["PhantomSettings", "phantom_slides"]
