"""Columns: read the columns of a hand-made table and name every fault by file, row and column."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort.errors import CohortError

MOST_MONTHS = 1200
"""A hundred years of follow-up: what is longer was given in days. Ours."""


@dataclass
class Faults:
    """Faults found so far; raised together so that a table is mended in one go."""

    found: list[str] = field(default_factory=list)

    def add(self, file: str, message: str, row: int | None = None, column: str | None = None) -> None:
        """Note one fault, once; `row` counts as a spreadsheet does, the header being row 1."""
        place = "".join((f" row {row}" if row else "", f" column {column}" if column else ""))
        self.found.append(f"{file}{place}{':' if place else ''} {message}")

    def raise_if_any(self, folder: Path) -> None:
        """Raise CohortError with all faults; do nothing when there are none."""
        found = list(dict.fromkeys(self.found))
        if found:
            count = "1 fault" if len(found) == 1 else f"{len(found)} faults"
            raise CohortError(f"{folder} has {count}: " + "; ".join(found))


def read_table(path: Path, faults: Faults, *, wanted: Sequence[str], unique: Sequence[str]) -> pd.DataFrame | None:
    """Read a CSV as text, indexed by spreadsheet row; None when it is no table at all.

    A wanted column may be absent from what is returned, which is a fault like a blank in it; so is a value that stands
    twice in a unique column. Rows that are blank throughout are passed over. Nothing is taken for missing but an empty
    cell: pandas would read the category "None" as a blank.
    """
    table = _squared(path, _lines(path, faults), faults)
    if table is None:
        return None
    if table.empty:
        faults.add(path.name, "has no rows")
    for name in wanted:
        if name not in table.columns:
            faults.add(path.name, f"has no column {name}; it has {', '.join(table.columns)}")
            continue
        for row in table.index[table[name] == ""]:
            faults.add(path.name, "is blank", row, name)
    for name in table.columns.intersection(list(unique)):
        filled = table.loc[table[name] != "", name]
        first = dict(zip(filled[::-1], filled.index[::-1], strict=True))
        for row in filled.index[filled.duplicated()]:
            faults.add(path.name, f"the same {name} stands in row {first[filled[row]]} already", row, name)
    return table


def _lines(path: Path, faults: Faults) -> dict[int, list[str]]:
    """The cells of each row that is not blank; not by pandas, which shifts rows that have a cell too many."""
    if not path.is_file():
        faults.add(path.name, "is missing")
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in cells] for cells in csv.reader(file, strict=True)]
    except (csv.Error, UnicodeDecodeError) as error:
        faults.add(path.name, f"is not a readable UTF-8 CSV table: {error}")
        return {}
    filled = {row: cells for row, cells in enumerate(rows, start=1) if any(cells)}
    if not filled:
        faults.add(path.name, "is empty")
    return filled


def _squared(path: Path, lines: dict[int, list[str]], faults: Faults) -> pd.DataFrame | None:
    if not lines:
        return None
    header, *rows = lines.values()
    width = max(place for place, name in enumerate(header, start=1) if name)
    header = header[:width]
    twins = [name for name, count in Counter(header).items() if count > 1 or not name]
    if twins:
        names = ", ".join(map(repr, twins))
        faults.add(path.name, f"wanted a name of its own for each column, got {names} blank or more than once")
        return None
    index = list(lines)[1:]
    for row, cells in zip(index, rows, strict=True):
        if len(cells) < width or any(cells[width:]):
            message = f"got {len(cells)} cells, wanted {width} as in the header; put a cell that has a comma in quotes"
            faults.add(path.name, message, row)
    squared = [(cells + [""] * width)[:width] for cells in rows]
    return pd.DataFrame(squared, index=index, columns=header, dtype=str)


def _checked(table: pd.DataFrame, name: str, faults: Faults, *, wanted: str) -> pd.Series:
    if name not in table.columns:
        faults.add("patients.csv", f"has no column {name}, which cohort.toml names; it has {', '.join(table.columns)}")
        return pd.Series(np.nan, index=table.index)
    numbers = pd.to_numeric(table[name], errors="coerce")
    for row in table.index[numbers.isna()]:
        faults.add("patients.csv", f"got {table.at[row, name]!r}, wanted {wanted}", row, name)
    return numbers


def time_column(table: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    """Months of follow-up: a number of 0 to MOST_MONTHS in every row."""
    wanted = f"months of follow-up, 0 to {MOST_MONTHS}"
    time = _checked(table, name, faults, wanted=wanted)
    for row in table.index[(time < 0) | (time > MOST_MONTHS)]:
        faults.add("patients.csv", f"got {table.at[row, name]!r}, wanted {wanted}", row, name)
    return time.astype(float)


def event_column(table: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    """Event indicator: 1 happened, 0 censored, in every row."""
    return _yes_or_no(table, name, faults, wanted="1 (happened) or 0 (censored)").fillna(0).astype(int)


def label_column(table: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    """Label of a diagnosis: 1 present, 0 absent, missing where the cell is empty."""
    filled = table[table[name] != ""] if name in table.columns else table
    label = _yes_or_no(filled, name, faults, wanted="1 (present), 0 (absent) or an empty cell (unknown)")
    return label.astype(float).reindex(table.index)


def _yes_or_no(table: pd.DataFrame, name: str, faults: Faults, *, wanted: str) -> pd.Series:
    answers = _checked(table, name, faults, wanted=wanted)
    for row in table.index[answers.notna() & ~answers.isin([0, 1])]:
        faults.add("patients.csv", f"got {table.at[row, name]!r}, wanted {wanted}", row, name)
    return answers


def as_covariate(column: pd.Series) -> pd.Series:
    """A covariate as numbers where every filled cell is one, else as text; empty cells are missing."""
    filled = column.where(column != "")
    numbers = pd.to_numeric(filled, errors="coerce")
    return numbers.astype(float) if numbers.notna().equals(filled.notna()) else filled
