"""Lesions: what was seen in a cohort's specimens, one row of lesions.csv each, by its mask or its place."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort.columns import class_column, covariate, number_cells, without_codes
from hepatica.cohort.delimited import is_absent, read_table
from hepatica.cohort.endpoints import LesionClasses
from hepatica.cohort.faults import Faults
from hepatica.cohort.head import Head
from hepatica.cohort.named_files import NamedFiles, further_columns
from hepatica.cohort.specimens import Specimen

FILE = "lesions.csv"

_IDS = ("patient_id", "specimen_id", "lesion_id")
_PLACE = ("x_mm", "y_mm", "z_mm")
COLUMNS = (*_IDS, "label", "mask", "segment", *_PLACE, "diameter_mm")
"""Of a table of lesions: label (text, or numbers), mask (a path), segment (the number of the lesion in its mask, or in
that of the specimen), its centre in DICOM patient coordinates (LPS: x grows to the left, y to the back, z to the head,
in mm) and its largest diameter; missing where the cell is empty."""


def read_lesions(folder: Path, head: Head, specimens: Sequence[Specimen], faults: Faults) -> pd.DataFrame:
    """The rows of lesions.csv, numbered from 0, with all of COLUMNS and the table's own; none without the file."""
    raw = None
    if not is_absent(folder / FILE, faults):
        raw = read_table(folder / FILE, faults, wanted=_IDS, unique=())
    by_lesion = [each for each in head.endpoints.values() if isinstance(each, LesionClasses)]
    if raw is None:
        for each in by_lesion:
            faults.add(FILE, f"has no rows, and [endpoints.{each.name}] of cohort.toml names its column {each.lesion}")
        return pd.DataFrame(columns=list(COLUMNS))
    further = further_columns(raw, COLUMNS, file=FILE, faults=faults)
    raw = without_codes(raw, head.missing, faults, file=FILE, kept=(*_IDS, *_PLACE, "mask"))
    cells = raw.reindex(columns=[*COLUMNS, *further], fill_value="")
    _check_ids(cells, specimens, faults)
    files = NamedFiles(folder, head.specimen_root, file=FILE, faults=faults)
    masks = files.find(cells["mask"], folders=pd.Series(False, index=cells.index))
    columns = {name: cells[name] for name in _IDS}
    columns |= {
        "label": covariate(cells["label"], faults, file=FILE),
        "mask": pd.Series(masks, index=cells.index, dtype=object),
    }
    segment = _numbers(cells, "segment", faults, wanted="a whole number of 1 or more", least=1)
    columns["segment"] = segment.astype("Int64")
    columns |= {name: _numbers(cells, name, faults, wanted="mm, or an empty cell", least=-np.inf) for name in _PLACE}
    columns["diameter_mm"] = _numbers(cells, "diameter_mm", faults, wanted="mm, more than 0", least=np.nextafter(0, 1))
    partial = (cells[list(_PLACE)] == "").any(axis="columns") & (cells[list(_PLACE)] != "").any(axis="columns")
    for row in cells.index[partial]:
        faults.add(FILE, f"got one or two of {', '.join(_PLACE)}, wanted all three or none", row)
    columns |= {name: covariate(cells[name], faults, file=FILE) for name in further}
    for each in by_lesion:
        columns[each.lesion] = class_column(cells, each.lesion, faults, classes=each.classes, file=FILE)
    return pd.DataFrame(columns).reset_index(drop=True)


def _numbers(cells: pd.DataFrame, name: str, faults: Faults, *, wanted: str, least: float) -> pd.Series:
    def right(numbers: pd.Series) -> pd.Series:
        return (numbers >= least) & ((name != "segment") | (numbers % 1 == 0))

    return number_cells(cells[name], faults, file=FILE, wanted=wanted, right=right, blank=True)


def _check_ids(cells: pd.DataFrame, specimens: Sequence[Specimen], faults: Faults) -> None:
    owner = cells["specimen_id"].map({each.specimen_id: each.patient_id for each in specimens})
    for row in cells.index[owner.isna() & (cells["specimen_id"] != "")]:
        faults.add(FILE, "the specimen is not in specimens.csv", row, "specimen_id")
    for row in cells.index[owner.notna() & (owner != cells["patient_id"]) & (cells["patient_id"] != "")]:
        faults.add(FILE, "the specimen is of another patient in specimens.csv", row, "patient_id")
    for row in cells.index[cells.duplicated(["specimen_id", "lesion_id"]) & (cells["lesion_id"] != "")]:
        faults.add(FILE, "an earlier row has the same lesion_id of the same specimen", row, "lesion_id")
