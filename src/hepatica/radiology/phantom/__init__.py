"""Phantom: simulated cohorts of abdominal CT and MR, and lesions in real CT, whose truth is known."""

from hepatica.radiology.phantom.into_scan import lesions_into_scan
from hepatica.radiology.phantom.mr import MR, phantom_mr
from hepatica.radiology.phantom.render import CT, phantom_ct
from hepatica.radiology.phantom.scanner import PhantomSettings

__all__ = ["CT", "MR", "PhantomSettings", "lesions_into_scan", "phantom_ct", "phantom_mr"]
