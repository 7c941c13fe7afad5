"""Dates: the ways in which hospitals write a day, and which of two numbers is the month."""

import re
from collections.abc import Iterable
from typing import Any, Literal

import pandas as pd

from hepatica.cohort.errors import CohortError

Order = Literal["day-first", "month-first"]

_YEAR_FIRST = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T].*)?|(\d{4})年(\d{1,2})月(\d{1,2})日"
    r"|((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?: .*)?")
_NAMED = re.compile(r"\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4}")
_SERIAL = re.compile(r"[2-5]\d{4}")
"""Days since 1899-12-30, as a spreadsheet shows an unformatted date: 1954 to 2064."""


def are_dates(filled: pd.Series) -> bool:
    """Whether most cells that are filled are written as dates."""
    return bool(len(filled) and written(filled).mean() > 0.5)


def written(cells: pd.Series) -> pd.Series:
    """Which cells are written as a day."""
    ways = (_YEAR_FIRST, _YEAR_LAST, _NAMED)
    return cells.map(lambda cell: any(way.fullmatch(cell) for way in ways)).astype(bool)


def _exchanged(cells: pd.Series) -> bool:
    """Whether a spreadsheet may have taken days for months: all it typed as dates have days up to 12, and others are
    still text that begins with a day above 12.
    """
    typed = [int(match[3]) for cell in cells if (match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", cell))]
    text = [int(match[1]) for cell in cells if (match := _YEAR_LAST.fullmatch(cell))]
    return bool(len(typed) > 2 and text and max(typed) <= 12 < min(text))


def order_of(columns: Iterable[pd.Series]) -> Order | None:
    """Which of day and month these dates begin with; None where no date says and none needs it.

    CohortError where dates with slashes may be either, are both, or were exchanged by a spreadsheet.
    """
    columns = list(columns)
    found = [match for cells in columns for cell in cells if (match := _YEAR_LAST.fullmatch(cell))]
    day = any(int(each[1]) > 12 for each in found)
    month = any(int(each[3]) > 12 for each in found)
    if any(map(_exchanged, columns)):
        raise CohortError(
            "a column has both typed dates with days up to 12 and text with days above 12: the spreadsheet may have"
            " exchanged day and month of the typed ones; write all as 2024-12-31, or say --dates where they are right"
        )
    if day and month:
        raise CohortError("some dates begin with the day, others with the month; write them as 2024-12-31")
    if found and not day and not month and any(each[2] != "." for each in found):
        raise CohortError(f"dates such as {found[0][0]} may begin with the day or the month; say --dates day-first")
    return ("month-first" if month else "day-first") if found else None


def read_dates(cells: pd.Series, *, order: Order | None) -> pd.Series:
    """The days, missing where a cell is empty, no date, or to come. Two digits of a year are of 1930 to 2029."""
    days = pd.Series([_date(cell, order) for cell in cells], cells.index, "datetime64[ns]")
    return days.where(days <= pd.Timestamp.now())


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
