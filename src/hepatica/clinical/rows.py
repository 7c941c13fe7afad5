"""Rows: columns of a cohort's tables as vectors, one a patient."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.cohort import Cohort, CohortError, SettingsError
from hepatica.protocol.rows import RowStore


def read_rows(cohort: Cohort, *, columns: Sequence[str]) -> RowStore:
    """The columns of every patient; `COLUMN=VALUE` is 1 where a column of categories has that value, else 0.

    `TABLE.COLUMN` is the patient's last value, up to the index date, in a table of cohort.toml (ours); `log10 COLUMN`
    the logarithm, missing for 0 and less. SettingsError without columns; CohortError for a column that is absent or not
    numeric.
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
    table, dot, inner = column.partition(".")
    found = cohort.last(table, column=inner) if dot else cohort.patients.get(column)
    if found is None:
        have = ", ".join(map(str, cohort.patients.columns))
        raise CohortError(f"cohort {cohort.name} has no column {column!r} in patients.csv; it has {have}")
    if category:
        return np.where(found.isna(), np.nan, (found.astype(str) == category).astype(float))
    return numeric(found, name=column, cohort=cohort.name)


def numeric(values: pd.Series, *, name: str, cohort: str) -> NDArray[np.float64]:
    """A column as numbers, NaN where one is missing; CohortError for one of categories."""
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        some = ", ".join(sorted(values.dropna().astype(str).unique())[:4])
        raise CohortError(
            f"column {name} of {cohort} is not numeric; name a category, such as {name}=VALUE of {some}"
        ) from None
