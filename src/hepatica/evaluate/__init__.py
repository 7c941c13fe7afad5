"""Evaluate: numbers with intervals, from anybody's table of outcomes and scores."""

from hepatica.evaluate.binary import binary_metrics
from hepatica.evaluate.calibration import (
    CalibrationGroup,
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
)
from hepatica.evaluate.concordance import c_index, compare_c_index
from hepatica.evaluate.confusion import (
    Confusion,
    accuracy,
    confusion,
    f1,
    kappa,
    npv,
    ppv,
    sensitivity,
    specificity,
)
from hepatica.evaluate.cox import HazardRatio, cox, cox_each
from hepatica.evaluate.discrimination import auroc, average_precision, compare_auroc
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Risk, risk_of_survival
from hepatica.evaluate.kaplan_meier import KaplanMeier, kaplan_meier, log_rank_p
from hepatica.evaluate.scored_table import read_binary, read_survival
from hepatica.evaluate.survival import survival_metrics
from hepatica.evaluate.time_dependent import time_dependent_auroc

__all__ = [
    "CalibrationGroup",
    "Comparison",
    "Confusion",
    "Estimate",
    "HazardRatio",
    "KaplanMeier",
    "Risk",
    "accuracy",
    "auroc",
    "average_precision",
    "binary_metrics",
    "brier",
    "c_index",
    "calibration_curve",
    "calibration_intercept",
    "calibration_slope",
    "compare_auroc",
    "compare_c_index",
    "confusion",
    "cox",
    "cox_each",
    "f1",
    "kaplan_meier",
    "kappa",
    "log_rank_p",
    "npv",
    "ppv",
    "read_binary",
    "read_survival",
    "risk_of_survival",
    "sensitivity",
    "specificity",
    "survival_metrics",
    "time_dependent_auroc",
]
