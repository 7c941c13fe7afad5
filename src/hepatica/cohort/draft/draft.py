"""Draft: cohort.toml, patients.csv and specimens.csv from a folder of files and the table a hospital has of it."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from hepatica.cohort.atomic import write_table, write_text
from hepatica.cohort.draft.dates import Order, order_of, written
from hepatica.cohort.draft.follow_up import OLDEST, follow_up
from hepatica.cohort.draft.found import Found, Owners, find_files, mask_column, phases_together
from hepatica.cohort.draft.roles import Role, plain, roles, yes_no
from hepatica.cohort.draft.spreadsheet import read_spreadsheet
from hepatica.cohort.errors import CohortError
from hepatica.cohort.faults import listed, rows_in_words

FILES, STUDIES = "files", "studies"
"""Names in the new folder: a link to the folder given, and studies that had to be sorted by patient."""

_TEXTS = 4
"""Filled cells from which a column of text that hardly repeats itself is taken for names or free text. Ours."""

_SUMMED = (
    r"(?i)(grand )?total|sums?|summe|gesamt|mean|average|median|mittelwert|somme|moyenne|n ?= ?\d+|合计|总计|平均.*"
)
_OF_PERSONS = r"[+\d](?:[ /()-]*\d){6,}|0\d{3,}|(0?[1-9]|1[0-2])[/.](19|20)\d\d"
"""Seven digits and more, numbers that begin with 0, and months of a year."""

_AGE = re.compile(r"(age|alter|年龄)(_|$)")

Split = Callable[[Path, Path], Sequence[Found]]
"""From a folder and where to put what must be sorted to studies of one patient each; what has no modality is none."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """`columns` says of each column of the table what became of it; `notes` what to check."""

    folder: Path
    patients: int
    specimens: int
    endpoints: tuple[str, ...]
    columns: Mapping[str, str]
    notes: tuple[str, ...]


def draft_cohort(
    folder: Path,
    out: Path,
    *,
    table: Path | None = None,
    given: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    order: Order | None = None,
    modality: str | None = None,
    split: Split | None = None,
) -> Draft:
    """Write a cohort folder for the files of `folder` and the patients of `table`; nothing in either is changed.

    `given` names the columns of roles, `keep` columns that would be dropped as free text; `order` is that of day and
    month; `modality` is that of volumes; `split` sorts DICOM by patient. CohortError where `out` has something else in
    it, the table cannot be read, or no file is found.
    """
    if out.exists() and any(out.iterdir()):
        raise CohortError(f"{out} is not empty; choose another folder with --out")
    files = find_files(folder, modality=modality)
    studies = split(folder, out / STUDIES) if split and files.dicom else ()
    found = [*files.specimens, *(each for each in studies if each.modality)]
    if not found and table is None:
        raise CohortError(
            f"{folder} has no slide, scan or spectrum that is known by its name; see docs/how_to/own_cohort.md"
        )
    made = _of_table(table, given=given or {}, keep=keep, order=order) if table else _Table()
    specimens, notes = _specimens(found, files.masks, made, folder=folder, out=out)
    patients = made.patients if table else specimens[["patient_id"]].drop_duplicates()
    without = patients.loc[~patients["patient_id"].isin(specimens["patient_id"]), "patient_id"]
    if found and len(without):
        notes.append(f"patients without a file, {len(without)}: {listed(without)}")
    if not found:
        notes.append(f"no slide, scan or spectrum was found in {folder}")
    if unread := len([each for each in studies if not each.modality]):
        notes.append(f"archives that are damaged or hold no image, left out: {unread}")
    notes += [files.left_out] if files.left_out else []
    _write(out, folder, patients=patients, specimens=specimens, made=made)
    return Draft(
        folder=out,
        patients=len(patients),
        specimens=len(specimens),
        endpoints=tuple(made.endpoints),
        columns=made.columns,
        notes=(*made.notes, *notes),
    )


@dataclass
class _Table:
    """What the table became; `names` are those by which files may call each patient, dropped ones among them."""

    patients: pd.DataFrame = field(default_factory=pd.DataFrame)
    names: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def _of_table(path: Path, *, given: Mapping[str, str], keep: Sequence[str], order: Order | None) -> _Table:
    sheet = read_spreadsheet(path)
    found = {name: role for name, role in roles(sheet.table, given=given).items() if name not in keep}
    notes = [*sheet.notes]
    rows, ids = _identified(sheet.table, found, notes, file=path.name)
    dated = [name for name, role in found.items() if role.kind == "dates" or role.name == "birth date"]
    order = order or order_of(rows[name] for name in dated)
    outcomes = follow_up(rows, found, order=order)
    labels = {role.name: yes_no(rows[name]) for name, role in found.items() if role.kind == "labels"}
    further = _covariates(rows, found, keep=keep, taken={*outcomes.columns, *labels})
    columns = {name: _fate(name, found, further, outcomes.columns, order) for name in map(str, rows)}
    kept = {new: _capped(rows[name]) if _AGE.match(new) else rows[name] for name, new in further.items() if new}
    made = pd.DataFrame({"patient_id": ids} | kept | labels | outcomes.columns)
    timed = [name for each in outcomes.endpoints.values() for name in each.values()]
    lacking = made[timed].isna().any(axis="columns") if timed else pd.Series(False, made.index)
    if lacking.any():
        notes.append(f"patients without follow-up, left out, {lacking.sum()}: {rows_in_words(made.index[lacking])}")
    made = made[~lacking]
    words = [name for name, role in found.items() if role.key in ("file", "record number")]
    names = {patient: [patient] for patient in made["patient_id"]}
    for patient, *cells in zip(ids, *(rows[name] for name in words), strict=True):
        for cell in cells if patient in names else ():
            names[patient] += [Path(part).stem for part in re.split(r"[;,|\n]", cell)]
    endpoints = outcomes.endpoints | {name: {"label": name} for name in labels}
    notes += outcomes.notes
    answers = [name for name, new in further.items() if new and yes_no(rows.loc[rows[name] != "", name]).notna().all()]
    if answers and not endpoints:
        notes.append(
            f"an outcome may be {listed(map(repr, answers))}: say --set hcc=COLUMN, or mvi, malignant, response"
        )
    return _Table(made, names, columns, endpoints, notes)


def _capped(ages: pd.Series) -> pd.Series:
    return ages.mask(pd.to_numeric(ages, errors="coerce") > OLDEST, str(OLDEST))


def _identified(
    table: pd.DataFrame, found: Mapping[str, Role], notes: list[str], *, file: str
) -> tuple[pd.DataFrame, pd.Series]:
    """One row a patient, and their ids; without a column of ids they are the rows of the table."""
    own = next((name for name, role in found.items() if role.key == "patient_id"), None)
    if own is None:
        notes.append(f"no column of study ids: patients are called by their row in {file} (P0002 is row 2)")
        return table, pd.Series([f"P{row:04}" for row in table.index], table.index)
    summed = table[own].str.fullmatch(_SUMMED)
    if summed.any():
        notes.append(f"{rows_in_words(table.index[summed])} left out: totals, not patients")
        table = table[~summed]
    if blank := [*table.index[table[own] == ""]]:
        notes.append(f"{rows_in_words(blank)} without {own!r} left out")
    rows = table[table[own] != ""]
    if rows[own].duplicated().any():
        notes.append(f"several rows of one patient are joined by {own!r}: of each column the first filled cell")
        joined = rows.mask(rows == "").groupby(own, sort=False)
        differ = joined.nunique() > 1
        if differ.to_numpy().any():
            notes.append(f"rows of one patient differ in {listed(map(repr, differ.columns[differ.any()]))}")
        first = joined.first().fillna("").reset_index().set_axis(rows.index[~rows[own].duplicated()])
        for name in [name for name, role in found.items() if role.kind not in ("keys", "identifiers")]:
            first[name] = first[name].mask(first[own].map(differ[name]), "rows differ")  # no outcome is better than one
        for name in [name for name, role in found.items() if role.key == "file"]:
            first[name] = first[own].map(rows.groupby(own)[name].agg(";".join))
        rows = first[table.columns]
    return rows, rows[own]


def _covariates(
    rows: pd.DataFrame, found: Mapping[str, Role], *, keep: Sequence[str], taken: set[str]
) -> dict[str, str]:
    """New names of the other columns, "" for those that are dropped."""
    new: dict[str, str] = {}
    used = {"patient_id", *taken}
    for name in rows.columns.drop([*found]):
        filled = rows.loc[rows[name] != "", name]
        if name not in keep and (filled.empty or written(filled).any() or _is_free_text(filled)):
            new[name] = ""
            continue
        base = snake(name)
        if base == "treatment" and "none" not in set(filled):
            base = "treatment_given"  # patients with a treatment are not trained on
        new[name] = base if base not in used else f"{base}_{len(used)}"
        used.add(new[name])
    return new


def _is_free_text(filled: pd.Series) -> bool:
    """Whether cells may tell who someone is: text that hardly repeats itself, or long numbers."""
    text = pd.to_numeric(filled, errors="coerce").isna().mean() > 0.5
    numbers = filled.str.fullmatch(_OF_PERSONS).mean() > 0.5
    return bool(numbers or (text and len(filled) >= _TEXTS and filled.nunique() > 0.7 * len(filled)))


def snake(name: str) -> str:
    """A column's name with its unit, in small letters and underscores: AFP (ng/mL) as afp_ng_ml."""
    bare = unicodedata.normalize("NFKD", name.replace("µ", "u").replace("μ", "u").replace("ß", "ss"))
    bare = bare.encode("ascii", "ignore").decode().lower()
    return re.sub(r"\W+", "_", bare).strip("_") or name


