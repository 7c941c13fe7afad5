"""Evaluate: numbers with intervals, from anybody's table of outcomes and scores."""

from hepatica.evaluate.audit.audit import audit
from hepatica.evaluate.audit.findings import Finding
from hepatica.evaluate.binary.binary import binary_metrics
from hepatica.evaluate.binary.calibration import (
    CalibrationGroup,
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    net_benefit,
    observed_to_expected,
)
from hepatica.evaluate.binary.confusion import (
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
from hepatica.evaluate.binary.discrimination import auroc, average_precision, compare_auroc
from hepatica.evaluate.binary.over_folds import auroc_over_folds, compare_auroc_over_folds
from hepatica.evaluate.binary.paired import compare_paired
from hepatica.evaluate.binary.recalibration import (
    Recalibration,
    expected_calibration_error,
    fit_temperature,
    recalibrate,
)
from hepatica.evaluate.binary.risk_capture import RiskCapture, risk_capture
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.groups.agreement import intraclass_correlation, quantity_metrics
from hepatica.evaluate.groups.case_mix import missing_patterns, missing_shares, rate_difference, standardised_difference
from hepatica.evaluate.groups.consensus import cluster_stability
from hepatica.evaluate.groups.contingency import Contingency, compare_shares, mcnemar_p
from hepatica.evaluate.groups.correlation import Correlation, Line, linear, pearson
from hepatica.evaluate.groups.permutation import (
    Null,
    Power,
    permutation_null,
    permutation_p,
    power_curve,
    power_of_calls,
)
from hepatica.evaluate.groups.subgroups import Subgroup, by_subgroup
from hepatica.evaluate.groups.two_groups import GroupComparison, compare_groups
from hepatica.evaluate.inputs import Risk, risk_of_survival
from hepatica.evaluate.models.discriminant import Discriminant, fit_discriminant
from hepatica.evaluate.models.imputation import Imputation, complete_by_fold, fit_imputation, pool, pooled_cox
from hepatica.evaluate.models.logistic import LogisticRisk, fit_logistic
from hepatica.evaluate.models.nomogram import Nomogram, cox_nomogram, logistic_nomogram
from hepatica.evaluate.multiclass.metrics import multiclass_metrics
from hepatica.evaluate.observed import Observed, Outcome, at_horizon
from hepatica.evaluate.readers.fleiss import Agreement, fleiss_kappa
from hepatica.evaluate.readers.multi_reader import Readings, auroc_readings, over_readers, rate_readings
from hepatica.evaluate.readers.reader_table import ReaderTable, Reading, read_readers
from hepatica.evaluate.readers.readers import ReaderStudy, study_readers, t_over_readers
from hepatica.evaluate.sample_size import needed_to_develop, needed_to_develop_survival, needed_to_validate
from hepatica.evaluate.scored_table import read_binary, read_survival
from hepatica.evaluate.segmentation.cases import measure_case, segmentation_metrics
from hepatica.evaluate.segmentation.lesions import detections, froc
from hepatica.evaluate.segmentation.overlap import mask_pair
from hepatica.evaluate.survival.competing import (
    CumulativeIncidence,
    cause_specific,
    cumulative_incidence,
    fine_gray,
)
from hepatica.evaluate.survival.concordance import c_index, compare_c_index
from hepatica.evaluate.survival.cox import HazardRatio, cox, cox_each
from hepatica.evaluate.survival.interaction import Interaction, heterogeneity_p, treatment_interaction
from hepatica.evaluate.survival.kaplan_meier import KaplanMeier, kaplan_meier, log_rank_p
from hepatica.evaluate.survival.over_time import cox_over_time, risk_intervals
from hepatica.evaluate.survival.survival import survival_metrics

__all__ = [
    "Agreement",
    "CalibrationGroup",
    "Comparison",
    "Confusion",
    "Contingency",
    "Correlation",
    "CumulativeIncidence",
    "Discriminant",
    "Estimate",
    "Finding",
    "GroupComparison",
    "HazardRatio",
    "Imputation",
    "Interaction",
    "KaplanMeier",
    "Line",
    "LogisticRisk",
    "Nomogram",
    "Null",
    "Observed",
    "Outcome",
    "Power",
    "ReaderStudy",
    "ReaderTable",
    "Reading",
    "Readings",
    "Recalibration",
    "Risk",
    "RiskCapture",
    "Subgroup",
    "accuracy",
    "at_horizon",
    "audit",
    "auroc",
    "auroc_over_folds",
    "auroc_readings",
    "average_precision",
    "binary_metrics",
    "brier",
    "by_subgroup",
    "c_index",
    "calibration_curve",
    "calibration_intercept",
    "calibration_slope",
    "cause_specific",
    "cluster_stability",
    "compare_auroc",
    "compare_auroc_over_folds",
    "compare_c_index",
    "compare_groups",
    "compare_paired",
    "compare_shares",
    "complete_by_fold",
    "confusion",
    "cox",
    "cox_each",
    "cox_nomogram",
    "cox_over_time",
    "cumulative_incidence",
    "detections",
    "expected_calibration_error",
    "f1",
    "fine_gray",
    "fit_discriminant",
    "fit_imputation",
    "fit_logistic",
    "fit_temperature",
    "fleiss_kappa",
    "froc",
    "heterogeneity_p",
    "intraclass_correlation",
    "kaplan_meier",
    "kappa",
    "linear",
    "log_rank_p",
    "logistic_nomogram",
    "mask_pair",
    "mcnemar_p",
    "measure_case",
    "missing_patterns",
    "missing_shares",
    "multiclass_metrics",
    "needed_to_develop",
    "needed_to_develop_survival",
    "needed_to_validate",
    "net_benefit",
    "npv",
    "observed_to_expected",
    "over_readers",
    "pearson",
    "permutation_null",
    "permutation_p",
    "pool",
    "pooled_cox",
    "power_curve",
    "power_of_calls",
    "ppv",
    "quantity_metrics",
    "rate_difference",
    "rate_readings",
    "read_binary",
    "read_readers",
    "read_survival",
    "recalibrate",
    "risk_capture",
    "risk_intervals",
    "risk_of_survival",
    "segmentation_metrics",
    "sensitivity",
    "specificity",
    "standardised_difference",
    "study_readers",
    "survival_metrics",
    "t_over_readers",
    "treatment_interaction",
]
