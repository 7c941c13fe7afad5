"""Joined: the materials of several instruments as one, a row of the first with that of the same patient in the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hepatica.cohort.errors import CohortError
from hepatica.learn.images import as_network_input


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """`parts` by the name of each input; `rows` (n, parts) numbers, for each row of `index`, the row of each part.

    `index` and `specimens` are those of the first part, of patients that every part has; `failures` are of all parts,
    with patients that one part lacks. Another part's first specimen of a patient is read.
    """

    parts: Mapping[str, Any]
    rows: np.ndarray
    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame

    @classmethod
    def of(cls, parts: Mapping[str, Any], *, rows: Mapping[str, int]) -> Self:
        """Join parts; CohortError where no patient has them all. `rows` are those of the first part's specimens."""
        first, *others = parts.values()
        places = [pd.Series(np.arange(len(each)), index=each.index["patient_id"]) for each in others]
        places = [each[~each.index.duplicated()] for each in places]
        columns = [np.arange(len(first)), *(first.index["patient_id"].map(each).to_numpy() for each in places)]
        complete = ~pd.isna(np.stack(columns, axis=1).astype(float)).any(axis=1)
        if not complete.any():
            raise CohortError(f"no patient has all of {', '.join(parts)}; see patients.csv and specimens.csv")
        patients = set(first.index.loc[complete, "patient_id"])
        lacking = first.specimens[~first.specimens["patient_id"].isin(patients)][["patient_id", "specimen_id"]]
        row = lacking["specimen_id"].map(rows)
        lacking = lacking.assign(row=row, error=f"the patient lacks one of {', '.join(parts)}")
        failures = pd.concat([*(each.failures for each in parts.values()), lacking], ignore_index=True)
        return cls(
            parts=parts,
            rows=np.stack(columns, axis=1)[complete].astype(np.int64),
            index=first.index[complete].reset_index(drop=True),
            specimens=first.specimens[first.specimens["patient_id"].isin(patients)].reset_index(drop=True),
            failures=failures.drop_duplicates(["patient_id", "specimen_id"]),
        )

    def __len__(self) -> int:
        return len(self.index)

    def read(self, indices: np.ndarray) -> dict[str, Any]:
        """Inputs of these rows of `index`, by the name of each part."""
        chosen = self.rows[indices]
        return {name: part.read(chosen[:, place]) for place, (name, part) in enumerate(self.parts.items())}

    def first_alone(self, network: nn.Module, *, patient_id: str) -> nn.Module:
        """The network as one of the first part, the other parts fixed to what this patient has."""
        row = np.flatnonzero(self.index["patient_id"] == patient_id)[:1]
        name, *_ = self.parts
        others = {key: torch.from_numpy(np.asarray(each)) for key, each in self.read(row).items() if key != name}
        return _FirstAlone(network, name, as_network_input(others))

    def select(
        self, *, patient_ids: Iterable[str] | None = None, specimen_ids: Iterable[str] | None = None
    ) -> "Joined":
        """The same with these patients, or these specimens of the first part, only."""
        tables = {"index": self.index, "specimens": self.specimens, "failures": self.failures}
        kept = np.ones(len(self.index), bool)
        for column, wanted in (("patient_id", patient_ids), ("specimen_id", specimen_ids)):
            if wanted is not None:
                chosen = set(wanted)
                kept &= self.index[column].isin(chosen).to_numpy()
                tables = {name: table[table[column].isin(chosen)] for name, table in tables.items()}
        index, specimens, failures = (
            tables[name].reset_index(drop=True) for name in ("index", "specimens", "failures")
        )
        return replace(self, rows=self.rows[kept], index=index, specimens=specimens, failures=failures)


class _FirstAlone(nn.Module):
    def __init__(self, network: nn.Module, name: str, others: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.network, self.name, self.others = network, name, others

    def forward(self, inputs: Tensor) -> Any:
        fixed = {key: each.expand(len(inputs), *each.shape[1:]) for key, each in self.others.items()}
        return self.network({self.name: inputs, **fixed})
