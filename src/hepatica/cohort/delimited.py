"""Delimited: read a hand-made table as text, whatever its separator, encoding and decimal sign, or say why not."""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pandas as pd

from hepatica.cohort.faults import Faults, did_you_mean, listed, slip_of

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_LOOKED_AT = 100
"""Rows by which the separator is chosen where the header has several. Ours."""

_SAVE = "save it as CSV UTF-8"
TABLES = ("patients.csv", "specimens.csv", "lesions.csv")
_TABLES = (".csv", ".tsv", ".txt", ".xls", ".xlsx")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of .xlsx and .xls files."""

_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_BOTH = re.compile(r"[+-]?\d{1,3}((\.\d{3})+,\d+|(,\d{3})+\.\d+)")


def read_table(path: Path, faults: Faults, *, wanted: Sequence[str], unique: Sequence[str]) -> pd.DataFrame | None:
    """Read a table as text, indexed by spreadsheet row; None when it is no table at all.

    Cells are separated by commas, semicolons or tabs; text is UTF-8, or UTF-16 with a byte order mark. A decimal comma
    becomes a point. A wanted column may be absent from what is returned, which is a fault like a blank in it; so is a
    value that a unique column has twice. Rows that are blank throughout are passed over. Nothing is taken for missing
    but an empty cell: pandas would read the category "None" as a blank.
    """
    separator, lines = read_lines(path, faults)
    table = squared(path, lines, faults)
    if table is None:
        return None
    if table.empty:
        faults.add(path.name, "has no rows")
    for name in wanted:
        if name not in table.columns:
            faults.add(path.name, f"has no column {name}; {did_you_mean(name, table.columns)}")
            continue
        for row in table.index[table[name] == ""]:
            faults.add(path.name, "is blank", row, name)
    for name in table.columns.intersection(list(unique)):
        filled = table.loc[table[name] != "", name]
        first = dict(zip(filled[::-1], filled.index[::-1], strict=True))
        for row in filled.index[filled.duplicated()]:
            faults.add(path.name, f"the same {name} is in row {first[filled[row]]} already", row, name)
    decimal_points(table, path.name, faults, kept={*wanted, *unique}, separator=separator)
    return table


def read_columns(path: Path, names: Sequence[str], faults: Faults) -> pd.DataFrame | None:
    """Some columns of a large table as `read_table` reads them; None, and a fault, where one is not there."""
    return squared(path, read_lines(path, faults, only=names)[1], faults)


def read_lines(path: Path, faults: Faults, *, only: Sequence[str] = ()) -> tuple[str, dict[int, list[str]]]:
    """The separator, and the cells of each row that is not blank, of all columns or of some.

    Not by pandas, which shifts rows that have a cell too many.
    """
    text = _text(path, faults)
    if text is None:
        return "", {}
    filled: dict[int, list[str]] = {}
    try:
        separator, text = _separator(text)
        places: list[int] | None = None
        for row, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), start=1
        ):
            if not any(map(str.strip, cells)):
                continue
            if only and places is None:
                places = _places(only, [cell.strip() for cell in cells], path.name, faults)
            chosen = cells if places is None else [cells[k] if k < len(cells) else "" for k in places]
            filled[row] = [cell.strip() for cell in chosen]
    except (csv.Error, ValueError) as error:
        faults.add(path.name, f"is not a readable UTF-8 CSV table: {error}")
        return "", {}
    if not filled:
        faults.add(path.name, "is empty")
    return separator, filled


def _places(names: Sequence[str], header: list[str], file: str, faults: Faults) -> list[int]:
    for name in names:
        if name not in header:
            faults.add(file, f"has no column {name}, which cohort.toml names; {did_you_mean(name, header)}")
    return [header.index(name) for name in names if name in header]


def _text(path: Path, faults: Faults) -> str | None:
    if not path.is_file():
        faults.add(path.name, f"is missing{_beside(path)}")
        return None
    content = path.read_bytes()
    if content.startswith(_WORKBOOKS):
        faults.add(path.name, f"is an Excel workbook, wanted a text table; {_SAVE}")
        return None
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(path.name, f"is not a readable UTF-8 CSV table ({error.reason} at byte {error.start}); {_SAVE}")
        return None
    if "\0" in text:
        faults.add(path.name, f"is not a readable UTF-8 CSV table (it has zero bytes); {_SAVE}")
        return None
    return text


def _beside(path: Path) -> str:
    """What lies in its place: a workbook, or a file whose name is a slip of this one."""
    others = [] if not path.parent.is_dir() else sorted(set(os.listdir(path.parent)) - {*TABLES})
    others = [each for each in others if each.lower().endswith(_TABLES)]
    if same := [each for each in others if Path(each).stem.lower() == path.stem.lower()]:
        return f"; there is {same[0]}: {_SAVE}, named {path.name}"
    slip = slip_of(path.name, others)
    return f"; there is {slip}: rename it, or move it elsewhere" if slip else ""


def is_absent(path: Path, faults: Faults) -> bool:
    """Whether an optional table is not there; a file that is meant for it, of another name or kind, is a fault."""
    if path.is_file():
        return False
    if beside := _beside(path):
        faults.add(path.name, f"is missing{beside}")
    return True


def _separator(text: str) -> tuple[str, str]:
    """The separator and the rows; ValueError where more than one separator is possible."""
    if text.startswith("sep=") and text[4:5] in _SEPARATORS:
        return text[4], text.partition("\n")[2]  # Excel's own mark, which a spreadsheet does not show as a row
    lines = list(islice((line for line in io.StringIO(text, newline="") if line.strip()), _LOOKED_AT))
    widths = {each: _widths(lines, each) for each in _SEPARATORS}
    found = [each for each, counts in widths.items() if counts and counts[0] > 1]
    if len(found) > 1:
        even = [each for each in found if len(set(widths[each])) == 1]
        if len(even) != 1:
            names = " and ".join(_SEPARATORS[each] for each in found)
            raise ValueError(f"its header has {names}; put names that have one in quotes, or use one separator")
        found = even
    return (found or [","])[0], text


def _widths(lines: list[str], separator: str) -> list[int]:
    try:
        return [len(cells) for cells in csv.reader(lines, delimiter=separator)]
    except csv.Error:  # a cell of more than 131,072 characters: a wide table, taken for a single cell
        return []


def squared(path: Path, lines: dict[int, list[str]], faults: Faults) -> pd.DataFrame | None:
    """The cells under the first line, their header, indexed by row; None where there are none, or with a fault."""
    if not any(lines.values()):
        return None
    header, *rows = lines.values()
    width = max(place for place, name in enumerate(header, start=1) if name)
    header = header[:width]
    twins = [name for name, count in Counter(header).items() if count > 1 or not name]
    if twins:
        names = listed(map(repr, twins))
        faults.add(path.name, f"wanted a name of its own for each column, got {names} blank or more than once")
        return None
    index = list(lines)[1:]
    for row, cells in zip(index, rows, strict=True):
        if len(cells) < width or any(cells[width:]):
            message = f"got {len(cells)} cells, wanted {width} as in the header; put a cell that has a comma in quotes"
            faults.add(path.name, message, row)
    squared = [(cells + [""] * width)[:width] for cells in rows]
    return pd.DataFrame(squared, index=index, columns=header, dtype=object)


def decimal_points(
    table: pd.DataFrame, file: str, faults: Faults, *, kept: set[str], separator: str, typed: bool = False
) -> None:
    """Write the decimal commas of columns of numbers as points; a comma that may be something else is a fault.

    Beside `typed` numbers, those of a workbook, points are no contradiction.
    """
    with_commas = [name for name in table.columns.drop(list(kept), errors="ignore") if "," in "".join(table[name])]
    numbers = {name: table[name] for name in with_commas if _are_numbers(table[name])}
    clear = any((_fits(cells, _COMMA) & ~_fits(cells, _GROUPED)).any() for cells in numbers.values())
    for name, cells in numbers.items():
        commas = cells[cells.str.contains(",")]
        if (
            separator == ","
            or not clear
            or not _fits(commas, _COMMA).all()
            or (not typed and cells.str.contains(".", regex=False).any())
        ):
            message = f"got {commas.iloc[0]!r}, whose comma may be decimal, of thousands or of a list"
            faults.add(file, f"{message}; write numbers as 1234.5, lists with spaces", commas.index[0], name)
        else:
            table[name] = cells.str.replace(",", ".", regex=False)


def _are_numbers(cells: pd.Series) -> bool:
    return bool(((cells == "") | _fits(cells, _POINT) | _fits(cells, _COMMA) | _fits(cells, _GROUPED, _BOTH)).all())


def _fits(cells: pd.Series, *patterns: re.Pattern[str]) -> "pd.Series[bool]":
    return pd.concat([cells.str.fullmatch(each) for each in patterns], axis="columns").any(axis="columns")
