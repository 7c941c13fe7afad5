"""Claims: histories of diagnosis codes as sparse month x code matrices up to a landmark, dense a batch at a time.

A table of claims may have tens of millions of rows: it is read in blocks, and only which code was claimed in which
month is kept.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv, parquet
from scipy import sparse

from hepatica.clinical.landmarks import LandmarkPlan, past, past_reason
from hepatica.cohort import Cohort, CohortError, SettingsError
from hepatica.cohort.further_table import FARTHEST, UNITS, FurtherTable
from hepatica.cohort.preparation import Store

SEPARATORS = b",;\t"
BLOCK_ROWS, BLOCK_BYTES = 1 << 22, 1 << 26
"""Of a table that is read at once: in each block the patients are looked up anew, which takes its time. Ours."""

MOST_OTHERS = 0.5
"""Share of the codes of a block that may be of another kind than those listed, such as V and E codes of ICD-9. Ours."""


@dataclass(frozen=True, kw_only=True)
class ClaimPlan(LandmarkPlan):
    """Settings of a system that reads histories of diagnosis codes."""

    table: str = "claims"
    """Table of cohort.toml with a row a claim."""
    column: str = "code"
    """Its column of codes, of which the first three characters count."""
    codes: tuple[str, ...] = ("001-999",)
    """Codes that are read, in this order: ranges of three characters such as 001-154 (ICD-9) or K70-K77 (ICD-10)."""
    months: int = 108
    """Months of history before the landmark, which is itself not read: no claim of that day or later enters."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CodeStore(Store):
    """Code histories of many patients: `matrix` (patients, months x codes), sparse, has 1 where a code was claimed.

    `columns` names the codes. `index` and `specimens`: one row a patient: patient_id, specimen_id (the same), months
    (the landmark), place (row of `matrix`); key in `specimens`. `failures`: patients without any claim in
    those months, of whatever code: patient_id, specimen_id, row, error.
    """

    columns: tuple[str, ...]
    months: int
    matrix: sparse.csr_array

    def read(self, indices: np.ndarray) -> NDArray[np.float32]:
        """Matrices of these rows of `index`: (b, months, codes), the last month that before the landmark."""
        rows = self.matrix[self.index["place"].to_numpy()[indices]].astype(np.float32)
        found: NDArray[np.float32] = rows.toarray().reshape(-1, self.months, len(self.columns))
        return found


