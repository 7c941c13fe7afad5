"""Discriminant: linear discriminant analysis with a shrunken covariance, as plain weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Floats, both_classes


@dataclass(frozen=True, kw_only=True, eq=False)
class Discriminant:
    """Log-odds = features · `weights` (k,) + `intercept`."""

    weights: Floats
    intercept: float

    def log_odds(self, features: ArrayLike) -> Floats:
        """(n,) of features (n, k)."""
        return np.asarray(np.asarray(features, float) @ self.weights + self.intercept)

    def probability(self, features: ArrayLike) -> Floats:
        """(n,) in 0..1."""
        return np.asarray(expit(self.log_odds(features)))


def fit_discriminant(features: ArrayLike, *, label: ArrayLike) -> Discriminant:
    """Fit linear discriminant analysis of a label (n,), 0 or 1, on features (n, k), both classes equally likely.

    The covariance within classes is shrunk as Ledoit and Wolf do (doi 10.1016/S0047-259X(03)00096-4), so that it has an
    inverse where patients are fewer than features. Raises EvaluationError on one class, a class of one, or features
    that are not numbers.
    """
    event, values = both_classes(label), np.asarray(features, float)
    if values.ndim != 2 or len(values) != event.size or not np.isfinite(values).all():
        raise EvaluationError(
            f"discriminant: got features {values.shape} for {event.size} labels, wanted finite (n, k)"
        )
    if min(event.sum(), (~event).sum()) < 2:
        raise EvaluationError("discriminant: got one case of a class, wanted two or more of each")
    fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[0.5, 0.5]).fit(values, event)
    return Discriminant(weights=np.asarray(fitted.coef_[0]), intercept=float(fitted.intercept_[0]))
