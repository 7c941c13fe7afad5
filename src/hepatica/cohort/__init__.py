"""Cohort: patients, specimens, endpoints, splits and predictions; the foundation of every other package."""

from hepatica.cohort.confidence import RATIOS, confident_patients, distinct_outcomes
from hepatica.cohort.endpoints import (
    Classes,
    Endpoint,
    LesionClasses,
    Measured,
    Outlined,
    Status,
    TimeToEvent,
    declared,
)
from hepatica.cohort.errors import (
    CohortError,
    EvaluationError,
    HepaticaError,
    NotAssessableError,
    RunError,
    SettingsError,
    SpecimenError,
    UnavailableError,
)
from hepatica.cohort.predictions import (
    class_scores,
    lesion_scores,
    mean_by_patient,
    patient_scores,
    read_predictions,
    targets,
    write_predictions,
)
from hepatica.cohort.preparation import Ledger
from hepatica.cohort.specimens import Specimen
from hepatica.cohort.splits import Split, fold_patients, refuse_overlap, split_patients
from hepatica.cohort.table import Cohort, load_cohort
from hepatica.cohort.tasks import Binary, Margin, MultiClass, Quantities, Segmentation, Subtypes, Survival, Target, Task
from hepatica.cohort.units import Microns, MicronsPerPixel, Months, SlidePixels, TilePixels

__all__ = [
    "RATIOS",
    "Binary",
    "Classes",
    "Cohort",
    "CohortError",
    "Endpoint",
    "EvaluationError",
    "HepaticaError",
    "Ledger",
    "LesionClasses",
    "Margin",
    "Measured",
    "Microns",
    "MicronsPerPixel",
    "Months",
    "MultiClass",
    "NotAssessableError",
    "Outlined",
    "Quantities",
    "RunError",
    "Segmentation",
    "SettingsError",
    "SlidePixels",
    "Specimen",
    "SpecimenError",
    "Split",
    "Status",
    "Subtypes",
    "Survival",
    "Target",
    "Task",
    "TilePixels",
    "TimeToEvent",
    "UnavailableError",
    "class_scores",
    "confident_patients",
    "declared",
    "distinct_outcomes",
    "fold_patients",
    "lesion_scores",
    "load_cohort",
    "mean_by_patient",
    "patient_scores",
    "read_predictions",
    "refuse_overlap",
    "split_patients",
    "targets",
    "write_predictions",
]
