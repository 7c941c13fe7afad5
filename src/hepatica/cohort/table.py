"""Cohort table: a folder of patients and specimens, read and checked as a whole."""

import hashlib
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

import pandas as pd

from hepatica.cohort.columns import Faults, as_covariate, event_column, label_column, read_table, time_column
from hepatica.cohort.endpoints import Endpoint, TimeToEvent, declared
from hepatica.cohort.errors import CohortError
from hepatica.cohort.tasks import Target
from hepatica.cohort.units import MicronsPerPixel

TABLES = ("cohort.toml", "patients.csv", "specimens.csv")
"""The files that make a folder a cohort; their digest is the cohort's."""

_KEYS = {"name": str, "hospital": str, "phantom": bool, "specimen_root": str, "notes": str, "endpoints": dict}
_ENDPOINT_KEYS = ({"time", "event"}, {"label"})
_COLUMNS = {"time": time_column, "event": event_column, "label": label_column}
_SPECIMEN_COLUMNS = ("patient_id", "specimen_id", "modality", "path")
_PATHS = ("path", "liver_mask", "nodule_mask", "water")

STUDIES = ("ct", "mr", "ultrasound")
"""Modalities of which a specimen may be a folder, a DICOM study, as well as a file."""


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One file, or one folder of a study, of one patient. `row` is its row in specimens.csv.

    `mpp` overrides the file's own resolution; the masks are what somebody outlined in it, None where nobody did;
    `water` is the file of a spectrum's water reference.
    """

    patient_id: str
    specimen_id: str
    modality: str
    path: Path
    row: int
    mpp: MicronsPerPixel | None = None
    liver_mask: Path | None = None
    nodule_mask: Path | None = None
    water: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Patients of one hospital with their endpoints and specimens.

    `patients` is indexed by patient_id: covariates, for each survival endpoint its time in months and its event (0 or
    1), and for each diagnosis its label (1, 0 or missing).
    """

    name: str
    hospital: str
    phantom: bool
    notes: str
    digest: str
    endpoints: Mapping[str, Endpoint]
    patients: pd.DataFrame
    specimens: tuple[Specimen, ...]

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of that name; CohortError when the cohort does not have it."""
        if name not in self.endpoints:
            have = ", ".join(sorted(self.endpoints)) or "none"
            raise CohortError(f"cohort {self.name} has no endpoint {name!r} (has: {have}); add it to cohort.toml")
        return self.endpoints[name]

    def label(self, target: Target) -> pd.Series:
        """What came true of a binary target, 1 or 0 by patient_id, missing where unknown; CohortError as `endpoint`."""
        return self.endpoint(target.endpoint).label(self.patients, horizon=target.horizon)

    def known(self, target: Target) -> tuple[str, ...]:
        """Patients of whom it is known."""
        return tuple(self.label(target).dropna().index)

    def survival(self, name: str) -> TimeToEvent:
        """The survival endpoint of that name; CohortError where the cohort has none of that name and kind."""
        endpoint = self.endpoint(name)
        if not isinstance(endpoint, TimeToEvent):
            raise CohortError(f"endpoint {name} of {self.name} has no follow-up, wanted time and event in cohort.toml")
        return endpoint

    def specimens_of(self, modality: str) -> tuple[Specimen, ...]:
        """The specimens of that modality, of "table" one a patient; CohortError when there are none."""
        if modality == "table":
            rows = enumerate(self.patients.index.astype(str), start=2)
            return tuple(
                Specimen(patient_id=each, specimen_id=each, modality=modality, path=Path("patients.csv"), row=row)
                for row, each in rows
            )
        found = tuple(specimen for specimen in self.specimens if specimen.modality == modality)
        if not found:
            have = ", ".join(sorted({specimen.modality for specimen in self.specimens})) or "nothing"
            raise CohortError(f"got specimens of modality {have}, wanted {modality}; see the column of specimens.csv")
        return found

    def select(self, patient_ids: Iterable[str]) -> "Cohort":
        """The same cohort with these patients only, in the cohort's own order."""
        wanted = set(patient_ids)
        patients = self.patients[self.patients.index.isin(wanted)]
        specimens = tuple(each for each in self.specimens if each.patient_id in wanted)
        return replace(self, patients=patients, specimens=specimens)


def load_cohort(folder: Path) -> Cohort:
    """Read a cohort folder; CohortError names every fault at once with file, row, column and what was wanted."""
    faults = Faults()
    head = _read_head(folder / "cohort.toml", faults)
    endpoints = _endpoints(head.get("endpoints", {}), faults)
    patients = _patients(folder, endpoints, faults)
    specimens = _specimens(folder, head.get("specimen_root", "."), set(patients.index) - {""}, faults)
    faults.raise_if_any(folder)
    return Cohort(
        name=head["name"],
        hospital=head.get("hospital", ""),
        phantom=head.get("phantom", False),
        notes=head.get("notes", ""),
        digest=hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in TABLES)).hexdigest(),
        endpoints=endpoints,
        patients=patients,
        specimens=specimens,
    )


