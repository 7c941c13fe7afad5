"""Cohort table: a folder of patients and what belongs to them, read and checked as a whole."""

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path

import pandas as pd

from hepatica.cohort.columns import LONG_MONTHS, covariate, outcome_columns, without_codes
from hepatica.cohort.delimited import TABLES, is_absent, read_table
from hepatica.cohort.endpoints import Classes, Endpoint, LesionClasses, Measured, Outlined, Status, TimeToEvent
from hepatica.cohort.errors import CohortError
from hepatica.cohort.faults import Faults
from hepatica.cohort.further_table import FurtherTable
from hepatica.cohort.head import FILE, Head, read_head
from hepatica.cohort.lesions import COLUMNS, read_lesions
from hepatica.cohort.named_files import further_columns
from hepatica.cohort.specimens import Specimen, read_specimens
from hepatica.cohort.tasks import Target

OF_TABLES = ("table", "visits", "claims", "genes")
"""Modalities that are read from tables, and not from files that specimens.csv lists."""

_COVARIATES = ("treatment",)
"""Columns of patients.csv that hepatica itself looks for, beside those of endpoints."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Cohort:
    """Patients of one hospital with their endpoints and what belongs to them.

    `patients` is indexed by patient_id: covariates, and the columns of each endpoint: time in months and event (0, 1 or
    2); label (1 or 0); class; or value; the last three missing where unknown. `lesions` has the columns of
    `lesions.COLUMNS`. `digest` is of the bytes of all files that make the cohort but the specimens' own.
    `folder` is where it was read from, None of bare files.
    """

    name: str
    hospital: str
    phantom: bool
    notes: str
    digest: str
    endpoints: Mapping[str, Endpoint]
    patients: pd.DataFrame
    specimens: tuple[Specimen, ...]
    lesions: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    tables: Mapping[str, FurtherTable] = field(default_factory=dict)
    folder: Path | None = None

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

    def having(self, column: str, *, value: str) -> tuple[str, ...]:
        """Patients with that value in a column of patients.csv; all of them where there is no such column."""
        found = self.patients.get(column, pd.Series(value, index=self.patients.index))
        return tuple(self.patients.index[found == value])

    def survival(self, name: str) -> TimeToEvent:
        """The survival endpoint of that name; CohortError where the cohort has none of that name and kind."""
        endpoint = self.endpoint(name)
        if not isinstance(endpoint, TimeToEvent):
            raise CohortError(f"endpoint {name} of {self.name} has no follow-up, wanted time and event in cohort.toml")
        return endpoint

    def specimens_of(self, modality: str) -> tuple[Specimen, ...]:
        """The specimens of that modality, one a patient where it is of tables; CohortError when there are none."""
        if modality in OF_TABLES:
            rows = enumerate(self.patients.index.astype(str), start=2)
            return tuple(
                Specimen(patient_id=each, specimen_id=each, modality=modality, path=Path("patients.csv"), row=row)
                for row, each in rows
            )
        found = tuple(specimen for specimen in self.specimens if specimen.modality == modality)
        if not found:
            have = ", ".join(sorted({specimen.modality for specimen in self.specimens})) or "none"
            raise CohortError(
                f"cohort {self.name} has no specimens of modality {modality} (has: {have}); list them in specimens.csv"
            )
        return found

    def table(self, name: str) -> pd.DataFrame:
        """A further table of cohort.toml, read now: `patient_id`, `months` where it has a time, and its other columns.

        CohortError when the cohort does not have it, and for every fault of its cells.
        """
        if name not in self.tables:
            have = ", ".join(sorted(self.tables)) or "none"
            raise CohortError(f"cohort {self.name} has no table {name!r} (has: {have}); add [tables.{name}] to {FILE}")
        found = self.tables[name].read(self.patients.index)
        self._caution_late(self.tables[name], found)
        return found

    def _caution_late(self, table: FurtherTable, rows: pd.DataFrame) -> None:
        """Warn where most patients without any event have rows after their follow-up: they were seen alive then."""
        followed = [each for each in self.endpoints.values() if isinstance(each, TimeToEvent)]
        if "months" not in rows or not followed:
            return
        free = (self.patients[[each.event for each in followed]] == 0).all(axis=1)
        end = self.patients.loc[free, [each.time for each in followed]].max(axis=1)
        last = rows.groupby("patient_id")["months"].max().reindex(end.index).dropna()
        late = last > end[last.index] + 1
        if late.sum() > len(late) / 2:
            warnings.warn(
                f"{table.path.name}: {late.sum()} of {len(late)} patients without an event have rows after the end of"
                f" their follow-up, up to month {last.max():g}; if the times are not {table.unit}, correct the unit of"
                f" [tables.{table.name}] in {FILE}",
                stacklevel=3,
            )

    def last(self, name: str, *, column: str) -> pd.Series:
        """Each patient's last value of a column of a further table up to the index date, by patient_id; missing where
        there is none.

        What was measured after the index date could reveal the outcome. The last row where the table has no time.
        CohortError as `table`, and for an absent column.
        """
        table = self.table(name)
        if column not in table.columns:
            raise CohortError(
                f"table {name} of {self.name} has no column {column!r}; it has {', '.join(table.columns)}"
            )
        if "months" in table.columns:
            table = table[table["months"] <= 0].sort_values("months", kind="stable")
        found = table.dropna(subset=[column]).drop_duplicates("patient_id", keep="last")
        return found.set_index("patient_id")[column].reindex(self.patients.index)

    def select(self, patient_ids: Iterable[str]) -> "Cohort":
        """The same cohort with these patients only, in the cohort's own order; its digest is of them."""
        wanted = set(patient_ids)
        patients = self.patients[self.patients.index.isin(wanted)]
        if len(patients) == len(self.patients):
            return self
        chosen = "\0".join([self.digest, *patients.index.astype(str)])
        return replace(
            self,
            digest=hashlib.sha256(chosen.encode()).hexdigest(),
            patients=patients,
            specimens=tuple(each for each in self.specimens if each.patient_id in wanted),
            lesions=self.lesions[self.lesions["patient_id"].isin(wanted)].reset_index(drop=True),
        )

    def __repr__(self) -> str:
        return "\n  ".join([f"Cohort {self.name}", *(f"{name}: {value}" for name, value in self._facts().items())])

    def _repr_html_(self) -> str:
        rows = [f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self._facts().items()]
        return f"<table><caption>Cohort {escape(self.name)}</caption>{''.join(rows)}</table>"

    def _facts(self) -> dict[str, str]:
        files = Counter(each.modality for each in self.specimens)
        counts = ", ".join(f"{count} {name}" for name, count in files.items())
        facts = {
            "hospital": self.hospital,
            "phantom": "simulated patients" if self.phantom else "",
            "patients": str(len(self.patients)),
            "specimens": f"{len(self.specimens)} ({counts})" if counts else "",
            "lesions": str(len(self.lesions) or ""),
            "tables": ", ".join(self.tables),
        }
        endpoints = {f"endpoint {name}": self.summary(each) for name, each in self.endpoints.items()}
        return {name: value for name, value in (facts | endpoints).items() if value}

    def summary(self, endpoint: Endpoint) -> str:
        """Events and follow-up, or classes, or values, in a line."""
        match endpoint:
            case TimeToEvent(time=time, event=event):
                months = self.patients[time].quantile(0.5)
                doubt = f" ({months / 12:.0f} years; are these days?)" if months > LONG_MONTHS else ""
                return (
                    f"{(self.patients[event] == 1).sum()} events, median follow-up {round(months, 1):g} months{doubt}"
                )
            case Status(column=column):
                return f"present in {self.patients[column].sum():.0f} of {self.patients[column].count()}"
            case Classes(column=column, classes=classes):
                return ", ".join(f"{name} {(self.patients[column] == name).sum()}" for name in classes)
            case Measured(column=column, unit=unit):
                values = self.patients[column]
                return f"median {values.quantile(0.5):g} {unit} of {values.count()}"
            case Outlined(column=column):
                return f"{sum(column in each.attachments for each in self.specimens)} specimens outlined"
            case _:
                return ""


