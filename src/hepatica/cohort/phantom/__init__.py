"""Phantom: latent patients whose truth is known, one for all instruments; rooms render them in real formats."""

from hepatica.cohort.phantom.cohort import Job, Renderer, phantom_cohort, phantom_tables
from hepatica.cohort.phantom.folder import EndpointSet, Recipe
from hepatica.cohort.phantom.lesion import Features, Lesion
from hepatica.cohort.phantom.outcomes import ENDPOINTS
from hepatica.cohort.phantom.patient import Patient, draw_patients
from hepatica.cohort.phantom.population import (
    ABLATED,
    AT_RISK,
    BIOPSIED,
    CIRRHOSIS,
    FOCAL_LESIONS,
    HEPATITIS_B,
    LIVER_STATES,
    MVI,
    POPULATIONS,
    PRIMARY_CANCER,
    RESECTED,
    SCANNED_CIRRHOSIS,
    SCREENED,
    SEQUENCED,
    SURVEILLANCE,
    SUSPECTED,
    TACE,
    TRANSPLANTED,
    TREATED_HEPATITIS_B,
    TYPICAL_LESIONS,
    WATCHED_CIRRHOSIS,
    Population,
)
from hepatica.cohort.phantom.readers import outlined
from hepatica.cohort.phantom.tables import patient_table, truth_table
from hepatica.cohort.phantom.tumour import Tumour

__all__ = [
    "ABLATED",
    "AT_RISK",
    "BIOPSIED",
    "CIRRHOSIS",
    "ENDPOINTS",
    "FOCAL_LESIONS",
    "HEPATITIS_B",
    "LIVER_STATES",
    "MVI",
    "POPULATIONS",
    "PRIMARY_CANCER",
    "RESECTED",
    "SCANNED_CIRRHOSIS",
    "SCREENED",
    "SEQUENCED",
    "SURVEILLANCE",
    "SUSPECTED",
    "TACE",
    "TRANSPLANTED",
    "TREATED_HEPATITIS_B",
    "TYPICAL_LESIONS",
    "WATCHED_CIRRHOSIS",
    "EndpointSet",
    "Features",
    "Job",
    "Lesion",
    "Patient",
    "Population",
    "Recipe",
    "Renderer",
    "Tumour",
    "draw_patients",
    "outlined",
    "patient_table",
    "phantom_cohort",
    "phantom_tables",
    "truth_table",
]
