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
    """Rows (n,) of a CSV: label 0 or 1, score, and the patient of each row when a column for it was named."""

    label: Floats
    score: Floats
    group: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class SurvivalTable:
    """Rows (n,) of a CSV: time of 0 or more, event 0 or 1, score."""

    time: Floats
    event: Floats
    score: Floats


def read_binary(path: Path, *, label: str, score: str, group: str | None = None) -> BinaryTable:
    """Read the named columns of a CSV; EvaluationError with every fault when one does not fit a BinaryTable."""
    reader = Columns(path)
    labels = reader.zero_or_one(label, wanted="0 (no event) or 1 (event)")
    if labels.size and labels.min() == labels.max() and not reader.faults:
        reader.fault(label, f"is {labels[0]:g} in all {labels.size} rows, wanted rows with 0 and rows with 1")
    scores = reader.numbers(score, wanted="a number")
    groups = None if group is None else reader.text(group)
    reader.finish()
    return BinaryTable(label=labels, score=scores, group=groups)


def read_survival(path: Path, *, time: str, event: str, score: str) -> SurvivalTable:
    """Read the named columns of a CSV; EvaluationError with every fault when one does not fit a SurvivalTable."""
    reader = Columns(path)
    times = reader.numbers(time, wanted="a time of 0 or more", least=0.0)
    events = reader.zero_or_one(event, wanted="1 (happened) or 0 (censored)")
    if events.size and not events.any() and not reader.faults:
        reader.fault(event, f"is 0 in all {events.size} rows, wanted some events (1)")
    scores = reader.numbers(score, wanted="a number")
    reader.finish()
    return SurvivalTable(time=times, event=events, score=scores)


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