def _fate(
    name: str, found: Mapping[str, Role], new: Mapping[str, str], made: Mapping[str, Any], order: Order | None
) -> str:
    """What became of a column, in words."""
    role = found.get(name)
    if role is None:
        return new[name] or "dropped: dates, names, long numbers or free text, or empty"
    if role.kind == "identifiers":
        aged = role.name == "birth date" and "age_years" in made
        return f"dropped: {role.name}{' (age_years is kept)' if aged else ''}"
    if role.kind == "dates":
        return f"{role.name.replace('_', ' ')} date{f', {order}' if order else ''}; dropped once used"
    return "names of files" if role.key == "file" else role.key.replace("_time", "_months")


def _specimens(
    found: Sequence[Found], masks: Sequence[Path], made: _Table, *, folder: Path, out: Path
) -> tuple[pd.DataFrame, list[str]]:
    """specimens.csv, and notes of files that belong to no patient."""
    owners = Owners(made.names)
    rows: list[dict[str, str]] = []
    lost: list[str] = []
    unsure: list[str] = []
    for each in phases_together(found):
        inside = each.path.is_relative_to(folder)
        name = each.path.relative_to(folder if inside else out).as_posix()
        if made.names:
            texts = (name, *each.words) if inside else each.words
            patient = owners.of(*texts)
            unsure += [name] if inside and owners.unsure(*texts) else []
        else:
            patient = f"P{each.patient:04}" if each.patient else _first_part(name)
        if patient is None:
            lost.append(name if inside else f"a study in {STUDIES}")
        else:
            place = f"{FILES}/{name}" if inside else name
            rows.append({"patient_id": patient, "modality": each.modality, "path": place})
    table = pd.DataFrame(rows, columns=["patient_id", "modality", "path"])
    table.insert(1, "specimen_id", [f"S{number:04}" for number in range(1, len(table) + 1)])
    notes = [f"files of no patient that is kept, left out, {len(lost)}: {listed(lost)}"] if lost else []
    if unsure:
        notes.append(f"given to a patient by one number within a longer name, check {len(unsure)}: {listed(unsure)}")
    return _with_masks(table, masks, owners, made, folder=folder, notes=notes), notes


