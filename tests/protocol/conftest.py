"""Fixtures of the protocol: prepared specimens that lie in memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

FAILURES = ["patient_id", "specimen_id", "row", "error"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """A material of vectors (n, d), one a row of `index`."""

    values: np.ndarray
    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FAILURES))

    def __len__(self) -> int:
        return len(self.values)

    def read(self, indices: np.ndarray) -> np.ndarray:
        return self.values[indices]

    def select(self, *, patient_ids: Iterable[str]) -> "Rows":
        chosen = set(patient_ids)
        kept = self.index["patient_id"].isin(chosen).to_numpy()
        tables = {name: getattr(self, name) for name in ("index", "specimens", "failures")}
        tables = {
            name: table[table["patient_id"].isin(chosen)].reset_index(drop=True) for name, table in tables.items()
        }
        return replace(self, values=self.values[kept], **tables)


@pytest.fixture(scope="session")
def rows() -> Callable[..., Rows]:
    """`rows([("P1", "S1"), …], values, failures=[("P2", "S2", 3, "torn")])`: a region of each patient and specimen."""

    def make(owners: list[tuple[str, str]], values: Any, *, failures: Iterable[tuple[Any, ...]] = ()) -> Rows:
        index = pd.DataFrame(owners, columns=["patient_id", "specimen_id"])
        return Rows(
            values=np.asarray(values, np.float32),
            index=index,
            specimens=index.drop_duplicates(ignore_index=True),
            failures=pd.DataFrame(list(failures), columns=FAILURES),
        )

    return make
