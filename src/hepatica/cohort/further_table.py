"""Further table: visits, claims or expression of a cohort's patients, in a file that is read when it is asked for."""

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from hepatica.cohort.columns import covariate, number_cells, without_codes
from hepatica.cohort.delimited import read_columns, read_table
from hepatica.cohort.faults import Faults

UNITS = {"days": 12 / 365.25, "weeks": 84 / 365.25, "months": 1.0, "years": 12.0}
"""Months in each unit of time."""

FARTHEST = 1200.0
"""Months from the index date, before or after, beyond which a time is refused: days declared as months. Ours."""

Codes = tuple[float | str, ...]

Matrix = NDArray[np.float32]

KINDS: Mapping[str, tuple[str, Callable[[Matrix], Any]]] = {
    "counts": ("counts: whole numbers of 0 or more", lambda x: (x >= 0) & (x % 1 == 0)),
    "tpm": ("transcripts or reads per million: 0 to 1,000,000", lambda x: (x >= 0) & (x <= 1e6)),
    "log2": ("logarithms to base 2: -30 to 40", lambda x: (x >= -30) & (x <= 40)),
    "z": ("z-scores, some of them below 0", lambda x: (np.abs(x) <= 1e4) & np.less(x, 0).any()),
    "beta": ("methylated shares: 0 to 1", lambda x: (x >= 0) & (x <= 1)),
    "abundance": ("amounts or concentrations: 0 or more", lambda x: (x >= 0) & np.isfinite(x)),
    "microbiome": ("counts or shares of taxa: 0 or more", lambda x: (x >= 0) & np.isfinite(x)),
    "copy_number": ("log2 ratios or levels of copy number: -10 to 10", lambda x: np.abs(x) <= 10),
    "mutation": ("1 (mutated) or 0", lambda x: (x == 0) | (x == 1)),
}
"""Scales of a matrix of many columns: what each has for values, and whether each value is one."""

_BLOCK = 1 << 25
"""Bytes of a CSV file parsed at once: rows of 20,000 columns are long. Ours."""


