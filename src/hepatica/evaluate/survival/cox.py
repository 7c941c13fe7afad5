"""Cox: hazard ratios of one or several covariates by proportional-hazards regression, and whether they are constant."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Booleans, Floats, follow_up, numbers
from hepatica.evaluate.intervals import Z
from hepatica.evaluate.patients import Patients
from hepatica.evaluate.survival.firth import maximise_penalised
from hepatica.evaluate.survival.partial_likelihood import Rows, likelihood, maximise, spread


@dataclass(frozen=True, kw_only=True)
class HazardRatio:
    """How many times the hazard grows with one unit more of a covariate, and the P value that it does not.

    `changes_p` is the P that the ratio is the same at all times (Grambsch and Therneau 1994); NaN where not tested.
    """

    ratio: Estimate
    p: float
    changes_p: float = np.nan


def cox(covariates: pd.DataFrame, *, time: ArrayLike, event: ArrayLike) -> dict[str, HazardRatio]:
    """Fit one Cox model (Efron's ties, as R's coxph) with all columns together; the hazard ratio of each, by name.

    `covariates` holds numbers, one row a patient; `time` (n,) and `event` (n,) follow its rows. Intervals and P are
    Wald's. Where a covariate parts the patients with events from those without so well that its ratio would be infinite
    (a group has no event), a model of few columns is that of `maximise_penalised` (Firth), with profile limits. Raises
    EvaluationError when a column is constant, incomplete or not a number, when there are no more events than columns,
    or where columns repeat each other or do not differ among the patients at risk at events.
    """
    times, events = follow_up(time, event=event)
    table = checked_covariates(covariates, events)
    rows, scale = standardised(table, start=np.full(times.size, -1.0), stop=times, event=events)
    try:
        beta, covariance, _ = maximise(rows, Patients(count=times.size))
    except EvaluationError:
        return _without_maximum(rows, scale, table)
    changes = changing(rows, beta)
    error = np.sqrt(np.diag(covariance)) / scale
    return {
        name: wald(*each, n=times.size, method="Cox, Efron ties, Wald", changes_p=p)
        for name, *each, p in zip(table.columns, beta / scale, error, changes, strict=True)
    }


def standardised(
    table: pd.DataFrame, *, start: Floats, stop: Floats, event: Booleans, weight: Floats | None = None
) -> tuple[Rows, Floats]:
    """Rows of covariates in standard deviations from their mean, and these standard deviations."""
    scale = table.std(ddof=0).to_numpy()
    x = (table.to_numpy() - table.mean().to_numpy()) / scale
    weights = np.ones(stop.size) if weight is None else weight
    return Rows(x=x, start=start, stop=stop, event=event, weight=weights), scale


def wald(beta: float, error: float, *, n: int, method: str, changes_p: float = np.nan) -> HazardRatio:
    """Hazard ratio of a coefficient and its standard error."""
    value, low, high = np.exp(beta + np.array([0, -Z, Z]) * error)
    ratio = Estimate(value=float(value), low=float(low), high=float(high), n=n, method=method)
    return HazardRatio(ratio=ratio, p=float(2 * norm.sf(abs(beta / error))), changes_p=float(changes_p))


def _without_maximum(rows: Rows, scale: Floats, table: pd.DataFrame) -> dict[str, HazardRatio]:
    try:
        beta, limits, p = maximise_penalised(rows)
    except EvaluationError as error:
        raise EvaluationError(
            f"Cox model of {', '.join(table.columns)} with {int(rows.event.sum())} events does not converge; look for"
            " columns that repeat each other, that separate the patients with events from those without, or that do not"
            " differ among the patients still followed when events happen"
        ) from error
    method = "Cox, Efron ties, Firth's penalty because a ratio would be infinite, profile likelihood"
    found = {}
    for name, by, at, (low, high), each in zip(table.columns, scale, beta, limits, p, strict=True):
        value, low, high = np.exp(np.array([at, low, high]) / by).tolist()
        found[name] = HazardRatio(ratio=Estimate(value=value, low=low, high=high, n=len(table), method=method), p=each)
    return found


def changing(rows: Rows, beta: Floats) -> Floats:
    """P (p,) that the hazard ratio of each covariate is the same at all times, at the maximum `beta` (p,).

    Score test of a term covariate x g(time), g the share of patients with the event before (Kaplan-Meier), one a
    covariate: the test of R's cox.zph since survival 3.0 (Grambsch and Therneau 1994, doi 10.1093/biomet/81.3.515).
    Rows are at risk from before the first event. NaN where all events come at one time.
    """
    now = likelihood(rows, beta)
    moments, events = np.unique(rows.stop[rows.event], return_counts=True)
    at_risk = rows.stop.size - np.searchsorted(np.sort(rows.stop), moments)
    free = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)[:-1]])
    g = (1 - free)[np.searchsorted(moments, rows.stop[now.place])]
    g = g - g.mean()
    apart = g @ (rows.x[now.place] - now.mean)
    once, twice = (spread(rows, now, g**power) for power in (1, 2))
    left = np.diag(twice - once @ np.linalg.solve(now.information, once))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(chi2.sf(np.where(left > 0, apart**2 / left, np.nan), 1))


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
