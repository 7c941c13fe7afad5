"""Specimens: the files of a cohort's patients, one row of specimens.csv each, with what belongs to them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort.columns import number_cells
from hepatica.cohort.delimited import read_table
from hepatica.cohort.endpoints import Outlined
from hepatica.cohort.faults import Faults, did_you_mean, slip_of
from hepatica.cohort.head import Head
from hepatica.cohort.named_files import NamedFiles, further_columns
from hepatica.cohort.remote import is_url
from hepatica.cohort.units import MicronsPerPixel

FILE = "specimens.csv"

STUDIES = ("ct", "mr", "ultrasound")
"""Modalities of which a specimen may be a folder, a DICOM study, as well as a file."""

FOLDERS = (*STUDIES, "slide")
"""The same with slides, which may be the folder of a MIRAX slide or of a DICOM series."""

_MODALITIES = (*FOLDERS, "spectrum")
_COLUMNS = ("patient_id", "specimen_id", "modality", "path")

ATTACHMENTS = ("mask", "liver_mask", "nodule_mask", "water", "annotation", "region", "features")
"""Columns that name further files of a specimen without being declared in cohort.toml."""

MD5 = "md5"
"""Column of the MD5 checksum of the file at `path`, checked where that is a URL."""

REGION = ("region_class", "region_without")
"""Which of the outlines of its `region` a specimen is, and which of them are left out of it."""


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One file, or one folder of a study, of one patient. `row` is its row in specimens.csv.

    `mpp` is the resolution of a slide that does not say, with `force_mpp` of one which does too. `attachments` are
    further files of the specimen by the name of their column: masks of what was outlined in it, the water reference of
    a spectrum, another phase; `extra` the text of every other column. Neither has an entry where the cell is empty.
    `urls` are those of the files that lie in a store, by the name of their column: `remote.bring_all` brings them to
    their paths.
    """

    patient_id: str
    specimen_id: str
    modality: str
    path: Path
    row: int
    mpp: MicronsPerPixel | None = None
    force_mpp: bool = False
    attachments: Mapping[str, Path] = field(default_factory=dict, hash=False)
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)
    urls: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """A look at a specimen before training: a small `picture` (h w 3) uint8 with what was found drawn in, `facts` of it
    in words, and `doubts` that are worth a look.
    """

    picture: np.ndarray | None = field(default=None, repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def read_specimens(folder: Path, head: Head, known: Collection[str], faults: Faults) -> tuple[Specimen, ...]:
    """The rows of specimens.csv; a patient that is not among the known, and a file that is not there, is a fault."""
    raw = read_table(folder / FILE, faults, wanted=_COLUMNS, unique=("specimen_id",))
    if raw is None:
        return ()
    declared = [*head.attachments, *(each.column for each in head.endpoints.values() if isinstance(each, Outlined))]
    for name in declared:
        if name not in raw.columns:
            faults.add(FILE, f"has no column {name}, which cohort.toml names; {did_you_mean(name, raw.columns)}")
    attachments = [name for name in dict.fromkeys((*ATTACHMENTS, *declared)) if name in raw.columns]
    further = further_columns(
        raw, (*_COLUMNS, "mpp", "force_mpp", MD5, *REGION, *ATTACHMENTS, *attachments), file=FILE, faults=faults
    ) + [name for name in (MD5, *REGION) if name in raw.columns]
    _check_places(raw.reindex(columns=["path", "region", "region_class", "region_without"], fill_value=""), faults)
    cells = raw.reindex(columns=[*_COLUMNS, *attachments], fill_value="")
    _check(cells, known, faults)
    if MD5 in raw.columns:
        _check_md5(raw[MD5], faults)
    files = NamedFiles(folder, head.specimen_root, file=FILE, faults=faults, urls=True)
    studies = cells["modality"].isin(FOLDERS)
    columns = {name: cells[name].tolist() for name in _COLUMNS[:3]}
    columns["path"] = [path or folder for path in files.find(cells["path"], folders=studies)]
    columns["row"] = raw.index.tolist()
    mpp = _numbers(raw, "mpp", faults, "micrometres per pixel, such as 0.25", lambda each: each > 0)
    columns["mpp"] = [None if np.isnan(each) else MicronsPerPixel(each) for each in mpp]
    columns["force_mpp"] = [
        each == 1 for each in _numbers(raw, "force_mpp", faults, "1 (yes) or 0 (no)", lambda each: each.isin([0, 1]))
    ]
    columns["attachments"] = _by_row({name: files.find(cells[name], folders=studies) for name in attachments}, raw)
    columns["extra"] = _by_row({name: raw[name].tolist() for name in further}, raw)
    remote = {name: cells[name].where(cells[name].map(is_url), "").tolist() for name in ("path", *attachments)}
    columns["urls"] = _by_row(remote, raw)
    rows = zip(*columns.values(), strict=True)
    return tuple(Specimen(**dict(zip(columns, row, strict=True))) for row in rows)


def _check(cells: pd.DataFrame, known: Collection[str], faults: Faults) -> None:
    patients, modality = cells["patient_id"], cells["modality"]
    for row in cells.index[~patients.isin([*known, ""])] if known else ():
        faults.add(FILE, "the patient is not in patients.csv", row, "patient_id")
    for given in modality[~modality.isin([*_MODALITIES, ""])].unique():
        if meant := slip_of(given, _MODALITIES):
            for row in cells.index[modality == given]:
                faults.add(FILE, f"got {given!r}, wanted a modality; did you mean {meant}?", row, "modality")


def _check_md5(sums: pd.Series, faults: Faults) -> None:
    wrong = sums[(sums != "") & ~sums.str.fullmatch("[0-9a-f]{32}")]
    faults.add_cells(FILE, wrong, wanted="an MD5 checksum, 32 digits of 0 to 9 and a to f")


def _check_places(cells: pd.DataFrame, faults: Faults) -> None:
    """One path may be in several rows, of a region each."""
    known: dict[tuple[str, ...], int] = {}
    whole = dict(zip(cells["path"][cells["region"] == ""], cells.index[cells["region"] == ""], strict=True))
    for row, path, *region in cells[cells["path"] != ""].itertuples():
        if not region[0] and any(region):
            faults.add(FILE, "names a part of no region; name its GeoJSON file in column region", row, "region")
        first = known.setdefault((path, *region[:2]), row)
        if first != row:
            same = "path and region are" if region[0] else "path is"
            faults.add(FILE, f"the same {same} in row {first} already", row, "path")
        elif region[0] and path in whole:
            faults.add(FILE, f"the same path is in row {whole[path]} without a region", row, "path")


def _numbers(
    raw: pd.DataFrame, column: str, faults: Faults, wanted: str, right: Callable[[pd.Series], "pd.Series[bool]"]
) -> list[float]:
    """The numbers of a column that may be absent and have empty cells, NaN there."""
    if column not in raw.columns:
        return [np.nan] * len(raw)
    return list(number_cells(raw[column], faults, file=FILE, wanted=wanted, right=right, blank=True))


def _by_row(columns: Mapping[str, list[Any]], raw: pd.DataFrame) -> list[dict[str, Any]]:
    """The filled cells of each row by the name of their column."""
    rows: list[dict[str, Any]] = [{} for _ in raw.index]
    for name, cells in columns.items():
        for row, cell in zip(rows, cells, strict=True):
            if cell:
                row[name] = cell
    return rows
