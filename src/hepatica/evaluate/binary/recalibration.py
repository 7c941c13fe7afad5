"""Recalibration: shift and stretch the scores of a model until they are the probabilities of another cohort."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.calibration import calibration_intercept, logits, parted, probabilities
from hepatica.evaluate.inputs import Floats


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """An update of probabilities on the scale of their log odds: new = `intercept` + `slope` times old."""

    intercept: float
    slope: float

    def apply(self, score: ArrayLike) -> Floats:
        """Updated probabilities (n,) of scores from 0 to 1; their order stays as long as the slope is above 0."""
        updated: Floats = expit(self.intercept + self.slope * logits(np.asarray(score, dtype=np.float64)))
        return updated


def recalibrate(label: ArrayLike, *, score: ArrayLike, slope: bool) -> Recalibration:
    """The update that fits scores (n,) from 0 to 1 to labels (n,), 0 or 1, of patients of another cohort.

    Without `slope` only the intercept is estimated, after which the mean score is the share of events; with it, both
    by logistic regression on the log odds (Steyerberg 2004, doi 10.1002/sim.1844; Van Calster 2019, doi
    10.1186/s12916-019-1466-7). Neither changes which of two patients has the higher score (slope above 0), hence no
    AUROC. Raises EvaluationError on one class, scores outside 0 to 1, and for a slope on equal scores or when a
    cut-off parts the classes, for then it is infinite.
    """
    if not slope:
        return Recalibration(intercept=calibration_intercept(label, score=score).value, slope=1.0)
    event, probability = probabilities(label, score)
    if parted(event, probability):
        raise EvaluationError("recalibration: the scores are equal or a cut-off parts the classes; no slope fits")
    design = np.stack([np.ones(event.size), logits(probability)], axis=1)
    found = GLM(event.astype(float), design, family=families.Binomial()).fit()
    return Recalibration(intercept=float(found.params[0]), slope=float(found.params[1]))
