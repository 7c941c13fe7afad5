"""Phantom: simulated cohorts of multi-phase abdominal CT, and lesions in real CT, whose truth is known."""

from hepatica.radiology.phantom.into_scan import lesions_into_scan
from hepatica.radiology.phantom.render import CT, phantom_ct
from hepatica.radiology.phantom.settings import PhantomSettings

__all__ = ["CT", "PhantomSettings", "lesions_into_scan", "phantom_ct"]
