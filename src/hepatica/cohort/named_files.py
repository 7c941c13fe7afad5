"""Named files: the cells of a table that name files below a cohort's specimen root, and columns that look like it."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

import pandas as pd

from hepatica.cohort.errors import SettingsError
from hepatica.cohort.faults import Faults, slip_of
from hepatica.cohort.remote import is_url, place_of, refused

_LISTED_FROM = 8
"""A folder of which a table names this many files is listed once, which is faster than to ask for each. Ours."""

_SUFFIX = r"\.[a-z][a-z0-9]{1,4}(?:\.gz)?$"
_BELOW = r"(?=.*[\d_])(?!.*\s[/\\])(?=.*[a-z]).{3,}[/\\].{2,}$"
"""A folder and something below it: neither a date nor words such as PET/CT."""


def portable(path: str) -> str:
    """The path with forward slashes; tables are made on Windows and read elsewhere."""
    return path.replace("\\", "/")


def inside(path: str) -> bool:
    """Whether a path stays below where it starts; a link placed inside is its owner's choice and is followed."""
    parsed = PureWindowsPath(path)
    return not parsed.anchor and ".." not in parsed.parts


def named_inside(folder: Path | None, name: str, *, wanted: str) -> Path:
    """What a setting names below a cohort's folder; SettingsError where it lies elsewhere, or is not there."""
    if folder is None or not inside(name) or not (folder / portable(name)).exists():
        raise SettingsError(f"got {name!r}, wanted {wanted} inside the cohort folder")
    return folder / portable(name)


class NamedFiles:
    """Files below the specimen root of a cohort folder, or with `urls` in a store; faults are of the table `file`."""

    def __init__(self, folder: Path, root: str, *, file: str, faults: Faults, urls: bool = False) -> None:
        self.folder, self.root, self.file, self.faults, self.urls = folder, root, file, faults, urls

    def find(self, cells: pd.Series, *, folders: "pd.Series[bool]") -> list[Path | None]:
        """The path of each cell of a column, None where it is empty; `folders` says where it may name a folder.

        A cell that leaves the cohort folder, or names what is not there, is a fault. Of a URL it is the path where the
        file lies once it was brought; no store is asked.
        """
        base, known_root = f"{self.folder / portable(self.root)}/", inside(self.root)
        remote = [self.urls and is_url(cell) for cell in cells]
        reasons = [refused(cell) if far else "" for cell, far in zip(cells, remote, strict=True)]
        paths = [
            str(place_of(cell)) if far and not reason else base + portable(cell) if cell else ""
            for cell, far, reason in zip(cells, remote, reasons, strict=True)
        ]
        listing = _Listing(path for path, far in zip(paths, remote, strict=True) if not far)
        cases = zip(cells.index, cells, remote, reasons, paths, folders, strict=True)
        for row, cell, far, reason, path, folder in cases:
            if far:
                if reason:
                    self._fault(reason, row, cells.name)
            elif (".." in cell or ":" in cell or cell.startswith(("/", "\\"))) and not inside(cell):
                self._fault("got {got}, wanted a path inside the cohort folder", row, cells.name, got=repr(cell))
            elif cell and known_root and not listing.has(path, folder=folder):
                self._fault("no such file: {got}", row, cells.name, got=f"{self.root}/{cell}")
        return [Path(path) if path else None for path in paths]

    def _fault(self, message: str, row: int, column: object, *, got: str = "") -> None:
        self.faults.add(self.file, message, row, str(column), got=got)


class _Listing:
    """Which files there are, by one look at each folder that many are in."""

    def __init__(self, paths: Iterable[str]) -> None:
        counts = Counter(map(os.path.dirname, paths))
        self.files = {each: _files(each) for each, count in counts.items() if count >= _LISTED_FROM}

    def has(self, path: str, *, folder: bool) -> bool:
        parent, name = os.path.split(path)
        if name in self.files.get(parent, ()):
            return True
        return os.path.exists(path) if folder else os.path.isfile(path)


def _files(folder: str) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {each.name for each in entries if each.is_file()}
    except (OSError, ValueError):
        return set()


def further_columns(table: pd.DataFrame, known: Iterable[str], *, file: str, faults: Faults) -> list[str]:
    """The columns of a table that are none of the known ones; a slip of an absent one, or of files, is a fault."""
    absent = [name for name in known if name not in table.columns]
    further = [name for name in table.columns if name not in known]
    for name in further:
        if meant := slip_of(name, absent):
            faults.add(file, f"has the unknown column {name}; did you mean {meant}? Correct it, or choose another name")
        elif _names_files(table[name]):
            remedy = f'add attachments = ["{name}"] to cohort.toml if it names a further file of a specimen'
            where = "" if file == "specimens.csv" else ", and move the column to specimens.csv"
            faults.add(file, f"the unknown column {name} looks like names of files; {remedy}{where}")
    return further


def _names_files(cells: pd.Series) -> bool:
    filled = cells[cells != ""].str.lower()
    return bool(len(filled) and (filled.str.contains(_SUFFIX) | filled.str.match(_BELOW)).mean() > 0.5)
