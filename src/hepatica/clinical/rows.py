"""Rows: columns of a cohort's tables as vectors, one a patient."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.clinical.inputs import Inputs
from hepatica.clinical.quantities import COLUMNS, QUANTITIES
from hepatica.cohort import Cohort, CohortError, SettingsError, TimeToEvent
from hepatica.cohort.faults import listed
from hepatica.protocol.rows import RowStore


def read_rows(cohort: Cohort, *, columns: Sequence[str]) -> RowStore:
    """The columns of every patient; `COLUMN=VALUE` is 1 where a column of categories has that value, else 0.

    `TABLE.COLUMN` is the patient's last value, up to the index date, in a table of cohort.toml (ours); `log10 COLUMN`
    the logarithm, missing for 0 and less. SettingsError without columns and for one of follow-up; CohortError for a
    column that is absent or not numeric, or whose values are impossible in the unit of its name.
    """
    if not columns:
        raise SettingsError("got no columns to read; name some, such as --set 'columns=[\"afp_ng_ml\"]'")
    values = np.stack([column_of(cohort, name) for name in columns], axis=1).astype(np.float32)
    return RowStore.of(cohort, columns=columns, values=values)


def column_of(cohort: Cohort, name: str) -> NDArray[np.float64]:
    """One column of every patient (n,), as `read_rows` names it."""
    if name.startswith("log10 "):
        plain = column_of(cohort, name.removeprefix("log10 "))
        return np.log10(plain, out=np.full_like(plain, np.nan), where=plain > 0)
    column, _, category = name.partition("=")
    followed = [each for each in cohort.endpoints.values() if isinstance(each, TimeToEvent)]
    if any(column in (each.time, each.event) for each in followed):
        raise SettingsError(f"got the column {column}, wanted one known at the index date: it is the follow-up")
    table, dot, inner = column.partition(".")
    found = cohort.last(table, column=inner) if dot else cohort.patients.get(column)
    if found is None:
        alone = "none: files alone have no patients.csv; give a cohort folder"
        have = ", ".join(map(str, cohort.patients.columns)) or alone
        raise CohortError(f"cohort {cohort.name} has no column {column!r} in patients.csv; it has {have}")
    if category:
        return _categories(found, category=category, cohort=cohort.name)
    if not dot and column in COLUMNS and QUANTITIES[COLUMNS[column][0]].units:
        inputs = Inputs(found.to_frame(column), name="patients.csv")
        values = inputs[column]
        inputs.faults.raise_if_any(f"cohort {cohort.name}")
        return values
    return numeric(found, name=column, cohort=cohort.name)


def _categories(found: pd.Series, *, category: str, cohort: str) -> NDArray[np.float64]:
    """1 where a column has this category, in any case; CohortError where it names its known categories otherwise."""
    cells = found.astype("string").str.strip().str.casefold()
    levels = QUANTITIES[str(found.name)].levels if str(found.name) in QUANTITIES else ()
    same, strange = cells == category.casefold(), sorted({*cells.dropna()} - {each.casefold() for each in levels})
    if levels and strange and not same.any():
        raise CohortError(
            f"column {found.name} of {cohort} has {listed(strange)}, wanted {', '.join(levels)}; recode it"
        )
    return np.asarray(same.astype("Float64").to_numpy(np.float64, na_value=np.nan), np.float64)


def numeric(values: pd.Series, *, name: str, cohort: str) -> NDArray[np.float64]:
    """A column as numbers, NaN where one is missing; CohortError for one of categories."""
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        some = ", ".join(sorted(values.dropna().astype(str).unique())[:4])
        raise CohortError(
            f"column {name} of {cohort} is not numeric; name a category, such as {name}=VALUE of {some}"
        ) from None