def load_cohort(folder: "Cohort | str | Path") -> Cohort:
    """Read a cohort folder; CohortError names every fault at once with file, row, column and what was wanted.

    A cohort that is already loaded is returned as it is.
    """
    if isinstance(folder, Cohort):
        return folder
    cohort, faults = examine_cohort(Path(folder))
    faults.raise_if_any(folder)
    assert cohort is not None
    return cohort


def examine_cohort(folder: Path) -> tuple[Cohort | None, Faults]:
    """The cohort of a folder and every fault of it; where there is one, there is no cohort."""
    if not folder.is_dir():
        raise CohortError(f"{folder} is not a folder; give a cohort folder, which has {FILE} and patients.csv")
    faults = Faults()
    head = read_head(folder, faults)
    patients = _patients(folder, head, faults)
    known = set(patients.index) - {""}
    specimens = () if _no_specimens(folder, head, faults) else read_specimens(folder, head, known, faults)
    lesions = read_lesions(folder, head, specimens, faults)
    by_lesion = [each for each in head.endpoints.values() if isinstance(each, LesionClasses)]
    for table in head.tables.values():
        table.check(known, faults)
    if faults:
        return None, faults
    patients = patients.join([each.of_patients(lesions) for each in by_lesion])
    cohort = Cohort(
        name=head.name,
        hospital=head.hospital,
        phantom=head.phantom,
        notes=head.notes,
        digest=_digest(folder, head),
        endpoints=head.endpoints,
        patients=patients,
        specimens=specimens,
        lesions=lesions,
        tables=head.tables,
        folder=folder,
    )
    return cohort, faults


def _patients(folder: Path, head: Head, faults: Faults) -> pd.DataFrame:
    raw = read_table(folder / TABLES[0], faults, wanted=("patient_id",), unique=("patient_id",))
    if raw is None:
        return pd.DataFrame()
    raw = without_codes(raw, head.missing, faults, file=TABLES[0], kept=("patient_id",))
    columns: dict[str, pd.Series] = {}
    for endpoint in head.endpoints.values():
        columns |= outcome_columns(raw, endpoint, faults)
    named = ["patient_id", *_COVARIATES, *columns]
    further_columns(raw, named, file=TABLES[0], faults=faults)
    columns |= {
        name: covariate(raw[name], faults, file=TABLES[0])
        for name in raw.columns
        if name not in columns and name != "patient_id"
    }
    ids = raw.get("patient_id", pd.Series("", index=raw.index))
    return pd.DataFrame(columns, index=raw.index).set_axis(pd.Index(ids, name="patient_id"), axis="index")


def _no_specimens(folder: Path, head: Head, faults: Faults) -> bool:
    absent = is_absent(folder / TABLES[1], faults)
    for endpoint in head.endpoints.values():
        if absent and isinstance(endpoint, Outlined):
            faults.add(FILE, f"[endpoints.{endpoint.name}] names a column of {TABLES[1]}, which is missing")
    return absent


def _digest(folder: Path, head: Head) -> str:
    """Of the bytes of each file by its name; of a file that is not there, its name alone."""
    digest = hashlib.sha256()
    further = [path for each in head.tables.values() for path in (each.path, each.names) if path]
    for path in (folder / FILE, *(folder / name for name in TABLES), *further):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        if path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
