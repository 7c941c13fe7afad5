"""Phantom: simulated cohorts of multi-phase abdominal CT whose truth is known."""

from hepatica.radiology.phantom.cohort import phantom_ct
from hepatica.radiology.phantom.settings import PhantomSettings

__all__ = ["PhantomSettings", "phantom_ct"]