def listed_codes(ranges: Sequence[str]) -> tuple[str, ...]:
    """The codes of ranges such as 001-154 or A00-C21, each of three characters; SettingsError for anything else."""
    letters = [f"{letter}{number:02d}" for letter, number in product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", range(100))]
    every = [f"{number:03d}" for number in range(1000)] + letters
    place = {code: number for number, code in enumerate(every)}
    found: list[str] = []
    for each in ranges:
        low, _, high = each.partition("-")
        if low not in place or (high or low) not in place or place[high or low] < place[low]:
            raise SettingsError(f"got the codes {each!r}, wanted a range of codes such as 001-154 or A00-C21, or one")
        found += every[place[low] : place[high or low] + 1]
    if not found:
        raise SettingsError("got no codes, wanted one or more, such as --set 'codes=[\"001-154\"]'")
    return tuple(dict.fromkeys(found))


def read_claims(cohort: Cohort, settings: ClaimPlan) -> CodeStore:
    """The codes of every patient, from `months` before the landmark to, and without, the landmark itself.

    CohortError for a table that is absent, has no time or cannot be read, and where no claim has a code of the list.
    """
    table = cohort.tables.get(settings.table)
    if table is None or table.time is None:
        what = "has no" if table is None else "has no time in its"
        raise CohortError(
            f"cohort {cohort.name} {what} table {settings.table!r}, wanted [tables.{settings.table}] with path,"
            " patient, time and unit in cohort.toml"
        )
    columns, ids = listed_codes(settings.codes), cohort.patients.index.astype(str)
    patients, codes = pa.array(ids), pa.array(columns)
    known, claimed, cells = np.zeros(len(ids), bool), [], []
    for block in _blocks(table, column=settings.column):
        short = pc.utf8_slice_codeunits(pc.utf8_upper(block[2]), 0, 3)
        who, code = _places(block[0], patients), _places(short, codes)
        time = block[1].to_numpy(zero_copy_only=False) * UNITS[table.unit]
        _refuse(table, time=time, codes=short, numbers=columns[0][0].isdigit())
        month = np.floor(time - (settings.landmark - settings.months))
        before = (who >= 0) & (month >= 0) & (time < settings.landmark)
        known[who[before]] = True
        kept = before & (code >= 0)
        claimed.append(who[kept])
        cells.append(month[kept].astype(np.int32) * len(columns) + code[kept])
    if not sum(map(len, cells)):
        raise CohortError(
            f"no claim of {cohort.name} in the {settings.months} months before month {settings.landmark:g} has a code"
            f" from {columns[0]} to {columns[-1]}; check the settings codes, landmark and months"
        )
    return _store(cohort, settings, np.concatenate(claimed), np.concatenate(cells), columns=columns, known=known)


def _refuse(table: FurtherTable, *, time: NDArray[np.float64], codes: pa.Array, numbers: bool) -> None:
    """CohortError for claims without a time or far from the index date, and for codes without leading zeros or, most of
    them, of another edition of the ICD than those listed (ICD-9 has `numbers`, ICD-10 letters).
    """
    if wrong := int((~(np.abs(time) <= FARTHEST)).sum()):
        raise CohortError(
            f"{table.path.name} has {wrong} claims without a time within {FARTHEST:g} months of the index date, in"
            f" {table.unit}; remove them, or correct the unit of [tables.{table.name}]"
        )
    if pc.any(pc.match_substring(codes, ".")).as_py():
        raise CohortError(f"{table.path.name} has codes of fewer than three characters before the dot; restore zeros")
    others = pc.mean(pc.xor(pc.ascii_is_decimal(pc.utf8_slice_codeunits(codes, 0, 1)), numbers)).as_py() or 0
    if others > MOST_OTHERS:
        raise CohortError(
            f"{others:.0%} of the codes of {table.path.name} do not begin with a {'digit' if numbers else 'letter'} as"
            " those of the setting codes do: they are of the other edition of the ICD; name its codes, or convert them"
        )


def _places(values: pa.Array, among: pa.Array) -> NDArray[np.int32]:
    found: NDArray[np.int32] = pc.fill_null(pc.index_in(values, value_set=among), -1).to_numpy(zero_copy_only=False)
    return found


def _blocks(table: FurtherTable, *, column: str) -> Iterator[list[pa.Array]]:
    """Patients, times and codes of the rows of the table, many rows at a time."""
    names = [table.patient, str(table.time), column]
    kinds = dict(zip(names, (pa.string(), pa.float64(), pa.string()), strict=True))
    try:
        if table.path.suffix == ".parquet":
            for batch in parquet.ParquetFile(table.path).iter_batches(BLOCK_ROWS, columns=names):
                yield [batch[name].cast(kind) for name, kind in kinds.items()]
            return
        with table.path.open("rb") as file:
            header = file.readline()
        separator = max(SEPARATORS, key=header.count)
        reader = csv.open_csv(
            table.path,
            read_options=csv.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=csv.ParseOptions(delimiter=chr(separator)),
            convert_options=csv.ConvertOptions(include_columns=names, column_types=kinds),
        )
        for batch in reader:
            yield [batch[name] for name in names]
    except (pa.ArrowException, KeyError) as error:
        raise CohortError(
            f"{table.path.name} cannot be read as claims ({error}); wanted columns {', '.join(names)}, and in"
            f" {names[1]} numbers of {table.unit} with a decimal point"
        ) from None


def _store(
    cohort: Cohort,
    settings: ClaimPlan,
    claimed: NDArray[np.int32],
    cells: NDArray[np.int32],
    *,
    columns: tuple[str, ...],
    known: NDArray[np.bool_],
) -> CodeStore:
    ids, size = cohort.patients.index.astype(str), settings.months * len(columns)
    ones = np.ones(len(cells), np.int8)
    matrix = sparse.csr_array(sparse.coo_array((ones, (claimed, cells)), shape=(len(ids), size)))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    gone = past(cohort, settings)
    known = known & ~gone
    everyone = pd.DataFrame({"patient_id": ids, "specimen_id": ids, "place": np.arange(len(ids))})
    index = everyone[known].assign(months=float(settings.landmark)).reset_index(drop=True)
    keys = [
        hashlib.sha256(
            f"{cohort.hospital}\0{who}\0".encode()
            + matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]].tobytes()
        ).hexdigest()
        for who, row in zip(index["patient_id"], index["place"], strict=True)
    ]
    none = f"no claim in {settings.table} in the {settings.months} months before month {settings.landmark:g}"
    error = np.where(gone, past_reason(settings), none)
    lost = everyone.assign(row=everyone["place"] + 2, error=error)[~known]
    return CodeStore(
        columns=columns,
        months=settings.months,
        matrix=matrix,
        index=index,
        specimens=index.drop(columns="place").assign(key=keys),
        failures=lost.drop(columns="place").reset_index(drop=True),
    )
