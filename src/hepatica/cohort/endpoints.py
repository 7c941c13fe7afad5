"""Endpoints: what is known of each patient, as cohort.toml declares it: a column of patients.csv and its meaning."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hepatica.cohort.errors import CohortError
from hepatica.cohort.units import Months


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint of cohort.toml. `KEYS` are the keys that declare its kind, by the name of each value here;
    `COLUMNS` those of them that name columns of patients.csv.
    """

    KEYS: ClassVar[Mapping[str, str]]
    COLUMNS: ClassVar[tuple[str, ...]]
    name: str

    @property
    def declared(self) -> dict[str, Any]:
        """The keys of cohort.toml and their values."""
        values = {key: getattr(self, name) for name, key in self.KEYS.items()}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of patients.csv it is read from."""
        return tuple(getattr(self, name) for name in self.COLUMNS)

    def strata(self, patients: pd.DataFrame) -> pd.Series:
        """The class by which patients are dealt into folds, by patient_id; missing where the outcome is unknown."""
        return self.label(patients, horizon=None)

    def label(self, patients: pd.DataFrame, *, horizon: Months | None) -> pd.Series:
        """Binary label of each patient, 1.0, 0.0 or NaN (unknown); CohortError where the kind has none."""
        raise CohortError(
            f"endpoint {self.name} is not binary: it is declared by {', '.join(self.declared)}; name an endpoint"
            " with time and event, or with label alone"
        )


@dataclass(frozen=True, kw_only=True)
class TimeToEvent(Endpoint):
    """Follow-up: `time` (months) and `event` name columns; event is 1 happened, 0 censored, 2 a competing event."""

    KEYS: ClassVar[Mapping[str, str]] = {"time": "time", "event": "event"}
    COLUMNS: ClassVar[tuple[str, ...]] = ("time", "event")
    time: str
    event: str

    def label(self, patients: pd.DataFrame, *, horizon: Months | None) -> pd.Series:
        """Binary label of each patient: 1.0 event by the horizon, 0.0 followed event-free to it, NaN unknown.

        A patient censored before the horizon is NaN, never event-free; one with a competing event before it is
        event-free. With `horizon=None` the label is the status at the end of follow-up (the "final" endpoint of
        doi 10.1186/s12916-025-03977-4), whatever its length. CohortError for a horizon that is not positive.
        """
        happened = patients[self.event] == 1
        if horizon is None:
            return happened.astype(float)
        if not 0 < horizon < math.inf:
            raise CohortError(
                f"endpoint {self.name}: got a horizon of {horizon} months, wanted more than 0, because time and event"
                " declare follow-up; name the horizons in the system's task, such as horizons=(24,)"
            )
        time, competing = patients[self.time], patients[self.event] == 2
        free = (time >= horizon) | competing
        label = np.where(happened & (time <= horizon), 1.0, np.where(free, 0.0, np.nan))
        return pd.Series(label, index=patients.index)


@dataclass(frozen=True, kw_only=True)
class Status(Endpoint):
    """A yes or no at the examination: `column` holds 1 (present), 0 (absent) or nothing (unknown)."""

    KEYS: ClassVar[Mapping[str, str]] = {"column": "label"}
    COLUMNS: ClassVar[tuple[str, ...]] = ("column",)
    column: str

    def label(self, patients: pd.DataFrame, *, horizon: Months | None) -> pd.Series:
        """Binary label of each patient: 1.0 present, 0.0 absent, NaN unknown.

        The horizon is 0, the examination, or None, which is the same; CohortError when it is another.
        """
        if horizon:
            raise CohortError(
                f"endpoint {self.name}: got a horizon of {horizon} months, wanted 0: a label has no follow-up; declare"
                " time and event in cohort.toml for a survival endpoint"
            )
        return patients[self.column].astype(float)


@dataclass(frozen=True, kw_only=True)
class Classes(Endpoint):
    """One of several classes at the examination: `column` holds its name, or nothing (unknown).

    `ordered` classes rise in the order given, such as grades.
    """

    KEYS: ClassVar[Mapping[str, str]] = {"column": "label", "classes": "classes", "ordered": "ordered"}
    COLUMNS: ClassVar[tuple[str, ...]] = ("column",)
    column: str
    classes: tuple[str, ...]
    ordered: bool = False

    def strata(self, patients: pd.DataFrame) -> pd.Series:
        """The class of each patient, missing where it is unknown."""
        return patients[self.column].astype("object").where(patients[self.column].notna(), np.nan)


@dataclass(frozen=True, kw_only=True)
class LesionClasses(Classes):
    """One of several classes of each lesion: `lesion` names a column of lesions.csv.

    A patient's class, by which they are dealt into folds and counted, is that of their largest lesion by diameter_mm,
    of the first row where none is given; `column` of `Cohort.patients` holds it.
    """

    KEYS: ClassVar[Mapping[str, str]] = {"lesion": "lesion", "classes": "classes", "ordered": "ordered"}
    column: str = field(init=False, default="")
    lesion: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", f"largest_{self.lesion}")

    def of_patients(self, lesions: pd.DataFrame) -> pd.Series:
        """The class of the largest lesion of each patient that has one, by patient_id."""
        by_size = lesions.sort_values("diameter_mm", ascending=False, kind="stable")
        return by_size.drop_duplicates("patient_id").set_index("patient_id")[self.lesion].rename(self.column)


@dataclass(frozen=True, kw_only=True)
class Measured(Endpoint):
    """A measured value: `column` holds a number in `unit`, or nothing (unknown)."""

    KEYS: ClassVar[Mapping[str, str]] = {"column": "value", "unit": "unit"}
    COLUMNS: ClassVar[tuple[str, ...]] = ("column",)
    column: str
    unit: str

    def strata(self, patients: pd.DataFrame) -> pd.Series:
        """Above (1) or up to (0) the median, missing where the value is unknown."""
        value = patients[self.column].astype(float)
        return (value > value.median()).astype(float).where(value.notna())


@dataclass(frozen=True, kw_only=True)
class Outlined(Endpoint):
    """A region that was outlined: `column` of specimens.csv names the mask file, or nothing."""

    KEYS: ClassVar[Mapping[str, str]] = {"column": "mask"}
    COLUMNS: ClassVar[tuple[str, ...]] = ()
    column: str

    def strata(self, patients: pd.DataFrame) -> pd.Series:
        """All patients alike."""
        return pd.Series(0.0, index=patients.index)


KINDS: tuple[type[Endpoint], ...] = (TimeToEvent, Status, Classes, LesionClasses, Measured, Outlined)


def declared(name: str, *, keys: Mapping[str, Any]) -> Endpoint:
    """The endpoint of a table of cohort.toml, its kind by the keys; CohortError where they are those of no kind."""
    for kind in KINDS:
        known = {key: value for value, key in kind.KEYS.items()}
        if keys.keys() <= known.keys() and keys.keys() | {"ordered"} >= known.keys():
            values = {known[key]: tuple(given) if isinstance(given, list) else given for key, given in keys.items()}
            return kind(name=name, **values)
    raise CohortError(
        f"endpoint {name}: got the keys {', '.join(sorted(keys)) or 'none'}, wanted time and event; or label; or label"
        " or lesion and classes (and ordered); or value and unit; or mask"
    )
