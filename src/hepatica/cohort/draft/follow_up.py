"""Follow-up: months and events of each endpoint, from times, events and dates as a hospital writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from hepatica.cohort.columns import LONG_MONTHS
from hepatica.cohort.draft.dates import Order, read_dates
from hepatica.cohort.draft.roles import Role, meant, unit, words, yes_no
from hepatica.cohort.faults import rows_in_words
from hepatica.cohort.further_table import UNITS

DEATH = "overall_survival"
OLDEST = 90
"""Years above which an age alone may identify a person (HIPAA, 45 CFR 164.514): 90 is written for all of them."""


@dataclass(kw_only=True)
class FollowUp:
    """`columns` are new columns of patients.csv, `endpoints` their declarations; `notes` say how they were made."""

    columns: dict[str, pd.Series] = field(default_factory=dict)
    endpoints: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def follow_up(table: pd.DataFrame, found: Mapping[str, Role], *, order: Order | None) -> FollowUp:
    """Each endpoint that has a time and an event, in months from the index date; and age, where a birth date is known.

    The time is that of its column, in the unit of its name (months where it has none), else from the index date to the
    date of the event, or without one to death or the last visit. An event is that of its column, else there is one
    where it has a date; a death without recurrence or progression is a competing event (2) there. Where there is no
    date of death, the last visit is taken for it. A time is blank where it would be negative, and where an event of a
    column has no date.
    """
    made = FollowUp()
    dates = {r.name: read_dates(table[c], order=order) for c, r in found.items() if r.kind == "dates"}
    unread = {r.name: _unread(table[c], dates[r.name], made) for c, r in found.items() if r.kind == "dates"}
    _age(table, found, dates, made, order=order)
    never = pd.Series(pd.NaT, table.index, "datetime64[ns]")
    last, dead = dates.get("last_seen", never), dates.get("death", never)
    for name, own in (
        ("recurrence", dates.get("recurrence")),
        ("progression", dates.get("progression")),
        (DEATH, dead),
    ):
        event = _events(table, found, made, name=name)
        if event is None and own is not None and own is not never:
            event = own.notna().astype("Int64").mask(own.isna() & dead.notna(), 2)
            event = event.mask(own.isna() & (unread.get(name, False) | unread.get("death", False)))
        months = _months(table, found, made, name=name)
        if months is None and event is not None and "index" in dates and own is not None:
            own = last if own is never else own
            end = own.where(event == 1, last if name == DEATH else dead.fillna(last))
            months = _since(dates["index"], end, made, name=name)
            dated = own.notna() & (own is not last)
            for text, chosen in {
                "an event but no date of it": (event == 1) & own.isna(),
                "a date but no event; the event is taken": (event == 0) & dated,
                "later than death or the last visit; check": dated & (name != DEATH) & (own > dead.fillna(last)),
            }.items():
                made.notes += [f"{name}: {text}: {rows_in_words(table.index[chosen])}"] if chosen.any() else []
        if months is not None and event is not None:
            made.columns |= {f"{name}_months": months.round(2), f"{name}_event": event}
            made.endpoints[name] = {"time": f"{name}_months", "event": f"{name}_event"}
        elif (months is None) != (event is None):
            lacking = "events" if event is None else "times, and no dates to compute them from"
            made.notes.append(f"{name} has no {lacking}: it is left out")
    return made


def _unread(cells: pd.Series, days: pd.Series, made: FollowUp) -> pd.Series:
    """Where a cell says something that is neither a day nor a no."""
    found = (cells != "") & days.isna() & (yes_no(cells) != 0).fillna(True)
    if found.any():
        made.notes.append(
            f"{cells.name!r} is no day of the past, taken for unknown: {rows_in_words(cells.index[found])}"
        )
    return found


def _of(table: pd.DataFrame, found: Mapping[str, Role], kind: str, name: str) -> pd.Series | None:
    return next((table[column] for column, role in found.items() if role == Role(kind=kind, name=name)), None)


def _months(table: pd.DataFrame, found: Mapping[str, Role], made: FollowUp, *, name: str) -> pd.Series | None:
    cells = _of(table, found, "times", name)
    if cells is None:
        return None
    known = unit(str(cells.name))
    months = pd.to_numeric(cells, errors="coerce") * UNITS[known or "months"]
    made.notes.append(f"{name}: {cells.name!r} is in {known or 'months (its name does not say; check it)'}")
    if not known and months.median() > LONG_MONTHS:
        made.notes.append(f"{name}: a median of {months.median():g} months: these may be days; name the unit")
    return months


def _since(index: pd.Series, end: pd.Series, made: FollowUp, *, name: str) -> pd.Series:
    months = (end - index).dt.days * UNITS["days"]
    if early := [*index.index[months < 0]]:
        made.notes.append(f"{name}: the end is before the index date, the time is left blank: {rows_in_words(early)}")
    return months.where(months >= 0)


def _events(table: pd.DataFrame, found: Mapping[str, Role], made: FollowUp, *, name: str) -> pd.Series | None:
    cells = _of(table, found, "events", name)
    if cells is not None:
        cells = meant(cells)
        if (cells == "2").any():
            made.notes.append(f"{name}: 2 in {cells.name!r} is taken for a competing event, such as death; check it")
        coded = cells.where(cells.isin(["0", "1", "2"])).astype("Int64") if (cells == "2").any() else yes_no(cells)
        return coded  # 2 is a competing event, as in a cohort folder
    cells = _of(table, found, "inverted", name)
    return (
        None if cells is None else yes_no(cells).mask(meant(cells).str.lower().isin(words("plain")), 1 - yes_no(cells))
    )


def _age(
    table: pd.DataFrame,
    found: Mapping[str, Role],
    dates: Mapping[str, pd.Series],
    made: FollowUp,
    *,
    order: Order | None,
) -> None:
    born = _of(table, found, "identifiers", "birth date")
    if born is not None and "index" in dates:
        days = (dates["index"] - read_dates(born, order=order)).dt.days
        made.columns["age_years"] = (days // 365.25).where(days >= 0).clip(upper=OLDEST).astype("Int64")
