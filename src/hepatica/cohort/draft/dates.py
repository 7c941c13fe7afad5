"""Dates: the ways in which hospitals write a day, and which of two numbers is the month."""

import re
from collections.abc import Iterable
from typing import Any, Literal

import pandas as pd

from hepatica.cohort.errors import CohortError

Order = Literal["day-first", "month-first"]

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T].*)?|(\d{4})年(\d{1,2})月(\d{1,2})日")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?: .*)?")
_NAMED = re.compile(r"\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4}")
_SERIAL = re.compile(r"[2-5]\d{4}")
"""Days since 1899-12-30, as a spreadsheet shows an unformatted date: 1954 to 2064."""


def are_dates(filled: pd.Series) -> bool:
    """Whether most cells that are filled are written as dates."""
    written = [bool(_YEAR_FIRST.fullmatch(c) or _YEAR_LAST.fullmatch(c) or _NAMED.fullmatch(c)) for c in filled]
    return bool(written) and sum(written) > 0.5 * len(written)


def order_of(columns: Iterable[pd.Series]) -> Order | None:
    """Which of day and month these dates begin with; None where no date says and none needs it.

    CohortError where dates with slashes may be either, or are both.
    """
    found = [match for cells in columns for cell in cells if (match := _YEAR_LAST.fullmatch(cell))]
    day = any(int(each[1]) > 12 for each in found)
    month = any(int(each[3]) > 12 for each in found)
    if day and month:
        raise CohortError("some dates begin with the day, others with the month; write them as 2024-12-31")
    if found and not day and not month and any(each[2] != "." for each in found):
        raise CohortError(f"dates such as {found[0][0]} may begin with the day or the month; say --dates day-first")
    return ("month-first" if month else "day-first") if found else None


def read_dates(cells: pd.Series, *, order: Order | None) -> pd.Series:
    """The days, missing where a cell is empty or no date. Two digits of a year are of 1930 to 2029."""
    return pd.Series([_date(cell, order) for cell in cells], cells.index, "datetime64[ns]")


def _date(cell: str, order: Order | None) -> Any:
    if match := _YEAR_FIRST.fullmatch(cell):
        year, month, day = (each for each in match.groups() if each)
    elif match := _YEAR_LAST.fullmatch(cell):
        first, _, second, year = match.groups()
        day, month = (second, first) if order == "month-first" else (first, second)
        year = year if len(year) == 4 else f"{'19' if int(year) >= 30 else '20'}{year}"
    elif _SERIAL.fullmatch(cell):
        return pd.Timestamp("1899-12-30") + pd.Timedelta(days=int(cell))
    else:
        return _day(cell if _NAMED.fullmatch(cell) else "")
    return _day(f"{year}-{int(month):02}-{int(day):02}")


def _day(text: str) -> Any:
    return pd.to_datetime(text, errors="coerce")
