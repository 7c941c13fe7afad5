"""Cohort: a folder of phantom patients in hepatica's cohort format, as one instrument or several show them."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import tomli_w
from rich.console import Console
from rich.progress import track

from hepatica.cohort.atomic import write_table, write_text
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom.folder import TRUTH, EndpointSet, Missing, Recipe, claim
from hepatica.cohort.phantom.lesion import CLASSES
from hepatica.cohort.phantom.outcomes import APART, ENDPOINTS, ONSETS
from hepatica.cohort.phantom.patient import Patient, draw_patients
from hepatica.cohort.phantom.population import SURVEILLANCE, Population
from hepatica.cohort.phantom.readers import RATES, read_all, read_assisted
from hepatica.cohort.phantom.tables import TABLES, lesion_table, patient_table, thinned, truth_table
from hepatica.cohort.streams import generator

ATTACHED = ("after", "zone", "landmarks")
"""Columns of specimens.csv that some renderers have, and that cohort.toml declares then."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One specimen to draw: the patient, which of their images from 0, and its files by column of specimens.csv."""

    patient: Patient
    image: int
    specimen_id: str
    folder: Path
    files: Mapping[str, Path]

    @property
    def path(self) -> Path:
        """The specimen itself."""
        return self.files["path"]


@dataclass(frozen=True, kw_only=True)
class Renderer(ABC):
    """How a room shows a patient: files of a `modality` whose names end in `suffix`, in the folder `root`.

    `code` begins a specimen_id; `made` says what the files are; `population` is whom the instrument usually sees;
    `hidden` are further places of truth; `read` says that readers look at what it makes; `outlines` are endpoints of
    masks that a cohort which tells all has, too. `settings` are the room's.
    """

    modality: ClassVar[str]
    root: ClassVar[str]
    suffix: ClassVar[str]
    code: ClassVar[str]
    made: ClassVar[str]
    population: ClassVar[Population]
    hospitals: ClassVar[Collection[str]]
    hidden: ClassVar[tuple[str, ...]] = ()
    read: ClassVar[bool] = False
    outlines: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    settings: Any

    @property
    def images(self) -> int:
        """Specimens of one patient."""
        return 1

    def shows(self, patient: Patient, *, population: Population) -> bool:
        """Whether the instrument sees this patient of the population."""
        return True

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        """Further columns of specimens.csv: names of files, empty where there is none; one a specimen."""
        return {}

    @abstractmethod
    def check(self) -> None:
        """SettingsError where a setting is out of range."""

    @abstractmethod
    def begin(self, recipe: Recipe) -> Callable[[Job], Mapping[str, float]]:
        """What draws one specimen, but for files that exist, and returns what else is true of it, by name."""

    def located(self, job: Job) -> list[dict[str, Any]]:
        """Rows of lesions.csv, after `specimen_id`, of a specimen that is drawn."""
        return []


