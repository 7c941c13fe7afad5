"""Tasks: the question a system answers, in the terms of the data: endpoint, eligible patients, strata, cut-off rule."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import pandas as pd

from hepatica.cohort.endpoints import Classes, Endpoint, Measured, Outlined, Status, TimeToEvent
from hepatica.cohort.errors import CohortError
from hepatica.cohort.units import Months

if TYPE_CHECKING:
    from hepatica.cohort.table import Cohort

Kind = Literal["binary", "multi_class", "survival", "quantities", "segmentation", "subtypes", "margin"]
"""The kinds of task, as the column `task` of a predictions table has them."""

Cutoff = Literal["median", "balanced", "of_simulation", "first"]
"""The rule of a locked cut-off: the median score of the training patients; the score at which sensitivity and
specificity of the patients of training and tuning are alike; that of simulated patients, which training left in the
network's buffer `cutoff`; or that of the system's first task, whose score this task's is."""

EXAMINATION = Months(0)
"""The horizon of what is present at the examination."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one score, or one score a class, is about: an endpoint, and of a binary task its horizon in months.

    The horizon is 0 for what is present at the examination, None at the end of follow-up and for every other task.
    """

    endpoint: str
    horizon: Months | None = None
    task: Kind = "binary"

    @property
    def followed(self) -> bool:
        """Whether it is an event of follow-up."""
        return self.task == "survival" or (self.task == "binary" and self.horizon != EXAMINATION)

    @property
    def happening(self) -> str:
        """The event of follow-up in words: recurrence; of a survival, death, or recurrence or death."""
        words = self.endpoint.replace("_", " ")
        if not words.endswith("survival"):
            return words
        first, free, _ = words.partition(" free survival")
        return f"{first} or death" if free else "death"

    @property
    def label(self) -> str:
        """Name for tables and figures, such as `recurrence at 12 months`, or `hcc`."""
        name = self.endpoint.replace("_", " ")
        if self.task != "binary" or self.horizon == EXAMINATION:
            return name
        return f"{name} at end of follow-up" if self.horizon is None else f"{name} at {self.horizon:g} months"

    @property
    def key(self) -> str:
        """Name for keys and file names, such as `recurrence_12`, `recurrence_4p5`, `recurrence_final` or `hcc`."""
        if self.task != "binary" or self.horizon == EXAMINATION:
            return self.endpoint
        when = "final" if self.horizon is None else f"{self.horizon:g}".replace(".", "p")
        return f"{self.endpoint}_{when}"


@dataclass(frozen=True)
class Task:
    """A question about an endpoint of cohort.toml; each kind says which kinds of endpoint answer it."""

    KIND: ClassVar[Kind]
    ENDPOINTS: ClassVar[tuple[type[Endpoint], ...]]
    CLASSES: ClassVar[Literal[1, 2]] = 2
    """How many strata patients must have, at the least, to be dealt into folds."""
    endpoint: str

    @property
    def targets(self) -> tuple[Target, ...]:
        """What its scores are about."""
        return (Target(endpoint=self.endpoint, task=self.KIND),)

    @property
    def cutoff(self) -> Cutoff | None:
        """The rule of its locked cut-offs; None where it has none."""
        return None

    def unit(self, quantity: str) -> str:
        """The unit of a score, and of a quantity by its name; "" of a probability or a risk."""
        return ""

    def require(self, cohort: "Cohort") -> Endpoint:
        """Its endpoint in a cohort; CohortError where that is absent or of a kind that cannot answer it."""
        found = cohort.endpoint(self.endpoint)
        if not isinstance(found, self.ENDPOINTS):
            wanted = " or ".join(" and ".join(kind.KEYS.values()) for kind in self.ENDPOINTS)
            raise CohortError(
                f"endpoint {self.endpoint} of {cohort.name} is declared by {', '.join(found.declared)}, wanted {wanted}"
                f" for a {self.KIND} task; correct [endpoints.{self.endpoint}] in cohort.toml"
            )
        return found

    def strata(self, cohort: "Cohort") -> pd.Series:
        """Class of each patient by which folds are dealt, by patient_id; missing where the outcome is unknown."""
        return self.require(cohort).strata(cohort.patients)

    def eligible(self, cohort: "Cohort") -> tuple[str, ...]:
        """Patients whose outcome is known."""
        return tuple(self.strata(cohort).dropna().index)

    def refuse_absent(self, cohort: "Cohort", patients: Sequence[str]) -> None:
        """CohortError where these patients are not enough to learn each class the task asks about."""


