"""Rows: columns of a cohort's tables as vectors, one a patient, which `hepatica.learn` reads as its inputs."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from hepatica.cohort import Cohort, CohortError, SettingsError
from hepatica.cohort.preparation import selected
from hepatica.networks import Standardise


@dataclass(frozen=True, kw_only=True, eq=False)
class RowStore:
    """Values of many patients: `columns` names them, `values` (n, d) float32 has NaN where one is missing.

    `index` and `specimens`: one row a patient: patient_id, specimen_id (the same), place (row of `values`); key in
    `specimens`. `failures`: patients of whom every value is missing: patient_id, specimen_id, row, error.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float32]
    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame

    def __len__(self) -> int:
        return len(self.index)

    def read(self, indices: np.ndarray) -> NDArray[np.float32]:
        """Values of these rows of `index`: (b d)."""
        chosen: NDArray[np.float32] = self.values[self.index["place"].to_numpy()[indices]]
        return chosen

    def select(
        self, *, patient_ids: Iterable[str] | None = None, specimen_ids: Iterable[str] | None = None
    ) -> "RowStore":
        """The same store with these patients only, in the store's own order."""
        return selected(self, patient_id=patient_ids, specimen_id=specimen_ids)

    def standardise(self, network: nn.Module, *, patients: Iterable[str]) -> None:
        """Fix mean and SD of the network's `Standardise` layers by the rows of these patients, those of training.

        CohortError where a column has one value for all of them: nothing could be learnt from it.
        """
        chosen = self.select(patient_ids=patients)
        values = chosen.read(np.arange(len(chosen)))
        alike = [name for name, column in zip(self.columns, values.T, strict=True) if np.unique(column).size < 2]
        if alike:
            raise CohortError(
                f"got the same value of {', '.join(alike)} for all {len(values)} training patients, wanted two or more;"
                " check the name of the category, or leave the column out"
            )
        for layer in network.modules():
            if isinstance(layer, Standardise):
                layer.fit(values)


def read_rows(cohort: Cohort, *, columns: Sequence[str]) -> RowStore:
    """The columns of every patient; `COLUMN=VALUE` is 1 where a column of categories has that value, else 0.

    `TABLE.COLUMN` is the patient's last value in a table of cohort.toml (ours); `log10 COLUMN` the logarithm, missing
    for 0 and less. SettingsError without columns;
    CohortError for a column that is absent or not numeric.
    """
    if not columns:
        raise SettingsError("got no columns to read; name some, such as --set 'columns=[\"afp_ng_ml\"]'")
    values = np.stack([_column(cohort, name) for name in columns], axis=1).astype(np.float32)
    ids = cohort.patients.index.astype(str).to_numpy()
    owners = [f"{cohort.hospital}\0{who}\0".encode() for who in ids]
    keys = [hashlib.sha256(owner + row.tobytes()).hexdigest() for owner, row in zip(owners, values, strict=True)]
    table = pd.DataFrame({"patient_id": ids, "specimen_id": ids, "place": np.arange(len(ids))})
    known = np.isfinite(values).any(axis=1)
    lost = pd.DataFrame(table[~known]).reset_index(drop=True)
    index = pd.DataFrame(table[known]).reset_index(drop=True)
    failures = lost.assign(row=lost["place"] + 2, error=f"no value of {', '.join(columns)}").drop(columns="place")
    specimens = index.assign(key=np.array(keys, dtype=object)[known])
    return RowStore(columns=tuple(columns), values=values, index=index, specimens=specimens, failures=failures)


def _column(cohort: Cohort, name: str) -> NDArray[np.float64]:
    if name.startswith("log10 "):
        plain = _column(cohort, name.removeprefix("log10 "))
        return np.log10(plain, out=np.full_like(plain, np.nan), where=plain > 0)
    column, _, category = name.partition("=")
    table, dot, inner = column.partition(".")
    found = cohort.last(table, column=inner) if dot else cohort.patients.get(column)
    if found is None:
        have = ", ".join(map(str, cohort.patients.columns))
        raise CohortError(f"cohort {cohort.name} has no column {column!r} in patients.csv; it has {have}")
    if category:
        return np.where(found.isna(), np.nan, (found.astype(str) == category).astype(float))
    try:
        return found.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        values = ", ".join(sorted(found.dropna().astype(str).unique())[:4])
        raise CohortError(
            f"column {column} of {cohort.name} is not numeric; name a category, such as {column}=VALUE of {values}"
        ) from None
