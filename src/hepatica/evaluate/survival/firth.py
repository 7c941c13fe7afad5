"""Firth: Cox regression with a penalty, which has finite hazard ratios where a group has no event."""

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.survival.partial_likelihood import Rows, likelihood

_SINGULAR = 1e-10
"""Least variance of standardised covariates at an event, in any direction, that is not taken for none. Ours."""

MOST = 3
"""Covariates of a model that is penalised: the profile of each is searched over all others. Ours."""

_STEEPEST = 1e-6
"""Slope of the penalised likelihood that ends the search."""


def maximise_penalised(rows: Rows) -> tuple[Floats, Floats, Floats]:
    """Coefficients (p,) at the maximum of the penalised likelihood, their profile limits (p, 2), and the P (p,) of each
    being 0 by the ratio of penalised likelihoods.

    The penalty is half the log determinant of the information (Heinze and Schemper 2001, doi
    10.1111/j.0006-341X.2001.00114.x). Raises EvaluationError for more than MOST columns, and where the information is
    singular: columns repeat each other, or do not differ among the patients at risk at any event.
    """
    start = np.zeros(rows.x.shape[1])
    if start.size > MOST:
        raise EvaluationError(f"Cox model: got {start.size} columns, wanted {MOST} or fewer where a ratio is infinite")
    information = likelihood(rows, start).information
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information).min() < _SINGULAR * rows.event.sum():
        raise EvaluationError("Cox model: the information is singular")
    top, beta = _best(rows, start, np.ones(start.size, bool))
    limits = np.array([[_limit(rows, beta, each, sign, top) for sign in (-1, 1)] for each in range(beta.size)])
    p = [float(chi2.sf(2 * (top - _profile(rows, beta, each, 0.0)), 1)) for each in range(beta.size)]
    return beta, limits, np.array(p)


def _best(rows: Rows, start: Floats, free: np.ndarray) -> tuple[float, Floats]:
    """The greatest penalised likelihood over the free coefficients, and where it is."""
    beta = start.copy()

    def loss(others: Floats) -> float:
        beta[free] = others
        now = likelihood(rows, beta)
        return -(now.value + float(np.linalg.slogdet(now.information)[1]) / 2)

    if not free.any():
        return -loss(start[free]), beta
    found = minimize(loss, start[free], options={"gtol": _STEEPEST})
    beta[free] = found.x
    return -float(found.fun), beta


def _profile(rows: Rows, beta: Floats, which: int, at: float) -> float:
    """The greatest penalised likelihood where one coefficient is `at`."""
    fixed = np.arange(beta.size) == which
    return _best(rows, np.where(fixed, at, beta), ~fixed)[0]


def _limit(rows: Rows, beta: Floats, which: int, sign: int, top: float) -> float:
    """Where the profile has fallen by half the 95 % quantile of chi-square with one degree of freedom."""
    drop, step = float(chi2.ppf(0.95, 1)) / 2, 1.0

    def above(at: float) -> float:
        return drop - top + _profile(rows, beta, which, at)

    while above(beta[which] + sign * step) > 0:
        step *= 2
    return float(brentq(above, beta[which], beta[which] + sign * step, xtol=1e-8))
