"""Endpoints: time and event of each patient, and the binary label a horizon makes of them."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hepatica.cohort.errors import CohortError
from hepatica.cohort.units import Months


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A survival endpoint: `time` (months) and `event` (1 = happened, 0 = censored) name columns of patients.csv."""

    name: str
    time: str
    event: str

    def label(self, patients: pd.DataFrame, *, horizon: Months | None) -> pd.Series:
        """Binary label of each patient: 1.0 event by the horizon, 0.0 followed event-free to it, NaN unknown.

        A patient censored before the horizon is NaN, never event-free. With `horizon=None` the label is the status
        at the end of follow-up (the "final" endpoint of doi 10.1186/s12916-025-03977-4), whatever its length.
        """
        happened = patients[self.event] == 1
        if horizon is None:
            return happened.astype(float)
        if not 0 < horizon < math.inf:
            raise CohortError(f"endpoint {self.name}: got a horizon of {horizon} months, wanted more than 0")
        time = patients[self.time]
        label = np.where(happened & (time <= horizon), 1.0, np.where(time >= horizon, 0.0, np.nan))
        return pd.Series(label, index=patients.index)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one score predicts: an endpoint at a horizon in months, or at the end of follow-up (None)."""

    endpoint: str
    horizon: Months | None

    @property
    def label(self) -> str:
        """Name for tables and figures, such as `recurrence at 12 months`."""
        when = "at end of follow-up" if self.horizon is None else f"at {self.horizon:g} months"
        return f"{self.endpoint.replace('_', ' ')} {when}"

    @property
    def key(self) -> str:
        """Name for keys and file names, such as `recurrence_12`, `recurrence_4p5` or `recurrence_final`."""
        when = "final" if self.horizon is None else f"{self.horizon:g}".replace(".", "p")
        return f"{self.endpoint}_{when}"
