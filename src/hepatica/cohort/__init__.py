"""Cohort: patients, specimens, endpoints, splits and predictions; the floor every other room stands on."""

from hepatica.cohort.confidence import RATIOS, confident_patients
from hepatica.cohort.endpoints import Diagnosis, Endpoint, Target, declared
from hepatica.cohort.errors import (
    CohortError,
    EvaluationError,
    HepaticaError,
    RunError,
    SettingsError,
    SpecimenError,
    UnavailableError,
)
from hepatica.cohort.ledger import Ledger
from hepatica.cohort.predictions import mean_by_patient, patient_scores, read_predictions, targets, write_predictions
from hepatica.cohort.splits import Split, fold_patients, refuse_overlap, split_patients
from hepatica.cohort.table import Cohort, Specimen, load_cohort
from hepatica.cohort.units import Microns, MicronsPerPixel, Months, SlidePixels, TilePixels

__all__ = [
    "RATIOS",
    "Cohort",
    "CohortError",
    "Diagnosis",
    "Endpoint",
    "EvaluationError",
    "HepaticaError",
    "Ledger",
    "Microns",
    "MicronsPerPixel",
    "Months",
    "RunError",
    "SettingsError",
    "SlidePixels",
    "Specimen",
    "SpecimenError",
    "Split",
    "Target",
    "TilePixels",
    "UnavailableError",
    "confident_patients",
    "declared",
    "fold_patients",
    "load_cohort",
    "mean_by_patient",
    "patient_scores",
    "read_predictions",
    "refuse_overlap",
    "split_patients",
    "targets",
    "write_predictions",
]