def phantom_cohort(
    folder: Path,
    *,
    renderers: Sequence[Renderer],
    patients: int,
    seed: int = 0,
    difficulty: float = 0.5,
    hospital: str = "A",
    population: Population | None = None,
    endpoints: EndpointSet = "usual",
    missing: Missing = "none",
) -> Path:
    """Write a cohort of phantom patients, as each of the renderers shows them, into `folder`, and return it.

    The population is that of the first renderer where none is given. Same seed, hospital, population and number of
    patients: same patients, whatever shows them. Difficulty 0 records every outcome faithfully and shows all plainly;
    1 corrupts recurrences, and hides what each renderer says. `truth.csv`, `lesions_truth.csv` and `truth.json` hold
    what no model may read. `missing` is of the values of visits. A stopped call goes on where it was when repeated;
    files that exist are kept.

    SettingsError when a number is out of range; CohortError when the folder holds anything but this same cohort.
    """
    recipe = Recipe(
        patients=patients, seed=seed, difficulty=difficulty, hospital=hospital, endpoints=endpoints,
        missing=missing, population=population or (renderers[0].population if renderers else SURVEILLANCE),
        settings={each.root: each.settings for each in renderers},
    )  # fmt: skip
    people = draw_patients(patients, population=recipe.population, seed=seed, difficulty=difficulty, hospital=hospital)
    _check(recipe, renderers, people)
    claim(folder, recipe)
    root = renderers[0].root if len(renderers) == 1 else "."
    drawn = [_draw_all(folder, each, people, recipe, apart=root == ".") for each in renderers]
    found = [lesions for _, lesions, _ in drawn if len(lesions)]
    by_lesion = [name for name in CLASSES if found and name in recipe.declared]
    _write_patients(folder, people, recipe, dropped=by_lesion)
    _write_truth(folder, people, [true for *_, true in drawn])
    read = recipe.population.assisted or any(each.read for each in renderers)
    truth = [each.tumour.malignant if recipe.population.read_for != "hcc" else each.tumour.hcc for each in people]
    if read and 0 < sum(map(bool, truth)) < patients:
        write_table(folder / "readers.csv", _readings(people, np.array(truth, dtype=int), recipe))
    if drawn:
        write_table(folder / "specimens.csv", pd.concat([table for table, *_ in drawn]).fillna(""))
    if found:
        write_table(folder / "lesions.csv", pd.concat(found))
    attached = [name for name in ATTACHED if any(name in table for table, *_ in drawn)]
    head = _head(recipe, renderers, root=root, by_lesion=by_lesion, attachments=attached)
    write_text(folder / "cohort.toml", tomli_w.dumps(head))
    return folder


def phantom_tables(folder: Path, *, endpoints: EndpointSet = "all", **options: Any) -> Path:
    """Write phantom patients without specimens: patients.csv, visits, claims and gene expression; else as a cohort."""
    return phantom_cohort(folder, renderers=(), endpoints=endpoints, **options)


def _check(recipe: Recipe, renderers: Sequence[Renderer], people: Sequence[Patient]) -> None:
    recipe.check(hospitals=[name for name in RATES if all(name in each.hospitals for each in renderers)])
    for each in renderers:
        each.check()
        if not any(each.shows(one, population=recipe.population) for one in people):
            raise SettingsError(f"the population {recipe.population.name!r} has nothing to show in {each.root}")


