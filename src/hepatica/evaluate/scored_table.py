"""Scored table: read outcomes and scores from anybody's CSV, and name every fault by column and row."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort.columns import number_cells
from hepatica.cohort.delimited import read_table
from hepatica.cohort.errors import EvaluationError
from hepatica.cohort.faults import Faults, did_you_mean
from hepatica.evaluate.inputs import Floats


@dataclass(frozen=True, kw_only=True)
class BinaryTable:
    """Rows (n,) of a CSV: label 0 or 1, score, and the patient of each row when a column for it was named.

    `other` is a second score and `level` the subgroup, where they were named; `notes` are what the user should hear of
    the rows.
    """

    label: Floats
    score: Floats
    group: np.ndarray | None
    other: Floats | None = None
    level: np.ndarray | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SurvivalTable:
    """Patients (n,) of a CSV: time of 0 or more, event 0, 1, or from 2 on a competing one, score; see BinaryTable."""

    time: Floats
    event: Floats
    score: Floats
    other: Floats | None = None
    level: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def read_binary(
    path: Path,
    *,
    label: str,
    score: str,
    group: str | None = None,
    other: str | None = None,
    subgroup: str | None = None,
) -> BinaryTable:
    """Read the named columns of a CSV; EvaluationError with every fault when one does not fit a BinaryTable."""
    reader = Columns(path)
    labels = reader.zero_or_one(label, wanted="0 (no event) or 1 (event)")
    if labels.size and labels.min() == labels.max() and not reader.faults:
        reader.fault(label, f"is {labels[0]:g} in all {labels.size} rows, wanted rows with 0 and rows with 1")
    scores = reader.numbers(score, wanted="a number")
    others = None if other is None else reader.numbers(other, wanted="a number")
    groups = None if group is None else reader.text(group)
    levels = None if subgroup is None else reader.words(subgroup)
    reader.finish()
    _by_level(levels, groups, path)
    notes = () if group else reader.repeated(label, score, other, subgroup)
    return BinaryTable(label=labels, score=scores, group=groups, other=others, level=levels, notes=notes)


def read_survival(
    path: Path,
    *,
    time: str,
    event: str,
    score: str,
    group: str | None = None,
    other: str | None = None,
    subgroup: str | None = None,
) -> SurvivalTable:
    """Read the named columns of a CSV; EvaluationError with every fault when one does not fit a SurvivalTable.

    Of several rows of one patient (`group` names the column), which must agree in time and event, the scores are
    averaged.
    """
    reader = Columns(path)
    times = reader.numbers(time, wanted="a time of 0 or more", least=0.0)
    wanted = "1 (happened), 0 (censored) or from 2 on a competing event"
    events = reader.whole(event, wanted=wanted)
    if events.size and not (events == 1).any() and not reader.faults:
        reader.fault(event, f"is 1 in none of {events.size} rows, wanted some events (1)")
    found = pd.DataFrame({"time": times, "event": events}) if len(times) == len(events) else pd.DataFrame()
    names = {"score": score} | ({} if other is None else {"other": other})
    columns = {key: reader.numbers(name, wanted="a number") for key, name in names.items()}
    groups = None if group is None else reader.text(group)
    levels = None if subgroup is None else reader.words(subgroup)
    reader.finish()
    found, notes = found.assign(**columns), reader.repeated(time, event, score, other, subgroup)
    levels = _by_level(levels, groups, path)
    if groups is not None:
        found, notes = _by_patient(found, groups, path)
    values = {str(name): np.asarray(cells, np.float64) for name, cells in found.items()}
    return SurvivalTable(**values, level=levels, notes=notes)


def _by_level(levels: np.ndarray | None, groups: np.ndarray | None, path: Path) -> np.ndarray | None:
    """The subgroup of each patient, of each row where no patient has several."""
    if levels is None or groups is None:
        return levels
    by = pd.Series(levels).groupby(groups, sort=False)
    apart = int((by.nunique() > 1).sum())
    if apart:
        raise EvaluationError(
            f"{path.name}: {apart} patients have rows of several subgroups, wanted one of each patient"
        )
    return by.first().to_numpy(str)


def _by_patient(rows: pd.DataFrame, groups: np.ndarray, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    by = rows.groupby(groups, sort=False)
    apart = int((by[["time", "event"]].nunique() > 1).any(axis=1).sum())
    if apart:
        raise EvaluationError(
            f"{path.name}: {apart} patients have rows of different time or event, wanted one of each; give follow-up"
            " from one start"
        )
    return by.mean(), (f"{len(rows)} rows of {by.ngroups} patients; the score of a patient is the mean of their rows",)


class Columns:
    """Columns of one CSV, and the faults found in them so far."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise EvaluationError(f"{path} is not a file; wanted a CSV table with a header")
        self.path, self.faults = path, Faults()
        self.table = read_table(path, self.faults, wanted=(), unique=())
        if self.table is None:
            self.finish()

    def lack(self, *names: str) -> bool:
        """Whether none of these columns is there."""
        assert self.table is not None
        return not set(names) & set(self.table.columns)

    def lengthen(self, *, keep: list[str], name: str, value: str) -> None:
        """Make a row of each cell outside the columns `keep`: its column becomes `name`, the cell `value`."""
        assert self.table is not None
        self.table = self.table.melt([each for each in keep if each in self.table], var_name=name, value_name=value)

    def fault(self, column: str, message: str) -> None:
        """Note one fault of a column."""
        self.faults.add(self.path.name, message, column=column)

    def text(self, name: str, *, wanted: str = "the patient of the row") -> np.ndarray:
        """A column of which no cell is blank."""
        cells = self._column(name)
        self.faults.add_cells(self.path.name, cells[cells == ""], wanted=wanted)
        return cells.to_numpy(str)

    def words(self, name: str) -> np.ndarray:
        """A column whose cells may be blank."""
        return self._column(name).to_numpy(str)

    def numbers(self, name: str, *, wanted: str, least: float = -np.inf) -> Floats:
        """A column of finite numbers, none below `least`."""
        return self._numbers(name, wanted=wanted, right=lambda each: each >= least)

    def zero_or_one(self, name: str, *, wanted: str) -> Floats:
        """A column of 0 and 1."""
        return self._numbers(name, wanted=wanted, right=lambda each: each.isin([0, 1]))

    def whole(self, name: str, *, wanted: str) -> Floats:
        """A column of whole numbers of 0 or more."""
        return self._numbers(name, wanted=wanted, right=lambda each: (each >= 0) & (each == each.round()))

    def repeated(self, *names: str | None) -> tuple[str, ...]:
        """A note where rows repeat each other in all columns, and one of these may name the patient."""
        assert self.table is not None
        again = int(self.table.duplicated().sum()) if set(self.table.columns) - set(names) else 0
        note = f"{again} of {len(self.table)} rows repeat another in every column, and intervals count each; if"
        return (f"{note} patients have several rows, name their column with --group",) if again else ()

    def finish(self) -> None:
        """Raise EvaluationError with all faults; do nothing when there are none."""
        if self.faults:
            raise EvaluationError(str(self.faults))

    def _column(self, name: str) -> pd.Series:
        assert self.table is not None
        if name in self.table.columns:
            return self.table[name]
        self.faults.add(self.path.name, f"has no column {name}; {did_you_mean(name, self.table.columns)}")
        return pd.Series(dtype=str, name=name)

    def _numbers(self, name: str, *, wanted: str, right: Callable[[pd.Series], pd.Series]) -> Floats:
        cells, file = self._column(name), self.path.name
        found = number_cells(cells, self.faults, file=file, wanted=wanted, right=right, blank=False)
        return np.asarray(found, dtype=np.float64)
