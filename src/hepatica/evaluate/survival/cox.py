"""Cox: hazard ratios of one or several covariates by proportional-hazards regression."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning
from numpy.typing import ArrayLike
from scipy.linalg import LinAlgWarning

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Booleans, follow_up, numbers

_TIME, _EVENT = "\0time", "\0event"
"""Names that no covariate has."""


@dataclass(frozen=True, kw_only=True)
class HazardRatio:
    """How many times the hazard grows with one unit more of a covariate, and the P value of Wald's test."""

    ratio: Estimate
    p: float


def cox(covariates: pd.DataFrame, *, time: ArrayLike, event: ArrayLike) -> dict[str, HazardRatio]:
    """Fit one Cox model (lifelines, Efron's ties) with all columns together; the hazard ratio of each, by name.

    `covariates` holds numbers, one row a patient; `time` (n,) and `event` (n,) follow its rows. Intervals and P are
    Wald's. Raises EvaluationError when a column is constant, incomplete or not a number, when there are no more events
    than columns, or when the fit does not converge: columns that repeat each other, or one that parts the patients with
    events from those without so well that its hazard ratio is infinite (separation).
    """
    times, events = follow_up(time, event=event)
    table = checked_covariates(covariates, events)
    with warnings.catch_warnings():
        # lifelines also warns of much that it then fits well; only what its optimiser says of the outcome counts.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("error", message="Newton-Raphson", category=ConvergenceWarning)
        # An ill-conditioned step or a hazard beyond all numbers: what it ends in is no estimate.
        warnings.simplefilter("error", LinAlgWarning)
        warnings.filterwarnings("error", message="overflow", category=RuntimeWarning)
        try:
            fitted = CoxPHFitter().fit(table.assign(**{_TIME: times, _EVENT: events}), _TIME, _EVENT)
        except (ConvergenceError, ConvergenceWarning, LinAlgWarning, RuntimeWarning) as error:
            raise _no_fit(table, events) from error
    if not np.isfinite(fitted.summary["exp(coef) upper 95%"]).all():
        raise _no_fit(table, events)
    return {name: _hazard_ratio(row, n=len(table)) for name, row in fitted.summary.iterrows()}


def _no_fit(table: pd.DataFrame, events: Booleans) -> EvaluationError:
    return EvaluationError(
        f"Cox model of {', '.join(table.columns)} with {int(events.sum())} events does not converge; look for columns"
        " that repeat each other, that separate the patients with events from those without, or that do not differ"
        " among the patients still followed when events happen"
    )


def cox_each(covariates: pd.DataFrame, *, time: ArrayLike, event: ArrayLike) -> dict[str, HazardRatio]:
    """Fit a Cox model of each column alone (univariable); otherwise as `cox`."""
    return {
        name: ratio
        for column in covariates
        for name, ratio in cox(covariates[[column]], time=time, event=event).items()
    }


def checked_covariates(covariates: pd.DataFrame, events: Booleans) -> pd.DataFrame:
    """The columns as numbers; EvaluationError where one is constant, incomplete or not a number, or for few events."""
    columns = {
        str(name): numbers(values.to_numpy(), name=f"covariate {name}", like=events.size)
        for name, values in covariates.items()
    }
    constant = [name for name, values in columns.items() if values.min() == values.max()]
    if constant:
        raise EvaluationError(f"Cox model: {', '.join(constant)} is the same for all patients; leave it out")
    if not columns or events.sum() <= len(columns):
        message = (
            f"Cox model: got {int(events.sum())} events for {len(columns)} covariates, wanted more events than those"
        )
        raise EvaluationError(message)
    return pd.DataFrame(columns)


def _hazard_ratio(row: pd.Series, *, n: int) -> HazardRatio:
    low, high = float(row["exp(coef) lower 95%"]), float(row["exp(coef) upper 95%"])
    ratio = Estimate(value=float(row["exp(coef)"]), low=low, high=high, n=n, method="Cox, Efron ties, Wald")
    return HazardRatio(ratio=ratio, p=float(row["p"]))
