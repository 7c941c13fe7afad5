"""Over time: Cox regression of covariates that change from visit to visit."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import follow_up, numbers
from hepatica.evaluate.patients import patients_of
from hepatica.evaluate.survival.cox import HazardRatio, checked_covariates, standardised, wald
from hepatica.evaluate.survival.partial_likelihood import maximise


def risk_intervals(visits: pd.DataFrame, *, patient: str, time: str, follow_up: pd.DataFrame) -> pd.DataFrame:
    """Rows of visits with the times `start` and `stop` between which their values hold, and `event` at the end.

    `visits` has a column that names the patient and one of the time since the start; `follow_up`, by patient, the
    columns time (of event or censoring) and event (1 or 0). A value holds until the next visit. Visits at or after the
    end, and patients without follow-up, are left out; what happens before a patient's first visit is not counted.
    """
    known = visits[visits[patient].isin(follow_up.index)].sort_values([patient, time], kind="stable")
    end, event = (known[patient].map(follow_up[name]) for name in ("time", "event"))
    following = known.groupby(patient)[time].shift(-1).fillna(np.inf)
    table = known.assign(start=known[time], stop=np.minimum(following, end), event=((following >= end) & (event == 1)))
    return table[(table["stop"] > table["start"]) & (table["start"] < end)].reset_index(drop=True)


def cox_over_time(
    covariates: pd.DataFrame,
    *,
    start: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    group: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    fading: ArrayLike | None = None,
) -> dict[str, HazardRatio]:
    """Cox model of rows at risk in (start, stop], such as those of `risk_intervals`: hazard ratio of each column.

    All of length n; `event` is 1 where the row ends with one, `group` names the patient of each row, and `weight` is
    above 0. `fading` is that of `Rows`. Ties are Efron's. Intervals and P are Wald's, clustered by patient (sandwich)
    where rows have weights, and by the information without. Raises EvaluationError as `cox` does, and where a row ends
    before it starts.
    """
    stops, events = follow_up(stop, event=event)
    starts = numbers(start, name="start", like=stops.size)
    if (starts >= stops).any():
        raise EvaluationError(
            f"got {int((starts >= stops).sum())} rows that end at their start or before; leave them out"
        )
    table = checked_covariates(covariates, events)
    weights = None if weight is None else numbers(weight, name="weight", like=stops.size)
    patients = patients_of(group, rows=stops.size)
    rows, scale = standardised(table, start=starts, stop=stops, event=events, weight=weights)
    rows = rows if fading is None else replace(rows, fading=numbers(fading, name="fading", like=stops.size))
    beta, plain, clustered = maximise(rows, patients)
    error = np.sqrt(np.diag(plain if weight is None else clustered))
    method = f"Cox, Efron ties, Wald{'' if weight is None else ', clustered by patient'}"
    ratios = [wald(*each, n=patients.count, method=method) for each in zip(beta / scale, error / scale, strict=True)]
    return dict(zip(table.columns, ratios, strict=True))
