"""Further table: visits, claims or expression of a cohort's patients, in a file that is read when it is asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort.columns import covariate, number_cells, without_codes
from hepatica.cohort.delimited import read_columns, read_table
from hepatica.cohort.faults import Faults

UNITS = {"days": 12 / 365.25, "weeks": 84 / 365.25, "months": 1.0, "years": 12.0}
"""Months in each unit of time."""

Codes = tuple[float | str, ...]


@dataclass(frozen=True, kw_only=True)
class FurtherTable:
    """A table of cohort.toml: its file, its column of patients, and its column of time since the index date.

    `missing` are the codes of unknown values.
    """

    name: str
    path: Path
    patient: str
    time: str | None = None
    unit: str = "months"
    missing: Codes | None = None

    def check(self, known: Collection[str], faults: Faults) -> None:
        """Note what is wrong with its file, its columns and its patients; the other cells are not read."""
        columns = [self.patient, *([self.time] if self.time else [])]
        found = read_columns(self.path, columns, faults)
        if found is not None and self.patient in found.columns and known:
            patients = found[self.patient]
            for row in patients.index[~patients.isin([*known, ""])]:
                faults.add(self.path.name, "the patient is not in patients.csv", row, self.patient)

    def read(self, patients: Collection[str]) -> pd.DataFrame:
        """The rows of these patients: `patient_id`, `months` since the index date, and every other column of the file.

        CohortError names every fault of the file.
        """
        faults = Faults()
        raw = read_table(self.path, faults, wanted=(self.patient,), unique=())
        columns = {} if raw is None else self._columns(raw, faults)
        faults.raise_if_any(self.path)
        table = pd.DataFrame(columns)
        return table[table["patient_id"].isin(patients)].reset_index(drop=True)

    def _columns(self, raw: pd.DataFrame, faults: Faults) -> dict[str, pd.Series]:
        kept = (self.patient, self.time or "")
        raw = without_codes(raw, self.missing, faults, file=self.path.name, kept=kept)
        columns = {"patient_id": raw.get(self.patient, pd.Series(dtype=str))}
        if self.time:
            wanted = f"a number of {self.unit} since the index date"
            cells = raw[self.time]
            time = number_cells(cells, faults, file=self.path.name, wanted=wanted, right=np.isfinite, blank=False)
            columns["months"] = time * UNITS[self.unit]
        others = raw.columns.drop([self.patient, self.time], errors="ignore")
        for name in others.intersection(list(columns)):
            faults.add(self.path.name, "hepatica gives this name to another column; rename it", column=name)
        return columns | {name: covariate(raw[name], faults, file=self.path.name) for name in others}
