"""Spreadsheet: a workbook or text table as it was made by hand: title rows, several sheets, rows of units."""

import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort.delimited import decimal_points, read_lines, squared
from hepatica.cohort.errors import CohortError
from hepatica.cohort.faults import Faults, listed

_WORKBOOKS = (".xlsx", ".xlsm")
_NUMBER = re.compile(r"[-+<>=]*\s*[\d.,]+\s*%?")
_UNKNOWN = re.compile(
    r"n\.?/?a\.?|nan|unknown|unk|n\.?d\.?|not done|missing|k\.\s?a\.|[-?.]|-9{2,}|#N/A", re.IGNORECASE
)
"""What hospitals write for an unknown value in their tables."""

_CELLS = 5_000_000
"""Cells of a workbook (ours): what has more is a mistake, or an attack."""


@dataclass(frozen=True, kw_only=True)
class Spreadsheet:
    """`table` has text cells, indexed by row of the sheet; `notes` say what of the file it is."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def read_spreadsheet(path: Path) -> Spreadsheet:
    """The table of patients in a workbook (.xlsx) or a text table, its header found below title rows.

    Dates become 2024-12-31; whole numbers lose their ".0". Of several sheets the fullest is read. Text tables are read
    as those of a cohort folder. CohortError where there is no table.
    """
    if not path.is_file():
        raise CohortError(f"there is no file {path}; check the path of the table")
    faults = Faults()
    if typed := path.suffix.lower() in _WORKBOOKS:
        separator, rows, notes = ";", *_sheet(path)
    elif path.suffix.lower() == ".xls":
        raise CohortError(f"{path.name} is a workbook of the old kind; save it as .xlsx or as CSV UTF-8")
    else:
        separator, rows = read_lines(path, faults)
        notes = []
    faults.raise_if_any(path.parent)
    start = _header(rows)
    below = {row: cells for row, cells in rows.items() if row >= start}
    if start != min(rows, default=start):
        notes.append(f"the header is row {start}; rows above it are titles")
    below[start] = _named(below.get(start, []), width=max(map(len, below.values()), default=0))
    table = squared(path, below, faults)
    if table is None or table.empty:
        faults.add(path.name, "has no rows below a header")
    faults.raise_if_any(path.parent)
    assert table is not None
    unknown = table.apply(lambda cells: cells.str.fullmatch(_UNKNOWN))
    if unknown.to_numpy().any():
        words = sorted({*table.to_numpy()[unknown.to_numpy()]})
        notes.append(f"taken for unknown, and left empty: {listed(map(repr, words))}")
        table = table.mask(unknown, "")
    decimal_points(table, path.name, faults, kept=set(), separator=separator, typed=typed)
    faults.raise_if_any(path.parent)
    return Spreadsheet(table=table, notes=tuple(notes))


def _sheet(path: Path) -> tuple[dict[int, list[str]], list[str]]:
    """The rows of the fullest sheet that are not blank, and which sheet that is where there are several."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > 40 * _CELLS:
                raise CohortError(f"{path.name} would unpack to gigabytes; save the sheet of patients as CSV UTF-8")
        sheets = pd.read_excel(path, sheet_name=None, header=None, dtype=object, keep_default_na=False, na_values=[""])
    except ImportError:
        raise CohortError(f"to read {path.name} openpyxl is needed: pip install openpyxl, or save it as CSV") from None
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise CohortError(
            f"{path.name} is no workbook that can be read ({error}); save it as .xlsx without a password, or as CSV"
        ) from None
    fullest = max(sheets, key=lambda name: int(sheets[name].notna().to_numpy().sum()))
    others = [str(name) for name in sheets if name != fullest]
    notes = [f"sheet {fullest!r} is read, not {listed(others)}"] if others else []
    rows = {row: [_text(cell) for cell in cells] for row, cells in enumerate(sheets[fullest].to_numpy(), start=1)}
    return {row: cells for row, cells in rows.items() if any(cells)}, notes


def _text(cell: Any) -> str:
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return "" if pd.isna(cell) else f"{cell:.15g}"
    return "" if cell is None or cell is pd.NaT else str(cell).strip()


def _header(rows: dict[int, list[str]]) -> int:
    """The first row that has names: text in more than half as many cells as the fullest row, each once."""
    most = max((sum(map(bool, cells)) for cells in rows.values()), default=0)
    for row, cells in rows.items():
        filled = [cell for cell in cells if cell]
        names = [cell for cell in filled if not _NUMBER.fullmatch(cell)]
        if len(filled) > max(0, most / 2) and len(names) > 0.8 * len(filled) and len({*filled}) == len(filled):
            return row
    raise CohortError("the table has no row of column names, each of its own; write one above the patients")


def _named(header: list[str], *, width: int) -> list[str]:
    """Line breaks within names become spaces; a column without a name gets one."""
    cells = [" ".join(cell.split()) for cell in header] + [""] * (width - len(header))
    last = max((place for place, cell in enumerate(cells, start=1) if cell), default=0)
    return [cell or f"column {place}" for place, cell in enumerate(cells[:last], start=1)]
