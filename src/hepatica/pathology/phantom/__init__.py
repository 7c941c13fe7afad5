"""Phantom: simulated cohorts of liver-tumour slides whose truth is known."""

from hepatica.pathology.phantom.layout import PhantomSettings
from hepatica.pathology.phantom.render import Slides, phantom_multiphoton, phantom_slides

__all__ = ["PhantomSettings", "Slides", "phantom_multiphoton", "phantom_slides"]
