"""Plan: which TCGA-LIHC patients and slides make the cohort, who is left out and why."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pandas as pd

from hepatica.cohort.errors import UnavailableError
from hepatica.fetch.download import RemoteFile
from hepatica.fetch.follow_up import FollowUp, covariates, follow_up
from hepatica.fetch.gdc import Record, number, records, text

_BARCODE = re.compile(r"TCGA-\w{2}-\w{4}-(\d\d)[A-Z]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.svs", re.IGNORECASE)
_MD5 = re.compile(r"[0-9a-f]{32}")
_PATIENT = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Slide:
    """One slide of one patient and its name on disk, below the cohort's slides."""

    patient_id: str
    path: str
    remote: RemoteFile


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Rows of patients.csv, the slides to bring, and how many cases were left out for what reason.

    `mutations` are MAF files of these patients' primary tumours, by patient_id.
    """

    patients: Sequence[Mapping[str, Any]]
    slides: Sequence[Slide]
    mutations: Sequence[tuple[str, RemoteFile]] = ()
    left_out: Mapping[str, int]


def make_plan(
    cases: Iterable[Record],
    files: Iterable[Record],
    *,
    limit: int | None,
    one_slide: bool,
    mutations: Iterable[Record] = (),
    curated: pd.DataFrame | None = None,
) -> Plan:
    """Patients in the order of their ids, at most `limit` of them, with all their slides or the first.

    With `curated` follow-up, by patient_id, only those who have it.
    UnavailableError when a file that is wanted is listed without an id, size or md5 of the right form.
    """
    by_patient, left_out = _slides(files)
    patients: list[dict[str, Any]] = []
    slides: list[Slide] = []
    for case in sorted(cases, key=lambda case: text(case, "submitter_id")):
        if limit is not None and len(patients) == limit:
            left_out["not needed for the number of patients asked for"] += 1
            continue
        patient = text(case, "submitter_id")
        found = _usable(case, by_patient.get(patient, []))
        if curated is not None and patient not in curated.index and not isinstance(found, str):
            found = "not in the table of curated follow-up"
        if isinstance(found, str):
            left_out[found] += 1
            continue
        own: Any = {} if curated is None else curated.loc[patient].to_dict()
        patients.append({"patient_id": patient, **found.columns(), **own, **covariates(case, followed=found)})
        slides += by_patient[patient][:1] if one_slide else by_patient[patient]
    chosen = {row["patient_id"] for row in patients}
    maf = [
        (text(case, "submitter_id"), _remote(file))
        for file in mutations
        for case in records(file, "cases")[:1]
        if text(case, "submitter_id") in chosen and _is_primary_tumour(file, case)
    ]
    return Plan(patients=patients, slides=slides, left_out=dict(sorted(left_out.items())), mutations=maf)


def _usable(case: Record, slides: Sequence[Slide]) -> FollowUp | str:
    if not _PATIENT.fullmatch(text(case, "submitter_id")):
        return "no readable case id"
    return follow_up(case) if slides else "no diagnostic slide of the primary tumour"


def _slides(files: Iterable[Record]) -> tuple[dict[str, list[Slide]], Counter[str]]:
    """The slides of each patient in the order of their names, and what was left out."""
    found: dict[str, list[Slide]] = {}
    left_out: Counter[str] = Counter()
    taken: set[str] = set()
    for file in sorted(files, key=lambda file: (text(file, "file_name"), text(file, "file_id"))):
        cases = records(file, "cases")
        if len(cases) != 1 or not _is_primary_tumour(file, cases[0]):
            left_out["slide not of one patient's primary tumour (a slide, not a patient)"] += 1
            continue
        remote = _remote(file)
        name = text(file, "file_name")
        # A name that could leave the folder, or occurs twice, is replaced by the file's own id.
        path = name if _NAME.fullmatch(name) and name.lower() not in taken else f"{remote.file_id}.svs"
        taken.add(path.lower())
        patient = text(cases[0], "submitter_id")
        found.setdefault(patient, []).append(Slide(patient_id=patient, path=path, remote=remote))
    return found, left_out


def _is_primary_tumour(file: Record, case: Record) -> bool:
    """By the sample code of the TCGA barcode (01), else by what a sample says of itself."""
    barcode = _BARCODE.match(text(file, "file_name"))
    if barcode:
        return barcode[1] == "01"
    return any(_of_primary(each) for each in records(case, "samples"))


def _of_primary(sample: Record) -> bool:
    """By the properties that API 8.5 keeps, else by `sample_type`, which it dropped."""
    tissue, tumour, specimen, old = (
        text(sample, name).lower() for name in ("tissue_type", "tumor_descriptor", "specimen_type", "sample_type")
    )
    if tissue:
        return tissue == "tumor" and tumour == "primary" and specimen in ("", "solid tissue")
    return old == "primary tumor" or (not old and tumour == "primary")


def _remote(file: Record) -> RemoteFile:
    file_id, md5, size = text(file, "file_id"), text(file, "md5sum").lower(), number(file, "file_size")
    try:
        known = str(UUID(file_id)) == file_id.lower() and _MD5.fullmatch(md5)
    except ValueError:
        known = None
    if not known or not size:
        raise UnavailableError("the GDC lists a slide without a valid id, size or md5; has its API changed?")
    return RemoteFile(file_id=file_id.lower(), md5=md5, size=int(size))
