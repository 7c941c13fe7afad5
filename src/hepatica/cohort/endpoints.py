"""Endpoints: what happens to each patient or is there already, and the binary label that is made of it."""

import math
from collections.abc import Mapping
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

    @property
    def columns(self) -> dict[str, str]:
        """The columns by the keys of cohort.toml, as `declared` takes them."""
        return {"time": self.time, "event": self.event}

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
class Diagnosis:
    """What is there at the examination: `column` of patients.csv holds 1 (present), 0 (absent) or nothing (unknown)."""

    name: str
    column: str

    @property
    def columns(self) -> dict[str, str]:
        """The column by the key of cohort.toml, as `declared` takes it."""
        return {"label": self.column}

    def label(self, patients: pd.DataFrame, *, horizon: Months | None) -> pd.Series:
        """Binary label of each patient: 1.0 present, 0.0 absent, NaN unknown.

        The horizon is 0, the examination, or None, "the status", which is the same; CohortError when it is another.
        """
        if horizon:
            raise CohortError(
                f"endpoint {self.name}: got a horizon of {horizon} months, wanted 0: a diagnosis has no follow-up"
            )
        return patients[self.column].astype(float)


def declared(name: str, *, columns: Mapping[str, str]) -> Endpoint | Diagnosis:
    """The endpoint of a table of cohort.toml: a survival endpoint of time and event, or a diagnosis of label alone."""
    if columns.keys() == {"label"}:
        return Diagnosis(name=name, column=columns["label"])
    return Endpoint(name=name, time=columns["time"], event=columns["event"])


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one score predicts: an endpoint at a horizon in months, or at the end of follow-up (None).

    The horizon of a diagnosis is 0: present at the examination.
    """

    endpoint: str
    horizon: Months | None

    @property
    def is_diagnosis(self) -> bool:
        """Whether the question is what is there at the examination, without follow-up."""
        return self.horizon == Months(0)

    @property
    def label(self) -> str:
        """Name for tables and figures, such as `recurrence at 12 months`, or `hcc` of a diagnosis."""
        if self.is_diagnosis:
            return self.endpoint.replace("_", " ")
        when = "at end of follow-up" if self.horizon is None else f"at {self.horizon:g} months"
        return f"{self.endpoint.replace('_', ' ')} {when}"

    @property
    def key(self) -> str:
        """Name for keys and file names, such as `recurrence_12`, `recurrence_4p5`, `recurrence_final` or `hcc`."""
        if self.is_diagnosis:
            return self.endpoint
        when = "final" if self.horizon is None else f"{self.horizon:g}".replace(".", "p")
        return f"{self.endpoint}_{when}"