@dataclass(frozen=True, kw_only=True)
class FurtherTable:
    """A table of cohort.toml: its file, its column of patients, and its column of time since the index date.

    `missing` are the codes of unknown values. A table with a `kind` is a matrix of numbers on one of the scales of
    KINDS, one row a patient, CSV or parquet; `names` is a table of its identifiers and what they are to be called.
    """

    name: str
    path: Path
    patient: str
    time: str | None = None
    unit: str = "months"
    missing: Codes | None = None
    kind: str | None = None
    names: Path | None = None

    def check(self, known: Collection[str], faults: Faults) -> None:
        """Note what is wrong with its file, its columns and its patients; the other cells are not read."""
        columns = [self.patient, *([self.time] if self.time else [])]
        found = self._parsed(columns) if self.kind else None
        found = read_columns(self.path, columns, faults) if found is None else found
        if found is not None and self.patient in found.columns and known:
            patients = found[self.patient]
            for row in patients.index[~patients.isin([*known, ""])]:
                faults.add(self.path.name, "the patient is not in patients.csv", row, self.patient)

    def read(self, patients: Collection[str]) -> pd.DataFrame:
        """The rows of these patients: `patient_id`, `months` since the index date, and every other column of the file.

        CohortError names every fault of the file; of a matrix also a value off the scale of its kind, or a patient that
        it has twice. Its values are float32.
        """
        faults = Faults()
        table = self._parsed() if self.kind else None
        if table is None:
            unique = (self.patient,) if self.kind else ()
            raw = read_table(self.path, faults, wanted=(self.patient,), unique=unique)
            table = pd.DataFrame({} if raw is None else self._columns(raw, faults))
        if self.kind and not faults:
            table = self._scaled(table.rename(columns={self.patient: "patient_id"}), faults)
        faults.raise_if_any(self.path)
        return table[table["patient_id"].isin(patients)].reset_index(drop=True)

    def identifiers(self) -> list[str]:
        """Names of the columns of a matrix but that of patients, in order; its rows are not read."""
        if self.path.suffix == ".parquet":
            from pyarrow import parquet

            names = parquet.read_schema(self.path).names
        else:
            names = next(csv.reader([self._line()], delimiter=self._separator()))
        return [name.strip() for name in names if name.strip() != self.patient]

    def _line(self) -> str:
        with self.path.open(encoding="utf-8-sig") as file:
            return file.readline()

    def _separator(self) -> str:
        return max(",;\t", key=self._line().count)

    def _parsed(self, only: Sequence[str] | None = None) -> pd.DataFrame | None:
        """A matrix as Arrow reads it, many times as fast as cell by cell; None where the file is not as plain as that.

        The index is the row in the file.
        """
        import pyarrow as pa
        from pyarrow import csv as arrow
        from pyarrow import parquet

        try:
            if self.path.suffix == ".parquet":
                found = parquet.read_table(self.path, columns=only)
            else:
                types = dict.fromkeys(self.identifiers(), pa.float32()) | {self.patient: pa.string()}
                blank = ["", *(str(code) for code in self.missing or ())]
                found = arrow.read_csv(
                    self.path,
                    read_options=arrow.ReadOptions(block_size=_BLOCK),
                    parse_options=arrow.ParseOptions(delimiter=self._separator(), ignore_empty_lines=False),
                    convert_options=arrow.ConvertOptions(column_types=types, null_values=blank, include_columns=only),
                )
        except (OSError, ValueError, KeyError):
            return None
        table = found.to_pandas()
        twice = not table.columns.is_unique or self.patient not in table or table[self.patient].duplicated().any()
        return None if twice else table.set_axis(pd.RangeIndex(2, len(table) + 2))

    def _scaled(self, table: pd.DataFrame, faults: Faults) -> pd.DataFrame:
        """The matrix in single precision, each value off its scale noted."""
        wanted, right = KINDS[self.kind or ""]
        numeric = table.drop(columns="patient_id")
        text = numeric.columns[~numeric.dtypes.map(is_numeric_dtype)]
        for name in text:
            faults.add(self.path.name, f"got text, wanted {wanted} (kind {self.kind})", column=name)
        numeric = numeric.drop(columns=text)
        values = numeric.to_numpy(np.float32)
        if codes := [each for each in self.missing or () if not isinstance(each, str)]:
            values[np.isin(values, codes)] = np.nan
        wrong = ~right(values) & ~np.isnan(values)
        for place, name in [(n, str(name)) for n, name in enumerate(numeric) if wrong[:, n].any()]:
            cells = pd.Series(values[:, place].astype(float).round(4), numeric.index, name=name)[wrong[:, place]]
            faults.add_cells(self.path.name, cells, wanted=f"{wanted} (kind {self.kind})")
        found = pd.DataFrame(values, index=numeric.index, columns=numeric.columns)
        found.insert(0, "patient_id", table["patient_id"])
        return found

    def _columns(self, raw: pd.DataFrame, faults: Faults) -> dict[str, pd.Series]:
        kept = (self.patient, self.time or "")
        raw = without_codes(raw, self.missing, faults, file=self.path.name, kept=kept)
        columns = {"patient_id": raw.get(self.patient, pd.Series(dtype=str))}
        if self.time:
            unit = UNITS[self.unit]
            wanted = f"a number of {self.unit} since the index date, at most {FARTHEST / unit:g} before or after"
            time = number_cells(
                raw[self.time],
                faults,
                file=self.path.name,
                wanted=wanted,
                right=lambda each: np.abs(each) * unit <= FARTHEST,
                blank=False,
            )
            columns["months"] = time * unit
        others = raw.columns.drop([self.patient, self.time], errors="ignore")
        for name in others.intersection(list(columns)):
            faults.add(self.path.name, "hepatica gives this name to another column; rename it", column=name)
        return columns | {name: covariate(raw[name], faults, file=self.path.name) for name in others}