def _draw_all(
    folder: Path, renderer: Renderer, people: Sequence[Patient], recipe: Recipe, *, apart: bool
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The renderer's rows of specimens.csv and of lesions.csv, and what else is true by patient_id."""
    table, jobs = _planned(folder, renderer, people, recipe)
    draw, title = renderer.begin(recipe), f"Phantom {renderer.root}, hospital {recipe.hospital}"
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        drawing = pool.map(draw, jobs)
        true = list(track(drawing, title, total=len(jobs), console=Console(stderr=True), transient=True))
    if apart:
        names = table.columns[3:]
        table[names] = table[names].map(lambda name: name and f"{renderer.root}/{name}")
    lesions = [
        {"patient_id": job.patient.patient_id, "specimen_id": job.specimen_id, **row}
        for job in jobs
        for row in renderer.located(job)
    ]
    truth = pd.DataFrame(true, index=table.patient_id)
    return table, pd.DataFrame(lesions), truth[~truth.index.duplicated()]


def _planned(
    folder: Path, renderer: Renderer, people: Sequence[Patient], recipe: Recipe
) -> tuple[pd.DataFrame, list[Job]]:
    """One row and one job a specimen; files are numbered in shuffled order, so that a name says nothing."""
    people = [each for each in people if renderer.shows(each, population=recipe.population)]
    shown = [(each, image) for each in people for image in range(renderer.images)]
    number = 1 + generator(recipe.seed, recipe.hospital, "file numbers", renderer.root).permutation(len(shown))
    owners, stems = [each for each, _ in shown], [f"{each:04d}" for each in number]
    files = {"path": [stem + renderer.suffix for stem in stems], **renderer.attached(owners, stems, recipe=recipe)}
    table = pd.DataFrame(
        {
            "patient_id": [each.patient_id for each in owners],
            "specimen_id": [f"{recipe.hospital}-{renderer.code}{stem}" for stem in stems],
            "modality": renderer.modality,
            **files,
        }
    )
    jobs = [
        Job(
            patient=owner,
            image=image,
            specimen_id=table.specimen_id[row],
            folder=folder,
            files={column: folder / renderer.root / names[row] for column, names in files.items() if names[row]},
        )
        for row, (owner, image) in enumerate(shown)
    ]
    return table, jobs


def _write_patients(folder: Path, people: Sequence[Patient], recipe: Recipe, *, dropped: Sequence[str]) -> None:
    if recipe.endpoints == "usual":
        columns = [name for name in recipe.population.columns if name not in dropped]
        write_table(folder / "patients.csv", patient_table(people, columns=columns))
        return
    table = patient_table(people, competing=True)
    absent = [ENDPOINTS[name] for name in (*ONSETS, *APART) if name not in recipe.declared]
    columns = [column for keys in absent for key, column in keys.items() if key in ("time", "event", "label")]
    table = table.drop(columns=[*columns, *dropped]).dropna(axis="columns", how="all")
    write_table(folder / "patients.csv", table)
    for name, (make, _) in TABLES.items():
        made = make(people)
        write_table(folder / f"{name}.csv", thinned(made, people, recipe.missing) if name == "visits" else made)


def _write_truth(folder: Path, people: Sequence[Patient], more: Sequence[pd.DataFrame]) -> None:
    truth = truth_table(people).set_index("patient_id").join(list(more))
    write_table(folder / "truth.csv", truth.reset_index())
    write_table(folder / "lesions_truth.csv", lesion_table(people))


def _readings(people: Sequence[Patient], truth: np.ndarray, recipe: Recipe) -> pd.DataFrame:
    ids = [each.patient_id for each in people]
    if recipe.population.assisted:
        return read_assisted(ids, truth, seed=recipe.seed, hospital=recipe.hospital)
    correlation = recipe.population.reader_correlation
    return read_all(ids, truth, seed=recipe.seed, hospital=recipe.hospital, correlation=correlation)


def _head(
    recipe: Recipe, renderers: Sequence[Renderer], *, root: str, by_lesion: Sequence[str], attachments: Sequence[str]
) -> dict[str, Any]:
    """cohort.toml: says that it is a phantom, and what is not for models; endpoints `by_lesion` are of lesions.csv."""
    made = " and ".join(dict.fromkeys(each.made for each in renderers)) or "tables"
    hidden = ("truth.csv", "lesions_truth.csv", *(name for each in renderers for name in each.hidden), TRUTH)
    head: dict[str, Any] = {
        "name": f"phantom_{recipe.hospital}",
        "phantom": True,
        "hospital": recipe.hospital,
        "specimen_root": root,
        "notes": (
            f"Phantom: simulated patients and {made}, no real ones. Seed {recipe.seed}, difficulty "
            f"{recipe.difficulty}. The truth is in {', '.join(hidden)}; no model may read it."
        ),
        "endpoints": {
            name: {("lesion" if key == "label" and name in by_lesion else key): each for key, each in keys.items()}
            for name, keys in recipe.declared.items()
        },
    }
    if attachments:
        head["attachments"] = list(attachments)
    if recipe.endpoints == "all" or recipe.population.outlined:
        for each in renderers:
            head["endpoints"] |= each.outlines
    if recipe.endpoints == "all":
        tables = {name: {"path": f"{name}.csv", "patient": "patient_id", **keys} for name, (_, keys) in TABLES.items()}
        head["tables"] = tables
    return head