def _first_part(name: str) -> str:
    """Without a table a patient is a folder, or a file; of TCGA the barcode."""
    match = re.match(r"TCGA-\w\w-\w{4}|[^/]+(?=/)|[^.]+", name)
    return match[0] if match else name


def _with_masks(
    table: pd.DataFrame, masks: Sequence[Path], owners: Owners, made: _Table, *, folder: Path, notes: list[str]
) -> pd.DataFrame:
    """Columns of masks, where a patient has one of a kind and one scan."""
    own: dict[str, dict[str | None, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in masks:
        name = path.relative_to(folder)
        who = owners.of(name.as_posix()) if made.names else _first_part(name.as_posix())
        own[mask_column(name)][who].append(f"{FILES}/{name.as_posix()}")
    scans, unclear = Counter(table["patient_id"]), 0
    for column, of in own.items():
        clear = {who: paths[0] for who, paths in of.items() if len(paths) == 1 and scans[who] == 1}
        unclear += sum(len(paths) for who, paths in of.items() if who not in clear)
        if clear:
            table = table.assign(**{column: table["patient_id"].map(clear).fillna("")})
            notes.append(f"{column}: masks by their names, {len(clear)} of them")
    if unclear:
        notes.append(f"{unclear} masks are of no single scan: write them into the column mask of specimens.csv")
    return table


def _write(out: Path, folder: Path, *, patients: pd.DataFrame, specimens: pd.DataFrame, made: _Table) -> None:
    head: dict[str, Any] = {
        "name": plain(out.resolve().name).replace(" ", "_") or "cohort",
        "hospital": out.resolve().name,
        "notes": "Drafted by hepatica init; correct what it took wrongly.",
    }
    out.mkdir(parents=True, exist_ok=True)
    if len(specimens):
        (out / FILES).symlink_to(folder.resolve(), target_is_directory=True)
        write_table(out / "specimens.csv", specimens)
    write_table(out / "patients.csv", patients)
    write_text(out / "cohort.toml", tomli_w.dumps(head | {"endpoints": made.endpoints}))
