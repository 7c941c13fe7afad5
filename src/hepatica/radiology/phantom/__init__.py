"""Phantom: simulated cohorts of abdominal CT, MR and ultrasound, and lesions in real CT, whose truth is known."""

from hepatica.radiology.phantom.into_scan import lesions_into_scan
from hepatica.radiology.phantom.mr import MR, phantom_mr
from hepatica.radiology.phantom.render import CT, phantom_ct
from hepatica.radiology.phantom.scanner import PhantomSettings
from hepatica.radiology.phantom.ultrasound import Ultrasound, UltrasoundSettings, phantom_ultrasound

__all__ = [
    "CT",
    "MR",
    "PhantomSettings",
    "Ultrasound",
    "UltrasoundSettings",
    "lesions_into_scan",
    "phantom_ct",
    "phantom_mr",
    "phantom_ultrasound",
]