def _read_head(path: Path, faults: Faults) -> dict[str, Any]:
    """The known keys that have the right type; every other is a fault."""
    if not path.is_file():
        faults.add(path.name, "is missing")
        return {}
    try:
        head = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.add(path.name, f"is not valid TOML: {error}")
        return {}
    for key, value in head.items():
        if key not in _KEYS:
            faults.add(path.name, f"has the unknown key {key!r}; known keys are {', '.join(sorted(_KEYS))}")
        elif not isinstance(value, _KEYS[key]):
            faults.add(path.name, f"key {key!r}: got {value!r}, wanted {_KEYS[key].__name__}")
    if not head.get("name"):
        faults.add(path.name, 'has no name; add a line such as name = "my_hospital"')
    return {key: value for key, value in head.items() if isinstance(value, _KEYS.get(key, ()))}


def _endpoints(tables: Mapping[str, Any], faults: Faults) -> dict[str, Endpoint]:
    endpoints = {}
    for name, columns in tables.items():
        if not _names_columns(columns):
            wanted = "exactly the keys time and event, or the key label alone, each a column name"
            faults.add("cohort.toml", f"[endpoints.{name}] wants {wanted}")
            continue
        if not name.isidentifier():
            faults.add("cohort.toml", f"[endpoints.{name}]: wanted a name of letters, digits and underscores")
        endpoints[name] = declared(name, keys=columns)
    return endpoints


def _names_columns(columns: Any) -> bool:
    return (
        isinstance(columns, dict)
        and columns.keys() in _ENDPOINT_KEYS
        and all(isinstance(column, str) for column in columns.values())
        and len(set(columns.values())) == len(columns)
    )


def _patients(folder: Path, endpoints: Mapping[str, Endpoint], faults: Faults) -> pd.DataFrame:
    raw = read_table(folder / "patients.csv", faults, wanted=("patient_id",), unique=("patient_id",))
    if raw is None:
        return pd.DataFrame()
    columns = {}
    for endpoint in endpoints.values():
        for key, name in endpoint.declared.items():
            columns[name] = _COLUMNS[key](raw, name, faults)
    for name in raw.columns.difference(["patient_id", *columns], sort=False):
        columns[name] = as_covariate(raw[name])
    ids = raw.get("patient_id", pd.Series("", index=raw.index))
    return pd.DataFrame(columns, index=raw.index).set_axis(pd.Index(ids, name="patient_id"), axis="index")


def _specimens(folder: Path, root: str, known: set[str], faults: Faults) -> tuple[Specimen, ...]:
    if not _inside(root):
        faults.add("cohort.toml", f"specimen_root {root!r} leaves the cohort folder; use a folder or link inside it")
    unique = ("specimen_id", "path")
    raw = read_table(folder / "specimens.csv", faults, wanted=_SPECIMEN_COLUMNS, unique=unique)
    if raw is None:
        return ()
    blank = dict.fromkeys(_SPECIMEN_COLUMNS, "")
    rows = zip(raw.index, raw.to_numpy(), strict=True)
    return tuple(
        _specimen(folder, root, known, faults, row, blank | dict(zip(raw.columns, cells, strict=True)))
        for row, cells in rows
    )


def _specimen(folder: Path, root: str, known: set[str], faults: Faults, row: int, cells: Mapping[str, str]) -> Specimen:
    paths = {name: _path(folder, root, faults, row, name, cells) for name in _PATHS if cells.get(name)}
    if known and cells["patient_id"] and cells["patient_id"] not in known:
        faults.add("specimens.csv", "the patient is not in patients.csv", row, "patient_id")
    return Specimen(
        patient_id=cells["patient_id"],
        specimen_id=cells["specimen_id"],
        modality=cells["modality"],
        path=paths.get("path", folder),
        row=row,
        mpp=_mpp(cells.get("mpp", ""), row, faults),
        liver_mask=paths.get("liver_mask"),
        nodule_mask=paths.get("nodule_mask"),
        water=paths.get("water"),
    )


def _path(folder: Path, root: str, faults: Faults, row: int, column: str, cells: Mapping[str, str]) -> Path:
    given = cells[column]
    path = folder / _portable(root) / _portable(given)
    there = os.path.exists if cells["modality"] in STUDIES else os.path.isfile
    if not _inside(given):
        faults.add("specimens.csv", f"got {given!r}, wanted a path inside the cohort folder", row, column)
    elif _inside(root) and not there(path):
        faults.add("specimens.csv", f"no such file: {root}/{given}", row, column)
    return path


def _portable(path: str) -> str:
    """The path with forward slashes; tables are made on Windows and read elsewhere."""
    return PureWindowsPath(path).as_posix()


def _inside(path: str) -> bool:
    """Whether a path stays below where it starts; a link placed inside is its owner's choice and is followed."""
    parsed = PureWindowsPath(path)
    return not parsed.anchor and ".." not in parsed.parts


def _mpp(cell: str, row: int, faults: Faults) -> MicronsPerPixel | None:
    if not cell:
        return None
    try:
        mpp = float(cell)
    except ValueError:
        mpp = math.nan
    if not 0 < mpp < math.inf:
        faults.add("specimens.csv", f"got {cell!r}, wanted micrometres per pixel, such as 0.25", row, "mpp")
    return MicronsPerPixel(mpp)
