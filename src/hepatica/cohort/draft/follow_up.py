"""Follow-up: months and events of each endpoint, from times, events and dates as a hospital writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from hepatica.cohort.columns import LONG_MONTHS
from hepatica.cohort.draft.dates import Order, read_dates
from hepatica.cohort.draft.roles import Role, unit, yes_no
from hepatica.cohort.faults import rows_in_words
from hepatica.cohort.further_table import UNITS

DEATH = "overall_survival"
OLDEST = 90
"""Years above which an age alone may identify a person (HIPAA, 45 CFR 164.514): 90 stands for all of them."""


@dataclass(kw_only=True)
class FollowUp:
    """`columns` are new columns of patients.csv, `endpoints` their declarations; `notes` say how they were made."""

    columns: dict[str, pd.Series] = field(default_factory=dict)
    endpoints: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def follow_up(table: pd.DataFrame, found: Mapping[str, Role], *, order: Order | None) -> FollowUp:
    """Each endpoint that has a time and an event, in months from the index date; and age, where a birth date is known.

    The time is that of its column, in the unit of its name (months where it has none), else from the index date to the
    event, or to the last visit. An event is that of its column, else there is one where it has a date; a death without
    recurrence or progression is a competing event (2) there. A time that would be negative is blank.
    """
    made = FollowUp()
    dates = {r.name: read_dates(table[c], order=order) for c, r in found.items() if r.kind == "dates"}
    _age(table, found, dates, made, order=order)
    for name, ended in (("recurrence", "recurrence"), ("progression", "progression"), (DEATH, "death")):
        event, own = _events(table, found, name), dates.get(ended, _never(table))
        timed = _of(table, found, "times", name) is not None
        if event is None and ended not in dates and not timed:
            continue
        months = _months(table, found, dates, made, name=name, ended=ended)
        if event is None and ended in dates:
            event = own.notna().astype("Int64")
            event = event.mask(own.isna() & dates.get("death", own).notna(), 2) if name != DEATH else event
        if months is None or event is None:
            lacking = "events" if event is None else "times, and no index date and last visit to compute them"
            made.notes.append(f"{name} has no {lacking}: it is left out")
            continue
        if dated := [*table.index[(event == 0) & own.notna()]]:
            made.notes.append(f"{name}: {rows_in_words(dated)} have a date of it but no event; the event is taken")
        made.columns |= {f"{name}_months": months.round(2), f"{name}_event": event}
        made.endpoints[name] = {"time": f"{name}_months", "event": f"{name}_event"}
    return made


def _never(table: pd.DataFrame) -> pd.Series:
    return pd.Series(pd.NaT, table.index, "datetime64[ns]")


def _of(table: pd.DataFrame, found: Mapping[str, Role], kind: str, name: str) -> pd.Series | None:
    return next((table[column] for column, role in found.items() if role == Role(kind=kind, name=name)), None)


def _months(
    table: pd.DataFrame,
    found: Mapping[str, Role],
    dates: Mapping[str, pd.Series],
    made: FollowUp,
    *,
    name: str,
    ended: str,
) -> pd.Series | None:
    cells = _of(table, found, "times", name)
    if cells is not None:
        known = unit(str(cells.name))
        months = pd.to_numeric(cells, errors="coerce") * UNITS[known or "months"]
        made.notes.append(f"{name}: {cells.name!r} is in {known or 'months (its name does not say; check it)'}")
        if not known and months.median() > LONG_MONTHS:
            made.notes.append(f"{name}: a median of {months.median():g} months: these may be days; name the unit")
        return months
    if "index" not in dates or not {ended, "last_seen"} & dates.keys():
        return None
    end = dates.get(ended, _never(table)).fillna(dates.get("death", _never(table)))
    end = end.fillna(dates.get("last_seen", _never(table)))
    months = (end - dates["index"]).dt.days * UNITS["days"]
    if early := [*table.index[months < 0]]:
        made.notes.append(f"{name}: {rows_in_words(early)} end before the index date; their time is left blank")
    return months.where(months >= 0)


def _events(table: pd.DataFrame, found: Mapping[str, Role], name: str) -> pd.Series | None:
    cells = _of(table, found, "events", name)
    if cells is not None:
        coded = cells.where(cells.isin(["0", "1", "2"])).astype("Int64") if (cells == "2").any() else yes_no(cells)
        return coded  # 2 is a competing event, as in a cohort folder
    cells = _of(table, found, "inverted", name)
    return None if cells is None else 1 - yes_no(cells)


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
