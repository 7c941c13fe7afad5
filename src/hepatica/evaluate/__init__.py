"""Evaluate: numbers with intervals, from anybody's table of outcomes and scores."""

from hepatica.evaluate.binary import binary_metrics
from hepatica.evaluate.calibration import (
    CalibrationGroup,
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
)
from hepatica.evaluate.case_mix import rate_difference, standardised_difference
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
from hepatica.evaluate.contingency import Contingency, compare_shares
from hepatica.evaluate.correlation import Correlation, pearson
from hepatica.evaluate.cox import HazardRatio, cox, cox_each
from hepatica.evaluate.discrimination import auroc, average_precision, compare_auroc
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.heterogeneity import heterogeneity_p
from hepatica.evaluate.inputs import Risk, risk_of_survival
from hepatica.evaluate.interaction import Interaction, treatment_interaction
from hepatica.evaluate.kaplan_meier import KaplanMeier, kaplan_meier, log_rank_p
from hepatica.evaluate.logistic import LogisticRisk, fit_logistic
from hepatica.evaluate.over_folds import auroc_over_folds, compare_auroc_over_folds
from hepatica.evaluate.paired import compare_paired
from hepatica.evaluate.recalibration import Recalibration, recalibrate
from hepatica.evaluate.regression import Line, linear
from hepatica.evaluate.scored_table import read_binary, read_survival
from hepatica.evaluate.survival import survival_metrics
from hepatica.evaluate.time_dependent import time_dependent_auroc
from hepatica.evaluate.two_groups import GroupComparison, compare_groups

__all__ = [
    "CalibrationGroup",
    "Comparison",
    "Confusion",
    "Contingency",
    "Correlation",
    "Estimate",
    "GroupComparison",
    "HazardRatio",
    "Interaction",
    "KaplanMeier",
    "Line",
    "LogisticRisk",
    "Recalibration",
    "Risk",
    "accuracy",
    "auroc",
    "auroc_over_folds",
    "average_precision",
    "binary_metrics",
    "brier",
    "c_index",
    "calibration_curve",
    "calibration_intercept",
    "calibration_slope",
    "compare_auroc",
    "compare_auroc_over_folds",
    "compare_c_index",
    "compare_groups",
    "compare_paired",
    "compare_shares",
    "confusion",
    "cox",
    "cox_each",
    "f1",
    "fit_logistic",
    "heterogeneity_p",
    "kaplan_meier",
    "kappa",
    "linear",
    "log_rank_p",
    "npv",
    "pearson",
    "ppv",
    "rate_difference",
    "read_binary",
    "read_survival",
    "recalibrate",
    "risk_of_survival",
    "sensitivity",
    "specificity",
    "standardised_difference",
    "survival_metrics",
    "time_dependent_auroc",
    "treatment_interaction",
]
