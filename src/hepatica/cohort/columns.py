"""Columns: the kinds of value a column of a hand-made table may hold; every other cell is a fault."""

import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from hepatica.cohort.endpoints import Classes, Endpoint, LesionClasses, Measured, Status, TimeToEvent
from hepatica.cohort.faults import Faults, did_you_mean, listed

MOST_MONTHS = 600
"""Fifty years of follow-up: what is longer was given in days. Ours."""

LONG_MONTHS = 120
"""A median follow-up above ten years is rare, and usual where days were given: it is warned about. Ours."""

MOST_CODES = 5
"""A column of at most so many different whole numbers may be of stages or grades, other cells among them. Ours."""

_NINES = r"-9{2,}(?:\.0*)?"
_DECLARE = "a code of unknown values is declared in cohort.toml, such as missing = [-999, 'NA'], or [] for none"
_FILE = "patients.csv"


def outcome_columns(table: pd.DataFrame, endpoint: Endpoint, faults: Faults) -> dict[str, pd.Series]:
    """The columns of patients.csv that an endpoint names, read as its kind says."""
    match endpoint:
        case TimeToEvent(time=time, event=event):
            return {time: time_column(table, time, faults), event: event_column(table, event, faults)}
        case Status(column=column):
            return {column: label_column(table, column, faults)}
        case LesionClasses():
            return {}  # of lesions.csv
        case Classes(column=column, classes=classes):
            return {column: class_column(table, column, faults, classes=classes)}
        case Measured(column=column, unit=unit):
            return {column: value_column(table, column, faults, unit=unit)}
        case _:
            return {}


def time_column(table: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    """Months of follow-up: a number of 0 to MOST_MONTHS in every row; warns of a median above LONG_MONTHS."""
    wanted = f"months of follow-up, 0 to {MOST_MONTHS}; divide days by 30.4375"
    months = _numbers(table, name, faults, wanted=wanted, right=lambda each: each.between(0, MOST_MONTHS))
    if months.notna().all() and (median := months.quantile(0.5)) > LONG_MONTHS:
        warnings.warn(
            f"{_FILE} column {name}: the median follow-up is {round(median, 1):g} months ({median / 12:.0f} years);"
            " if these are days, divide them by 30.4375",
            stacklevel=2,
        )
    return months


def event_column(table: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    """Event indicator: 1 happened, 0 censored, 2 a competing event, in every row."""
    wanted = "1 (happened), 0 (censored) or 2 (a competing event)"
    event = _numbers(table, name, faults, wanted=wanted, right=lambda each: each.isin([0, 1, 2]))
    return event.fillna(0).astype(int)


def label_column(table: pd.DataFrame, name: str, faults: Faults) -> pd.Series:
    """Label of a diagnosis: 1 present, 0 absent, missing where the cell is empty."""
    wanted = "1 (present), 0 (absent) or an empty cell (unknown)"
    return _numbers(table, name, faults, wanted=wanted, right=lambda each: each.isin([0, 1]), blank=True)


def value_column(table: pd.DataFrame, name: str, faults: Faults, *, unit: str) -> pd.Series:
    """A measured value in its unit, missing where the cell is empty."""
    wanted = f"a number in {unit} or an empty cell (unknown)"
    return _numbers(table, name, faults, wanted=wanted, right=np.isfinite, blank=True)


def class_column(
    table: pd.DataFrame, name: str, faults: Faults, *, classes: Sequence[str], file: str = _FILE
) -> pd.Series:
    """The class of each patient, or lesion, missing where the cell is empty."""
    cells = _cells(table, name, faults, file=file)
    known = cells.isin(classes)
    for row, cell in cells[~known & (cells != "")].items():
        message = f"got {cell!r}, wanted a class of cohort.toml ({listed(classes)})"
        faults.add(file, f"{message}; {did_you_mean(cell, classes, near=0)}", row, name)
    return cells.where(known)


def covariate(cells: pd.Series, faults: Faults, *, file: str) -> pd.Series:
    """A covariate as numbers where every filled cell is one, else as text; empty cells are missing.

    Where the numbers are measured values (of decimals, or of more than MOST_CODES kinds) and at least half of the
    filled cells, each other cell is a fault: ">1000" would make them all text.
    """
    blank = cells == ""
    numbers = pd.Series(pd.to_numeric(cells.to_numpy(object), errors="coerce"), cells.index, float, cells.name)
    finite = np.isfinite(numbers)
    others = cells[~finite & ~blank]
    if others.empty:
        return numbers
    found = numbers[finite]
    measured = len(found) >= len(others) and (found.nunique() > MOST_CODES or bool((found % 1 != 0).any()))
    if not measured:
        return cells.mask(blank)
    faults.add_cells(file, others, wanted=f"a number as in {len(found)} other rows, or an empty cell; {_DECLARE}")
    return numbers.where(finite)


def without_codes(
    table: pd.DataFrame, codes: Sequence[float | str] | None, faults: Faults, *, file: str, kept: Iterable[str]
) -> pd.DataFrame:
    """The table with an empty cell for each of the declared codes of a missing value, but for the columns `kept`.

    Where none are declared (None), -99, -999 and so on is a fault in a column of numbers that are never negative else.
    """
    numeric = {float(code) for code in codes or () if not isinstance(code, str)}
    found = {}
    for name in table.columns.drop([*kept], errors="ignore"):
        cells = table[name]
        numbers = pd.to_numeric(cells, errors="coerce")
        if codes is not None:
            found[name] = cells.mask(cells.isin([*codes]) | numbers.isin(numeric), "")
            continue
        code = cells.str.fullmatch(_NINES)
        if code.any() and not (numbers[~code] < 0).any() and numbers[~code & (cells != "")].notna().all():
            faults.add_cells(file, cells[code], wanted=f"a value or an empty cell; {_DECLARE}")
    return table.assign(**found)


def number_cells(
    cells: pd.Series, faults: Faults, *, file: str, wanted: str, right: Callable[[pd.Series], pd.Series], blank: bool
) -> pd.Series:
    """The cells as numbers, missing where empty (a fault unless `blank`) and where they are not `right` (a fault)."""
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    good = right(numbers) & np.isfinite(numbers)
    faults.add_cells(file, cells[~good & ~(blank & (cells == ""))], wanted=wanted)
    return numbers.where(good)


def _numbers(
    table: pd.DataFrame,
    name: str,
    faults: Faults,
    *,
    wanted: str,
    right: Callable[[pd.Series], pd.Series],
    blank: bool = False,
) -> pd.Series:
    cells = _cells(table, name, faults)
    blank = blank or name not in table.columns
    return number_cells(cells, faults, file=_FILE, wanted=wanted, right=right, blank=blank)


def _cells(table: pd.DataFrame, name: str, faults: Faults, *, file: str = _FILE) -> pd.Series:
    """The column of that name; a column of empty cells, and a fault, where there is none."""
    if name in table.columns:
        return table[name]
    faults.add(file, f"has no column {name}, which cohort.toml names; {did_you_mean(name, table.columns)}")
    return pd.Series("", index=table.index, name=name, dtype=object)
