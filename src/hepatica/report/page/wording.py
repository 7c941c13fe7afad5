"""Wording: how numbers, folds, metrics and columns of a cohort are written for a reader."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Comparison, Estimate

T = TypeVar("T")

NONE = "\N{EN DASH}"
"""Printed where there is no number."""

NOT_COMPUTABLE = "not computable"
"""Printed where these patients do not give a statistic."""

TIED = "\N{NO-BREAK SPACE}"
"""Keeps a number and what belongs to it on one line."""

VERSUS = " vs. "
"""Between the two kinds of patients of a diagnosis that is one against another."""

INDENT = 2 * TIED
"""Begins the name of a row that belongs to the one above."""

FOLDS = {
    "train": "Training",
    "validation": "Tuning",
    "test": "Internal test",
    "external": "External",
    "set_aside": "Set aside",
    "short_follow_up": "Short follow-up",
}
"""Folds as a clinician calls them; tuning patients monitor the training or end it (`monitor`): no validation."""

METRICS = {
    "auroc": "AUROC",
    "average_precision": "Average precision (AUPR)",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity (recall)",
    "specificity": "Specificity",
    "ppv": "PPV (precision)",
    "npv": "NPV",
    "f1": "F1",
    "kappa": "Cohen's kappa",
    "brier": "Brier score",
    "proportional_hazards_p": "Proportional hazards, P (Grambsch-Therneau)",
    "observed_to_expected": "Observed over expected, O/E (ideal: 1)",
    "calibration_intercept": "Calibration intercept (ideal: 0)",
    "calibration_slope": "Calibration slope (ideal: 1)",
    "c_index": "C-index",
    "log_rank_p": "Log-rank P",
    "log_rank_permutation_p": "Log-rank P, by permutation",
    "hazard_ratio": "Hazard ratio, high vs. low",
    "hazard_ratio_p": "P of the hazard ratio",
    "cutoff": "Cut-off",
    "adjusted_hazard_ratio": "Hazard ratio, high vs. low, adjusted",
    "auroc_macro": "AUROC, macro",
    "f1_macro": "F1, macro",
    "kappa_weighted": "Kappa, quadratic weights",
    "kappa_weighted_linear": "Kappa, linear weights",
    "lesion_accuracy": "Accuracy",
    "patch_accuracy": "Accuracy of patches",
    "lesion_auroc_macro": "AUROC, macro",
    "lesion_kappa": "Cohen's kappa",
    "bias": "Bias",
    "limits_low": "Lower limit of agreement",
    "limits_high": "Upper limit of agreement",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "concordance": "Concordance correlation",
    "dice": "Dice",
    "surface_dice": "Surface Dice",
    "hd95_mm": "95% Hausdorff distance, mm",
    "hausdorff_mm": "Hausdorff distance, mm",
    "volume_error_ml": "Volume error, mL",
    "relative_volume_error": "Relative volume error",
    "lesion_sensitivity": "Lesions hit",
    "false_positives": "False positives per scan",
}

PARTS = ("liver", "lesions")
"""Classes of segmentation, as the end of the names of their metrics."""

METRICS |= {f"{name}_{part}": f"{words}, {part}" for name, words in METRICS.items() for part in PARTS
            if name in ("dice", "surface_dice", "hd95_mm", "hausdorff_mm", "volume_error_ml", "relative_volume_error",
                        "lesion_sensitivity", "false_positives")}  # fmt: skip

PHASES = ("plain", "arterial", "portal venous", "delayed")
"""In the order of an examination; other names of phases follow."""

_UNITS = {
    "ng_ml": "ng/mL", "u_l": "U/L", "g_l": "g/L", "g_dl": "g/dL", "mg_dl": "mg/dL", "umol_l": "µmol/L", "cm": "cm",
    "mm": "mm", "mau_ml": "mAU/mL", "iu_ml": "IU/mL", "kg_m2": "kg/m²", "years": "years", "months": "months",
    "10e9_l": "10⁹/L", "kpa": "kPa", "mmol_l": "mmol/L", "log10_copies_ml": "log₁₀ copies/mL",
}  # fmt: skip

_NAMES = {
    "hbsag": "HBsAg", "hbeag": "HBeAg", "hcv": "HCV", "hbv": "HBV", "dcp": "DCP", "dna": "DNA", "svr": "SVR",
    "lirads": "LI-RADS",
}  # fmt: skip
_CAPITALS = {
    "afp", "alt", "ast", "bclc", "inr", "ecog", "tnm", "alp", "ggt", "bmi", "albi", "meld", "cnlc", "hcc", "metavir",
    "masld", "tace", "mvi", "tp53", "ctnnb1",
}  # fmt: skip

_GENES = (
    "alb", "arid1a", "ash1l", "csmd1", "csmd3", "ctnnb1", "eys", "fmn2", "mdm4", "muc4", "obscn", "rb1", "ryr2", "tp53",
    "zfx4",
)  # fmt: skip
_FINDINGS = {"malignant": "malignancy"} | {gene: f"{gene.upper()} mutation" for gene in _GENES}
"""What patients have whose label, called by an adjective or a gene, is 1."""


def estimate(row: Any) -> str:
    """A row of metrics.json (or None) as a journal prints it: 0.818 (0.700 to 0.936)."""
    if row is None or row["value"] is None or pd.isna(row["value"]):
        return NOT_COMPUTABLE
    if str(row.get("metric", "")).endswith("_p"):
        return p_value(row["value"])
    return interval(row)


def interval(found: Mapping[str, Any], *, digits: int = 3) -> str:
    """Value and interval of an estimate written as a mapping."""
    value = f"{found['value']:.{digits}f}"
    if found["low"] is None or pd.isna(found["low"]) or found["high"] is None or pd.isna(found["high"]):
        return value
    return between(value, f"{found['low']:.{digits}f}", f"{found['high']:.{digits}f}")


def cell(found: Estimate | str | None, *, digits: int = 3) -> str:
    """An estimate in a table: a dash where there is none, the reason where there is a reason instead."""
    if isinstance(found, str):
        return found
    return NONE if found is None or np.isnan(found.value) else interval(found.as_dict(), digits=digits)


def difference(found: Comparison | None) -> str:
    """A difference with its sign and interval; a dash where there is none."""
    if found is None or np.isnan(found.difference.value):
        return NONE
    each = found.difference
    if each.low is None or each.high is None:
        return f"{each.value:+.3f}"
    return between(f"{each.value:+.3f}", f"{each.low:+.3f}", f"{each.high:+.3f}")


def attempt(statistic: Callable[[], T]) -> T | str:
    """A statistic, or "not computable" with the reason where these patients do not give it."""
    try:
        return statistic()
    except EvaluationError as error:
        return f"{NOT_COMPUTABLE}: {error}"


def between(value: str, low: str, high: str) -> str:
    """A value and its interval, which no line break separates."""
    return f"{value} ({low}{TIED}to{TIED}{high})"


def p_value(p: float | None) -> str:
    """A P value as a journal prints it."""
    if p is None or pd.isna(p):
        return NOT_COMPUTABLE
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def equals(p: str) -> str:
    """A P value after the word P: = 0.03, < 0.001."""
    return p if p.startswith(("<", "not")) else f"= {p}"


def share(part: int, whole: int) -> str:
    """Count and percentage: 12 (24%)."""
    return f"{part}{TIED}({part / whole:.0%})" if whole else f"{part}"


def quartiles(values: pd.Series, *, form: str = ".3g", tie: str = TIED) -> str:
    """Median and interquartile range of the known values; a dash where there are none."""
    known = values.dropna().astype(float)
    if known.empty:
        return NONE
    low, middle, high = (f"{each:{form}}" for each in known.quantile([0.25, 0.5, 0.75]))
    return f"{middle} [{low}{tie}to{tie}{high}]"


def column(name: str) -> str:
    """A column of patients.csv as a reader expects it: afp_ng_ml becomes AFP (ng/mL)."""
    for suffix, unit in _UNITS.items():
        if name.endswith(f"_{suffix}"):
            return f"{_words(name.removesuffix(f'_{suffix}'))} ({unit})"
    return _words(name)


def _words(name: str) -> str:
    text = _spelt(name.replace("_", " "))
    return text if text.split()[0] in _NAMES.values() else text[:1].upper() + text[1:]


def _spelt(text: str) -> str:
    """The text with the names and capitals of medicine: HCC, Child-Pugh."""
    text = text.replace("child pugh", "Child-Pugh").replace("pivka ii", "PIVKA-II")
    text = " ".join(_NAMES.get(word, word.upper() if word in _CAPITALS else word) for word in text.split(" "))
    return text.replace(" vs ", VERSUS)


def about(target: Target) -> str:
    """A target inside a sentence: recurrence at 12 months, HCC, TP53 mutation."""
    return _spelt(_FINDINGS.get(target.label, target.label))


def heading(target: Target) -> str:
    """A target at the head of a row or panel: Recurrence at 12 months, HCC."""
    text = about(target)
    return text[:1].upper() + text[1:]


def when(target: Target) -> str:
    """The horizon of a target: At 12 months; without a horizon, its endpoint: HCC."""
    if not target.followed or target.task == "survival":
        return heading(target)
    return target.label.removeprefix(target.endpoint.replace("_", " ") + " ").capitalize()


def outcomes(target: Target) -> tuple[str, str]:
    """What patients with and without it are called: event and no event, HCC and no HCC, HCC and healthy."""
    found, _, other = ("event", "", "") if target.followed else about(target).partition(VERSUS)
    return found, other or f"no {found}"


def event(target: Target) -> str:
    """What a share of patients is the share of: patients with the event, patients with HCC."""
    if target.task == "multi_class":
        return f"a class of {about(target)}"
    return "the event" if target.followed else outcomes(target)[0]


def events(targets: Iterable[Target]) -> str:
    """The same in a sentence about several targets: the finding, where they are of different ones."""
    names = {event(each) for each in targets}
    return names.pop() if len(names) == 1 else "the finding"


def calls(target: Target) -> tuple[str, str]:
    """What patients at or above and below a cut-off are called."""
    return ("high", "low") if target.followed else outcomes(target)


def patients(count: int) -> str:
    """1 patient, 2 patients."""
    return "1 patient" if count == 1 else f"{count} patients"


def by_phase(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Name and rows of each contrast phase (column phase), in the order of an examination; none without the column."""
    if "phase" not in table:
        return []
    parts = [(str(phase), own) for phase, own in table.groupby("phase")]
    return sorted(parts, key=lambda part: PHASES.index(part[0]) if part[0] in PHASES else len(PHASES))


def level(value: Any) -> str:
    """A category as written: 1 rather than 1.0, HCC rather than hcc."""
    return f"{value:g}" if isinstance(value, int | float) else _spelt(str(value))
