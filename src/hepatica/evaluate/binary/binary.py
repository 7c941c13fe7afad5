"""Binary: every statistic of scores against a yes-or-no outcome, in one call."""

from numpy.typing import ArrayLike

from hepatica.evaluate.binary.calibration import (
    brier,
    calibration_intercept,
    calibration_slope,
    observed_to_expected,
)
from hepatica.evaluate.binary.confusion import accuracy, confusion, f1, kappa, npv, ppv, sensitivity, specificity
from hepatica.evaluate.binary.discrimination import auroc, average_precision
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import numbers
from hepatica.evaluate.observed import Outcome

OVER_ALL_CUTOFFS = {"auroc": auroc, "average_precision": average_precision}
AT_A_CUTOFF = {
    "accuracy": accuracy,
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": ppv,
    "npv": npv,
    "f1": f1,
    "kappa": kappa,
}
OF_PROBABILITIES = {
    "brier": brier,
    "observed_to_expected": observed_to_expected,
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
}


def binary_metrics(
    label: Outcome, *, score: ArrayLike, cutoff: float = 0.5, group: ArrayLike | None = None
) -> dict[str, Estimate]:
    """Discrimination, classification at `cutoff` and calibration of (n,) scores against (n,) labels.

    `label` is 0 or 1, or what `at_horizon` says is known. A score at or above `cutoff` is called positive. `group` (n,)
    names the patient of each row when there are several, and all intervals then rest on patients. Calibration asks for
    probabilities: with scores outside 0 to 1 it is undefined. Raises EvaluationError on one class or values that
    are not finite.
    """
    found = {name: each(label, score=score, group=group) for name, each in OVER_ALL_CUTOFFS.items()}
    counted = confusion(label, score=score, cutoff=cutoff, group=group)
    found |= {name: each(counted) for name, each in AT_A_CUTOFF.items()}
    scores = numbers(score, name="score")
    if scores.min() < 0 or scores.max() > 1:
        why = f"scores from {scores.min():g} to {scores.max():g} are not probabilities"
        return found | dict.fromkeys(OF_PROBABILITIES, undefined(why, n=found["auroc"].n))
    return found | {name: each(label, score=score, group=group) for name, each in OF_PROBABILITIES.items()}
