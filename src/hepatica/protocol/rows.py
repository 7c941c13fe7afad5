"""Rows: vectors of measured values, one a patient, as `hepatica.learn` reads them, and what moves their score."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from hepatica.cohort import Cohort, CohortError
from hepatica.cohort.faults import listed
from hepatica.cohort.preparation import Store
from hepatica.networks import Standardise
from hepatica.protocol.plain import log_odds
from hepatica.saliency.grad_cam import evaluating


@dataclass(frozen=True, kw_only=True, eq=False)
class RowStore(Store):
    """Values of many patients: `columns` names them, `values` (n, d) float32 has NaN where one is missing.

    `index` and `specimens`: one row a patient: patient_id, specimen_id (the same); in `index` also place (row of
    `values`), in `specimens` key. `failures`: patients of whom every value is missing: patient_id, specimen_id, row,
    error.
    """

    columns: tuple[str, ...]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, cohort: Cohort, *, columns: Sequence[str], values: NDArray[np.float32]) -> Self:
        """Values (n, d) of the cohort's patients, in their order; one who has none fails."""
        ids = cohort.patients.index.astype(str).to_numpy()
        owners = [f"{cohort.hospital}\0{who}\0".encode() for who in ids]
        keys = [hashlib.sha256(owner + row.tobytes()).hexdigest() for owner, row in zip(owners, values, strict=True)]
        table = pd.DataFrame({"patient_id": ids, "specimen_id": ids, "place": np.arange(len(ids))})
        known = np.isfinite(values).any(axis=1)
        lost = pd.DataFrame(table[~known]).reset_index(drop=True)
        index = pd.DataFrame(table[known]).reset_index(drop=True)
        error = f"no value of {listed(columns)}"
        failures = lost.assign(row=lost["place"] + 2, error=error).drop(columns="place")
        specimens = index.drop(columns="place").assign(key=np.array(keys, dtype=object)[known])
        return cls(columns=tuple(columns), values=values, index=index, specimens=specimens, failures=failures)

    def read(self, indices: np.ndarray) -> NDArray[np.float32]:
        """Values of these rows of `index`: (b d)."""
        chosen: NDArray[np.float32] = self.values[self.index["place"].to_numpy()[indices]]
        return chosen

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


MISSING: Mapping[str, float] = {"share of values missing": 0.1}
"""By how much more a patient may lack than those of training: a missing value is filled, and moves the score. Ours."""


def measure(store: RowStore) -> pd.DataFrame:
    """The values of each patient, and the share of them that is missing."""
    places = store.index["place"].to_numpy()
    table = pd.DataFrame(store.values[places], columns=list(store.columns), index=store.index["specimen_id"].to_numpy())
    (share,) = MISSING
    return table.assign(**{share: table.isna().mean(axis=1)})


def without_each(
    network: torch.nn.Module, rows: np.ndarray, *, read: Callable[[Any], torch.Tensor] = log_odds
) -> np.ndarray:
    """How far the output moves when each value (b, …) is taken for missing: (b, …) in 0..1, the most of a row is 1."""

    def output(values: np.ndarray) -> np.ndarray:
        return read(network(torch.from_numpy(values))).float().numpy()

    moved = np.zeros(rows.shape)
    with torch.inference_mode(), evaluating(network):
        known = output(rows)
        for place in np.ndindex(rows.shape[1:]):
            changed = rows.copy()
            changed[:, *place] = np.nan
            moved[:, *place] = np.abs(output(changed) - known)
    most = moved.max(axis=tuple(range(1, rows.ndim)), keepdims=True)
    return np.asarray(np.divide(moved, most, out=np.zeros_like(moved), where=most > 0))