@dataclass(frozen=True)
class Binary(Task):
    """Is it present at the examination (no `horizons`), or has it happened by each horizon (months; None = the end)?

    The score is a probability, 0 to 1. `beside` are further endpoints that are learnt with it, such as other genes;
    patients are those of whom the first is known.
    """

    KIND: ClassVar[Kind] = "binary"
    ENDPOINTS: ClassVar[tuple[type[Endpoint], ...]] = (TimeToEvent, Status)
    horizons: tuple[Months | None, ...] = field(default=(EXAMINATION,), kw_only=True)
    rule: Cutoff = field(default="median", kw_only=True)
    beside: tuple[str, ...] = field(default=(), kw_only=True)

    def require(self, cohort: "Cohort") -> Endpoint:
        """As any task's; CohortError also for a horizon at which its endpoint has no label."""
        for name in self.beside:
            replace(self, endpoint=name, beside=()).require(cohort)
        found = super().require(cohort)
        if isinstance(found, (TimeToEvent, Status)):
            for horizon in self.horizons:
                found.label(cohort.patients, horizon=horizon)
        return found

    @property
    def targets(self) -> tuple[Target, ...]:
        """One an endpoint and horizon."""
        names = (self.endpoint, *self.beside)
        return tuple(Target(endpoint=name, horizon=each) for name in names for each in self.horizons)

    @property
    def cutoff(self) -> Cutoff:
        """As declared."""
        return self.rule


@dataclass(frozen=True)
class MultiClass(Task):
    """Which of several classes? The scores are probabilities, one a class, that sum to 1."""

    KIND: ClassVar[Kind] = "multi_class"
    ENDPOINTS: ClassVar[tuple[type[Endpoint], ...]] = (Classes,)
    classes: tuple[str, ...] = field(kw_only=True)
    ordered: bool = field(default=False, kw_only=True)

    def require(self, cohort: "Cohort") -> Endpoint:
        """As any task's; CohortError also where the cohort declares other classes."""
        found = super().require(cohort)
        if isinstance(found, Classes) and set(found.classes) != set(self.classes):
            raise CohortError(
                f"endpoint {self.endpoint} of {cohort.name} has the classes {', '.join(found.classes)}, wanted"
                f" {', '.join(self.classes)}; correct [endpoints.{self.endpoint}] in cohort.toml"
            )
        return found

    def refuse_absent(self, cohort: "Cohort", patients: Sequence[str]) -> None:
        """CohortError where none of them is of one of the classes: its probability would be a guess."""
        absent = [each for each in self.classes if each not in set(self.strata(cohort).loc[list(patients)])]
        if absent:
            raise CohortError(
                f"got no patient of class {', '.join(absent)} to train on, wanted 3 or more of each; add some, or"
                f" leave the class out of the task and of [endpoints.{self.endpoint}]"
            )


@dataclass(frozen=True)
class Survival(Task):
    """How soon does it happen? The score is any real number, the higher the sooner."""

    KIND: ClassVar[Kind] = "survival"
    ENDPOINTS: ClassVar[tuple[type[Endpoint], ...]] = (TimeToEvent,)
    rule: Cutoff = field(default="median", kw_only=True)

    @property
    def cutoff(self) -> Cutoff:
        """As declared."""
        return self.rule


@dataclass(frozen=True)
class Quantities(Task):
    """How much? Each score is a quantity in its unit (`units` by the quantity's name); an endpoint is optional."""

    KIND: ClassVar[Kind] = "quantities"
    ENDPOINTS: ClassVar[tuple[type[Endpoint], ...]] = (Measured,)
    CLASSES: ClassVar[Literal[1, 2]] = 1
    units: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)

    def unit(self, quantity: str) -> str:
        """As declared, by name; of a quantity without a name the only one."""
        alone = self.units[0][1] if len(self.units) == 1 else ""
        return dict(self.units).get(quantity, "" if quantity else alone)

    def strata(self, cohort: "Cohort") -> pd.Series:
        """As any task's; all patients alike where the cohort has no such endpoint."""
        if self.endpoint in cohort.endpoints:
            return super().strata(cohort)
        return pd.Series(0.0, index=cohort.patients.index)


@dataclass(frozen=True)
class Segmentation(Task):
    """Where is it? The prediction is a mask (column `path`), the score its volume in mL, one a class."""

    KIND: ClassVar[Kind] = "segmentation"
    ENDPOINTS: ClassVar[tuple[type[Endpoint], ...]] = (Outlined,)
    CLASSES: ClassVar[Literal[1, 2]] = 1

    def unit(self, quantity: str) -> str:
        """Of a volume."""
        return "mL"

    def eligible(self, cohort: "Cohort") -> tuple[str, ...]:
        """Patients with a specimen in which it is outlined."""
        found = self.require(cohort)
        outlined = {each.patient_id for each in cohort.specimens if getattr(found, "column", "") in each.attachments}
        return tuple(each for each in cohort.patients.index if each in outlined)


@dataclass(frozen=True)
class Subtypes(Task):
    """Which patients are alike? The prediction is a group; `endpoint` is the survival that groups are compared by."""

    KIND: ClassVar[Kind] = "subtypes"
    ENDPOINTS: ClassVar[tuple[type[Endpoint], ...]] = (TimeToEvent,)


@dataclass(frozen=True)
class Margin(Quantities):
    """How wide is the margin? The score is in mm; the true one, an endpoint, is optional."""

    KIND: ClassVar[Kind] = "margin"
    units: tuple[tuple[str, str], ...] = field(default=(("margin", "mm"),), kw_only=True)
