"""Cohort: a folder of phantom CT studies and pathology in hepatica's cohort format, with the truth beside it."""

import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import tomli_w
from rich.console import Console
from rich.progress import track

from hepatica.cohort.atomic import replacing, write_text
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import TRUTH, Recipe, claim, head, write_table
from hepatica.cohort.streams import generator
from hepatica.radiology.phantom.dicom import write_study
from hepatica.radiology.phantom.experts import outlined
from hepatica.radiology.phantom.lesions import FIRST_LABEL
from hepatica.radiology.phantom.patients import PATIENT_COLUMNS, Patient, lesion_table, simulate
from hepatica.radiology.phantom.readers import read_all
from hepatica.radiology.phantom.scanner import HOSPITALS
from hepatica.radiology.phantom.settings import STANDARD, PhantomSettings
from hepatica.radiology.phantom.shapes import Grid
from hepatica.radiology.phantom.study import draw_study

MASKS = "masks"
"""The folder of truth masks: NIfTI of the name of the study, 0 outside, 1 liver, 2 and on the patient's lesions."""

EXPERTS = "experts"
"""The folder, below the studies, of what experts outlined: NIfTI of the name of the study, 1 nodule, 0 everything else.

It is no truth kept from models: specimens.csv names each file in its column nodule_mask. All 0: read, no nodule seen.
"""

_STUDIES = "studies"
_FIRST_DAY = datetime(2020, 1, 1, 9)


def phantom_ct(
    folder: Path,
    *,
    patients: int,
    seed: int = 0,
    difficulty: float = 0.5,
    hospital: str = "A",
    settings: PhantomSettings = STANDARD,
) -> Path:
    """Write a cohort of phantom patients with four-phase CT of the abdomen into `folder`, and return it.

    Each patient is one zip of DICOM files, all phases together. Difficulty 0 shows every lesion as the textbook has it;
    difficulty 1 takes contrast from the lesions, adds noise, and lets HCC lack its arterial enhancement. Hospitals A
    and B scan differently. The cohort loads with `hepatica.cohort.load_cohort`; experts outlined the nodules of some
    patients (EXPERTS); `readers.csv` holds three simulated readers; `truth.csv`, `truth.json` and `masks` hold what no
    model may read. A stopped call goes on where it was when repeated; files that exist are kept.

    SettingsError when a number is out of range; CohortError when the folder holds anything but this same cohort.
    """
    recipe = Recipe(patients=patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    recipe.check(hospitals=HOSPITALS)
    _check(settings)
    claim(folder, recipe)
    people = simulate(patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    specimens = _specimens(people, recipe)
    _draw_all(folder, people, specimens, recipe)
    table = pd.DataFrame([person.row for person in people], columns=list(PATIENT_COLUMNS))
    for name in ("vascular_invasion", "grade"):
        table[name] = table[name].astype("Int64")
    readings = read_all(
        list(table.patient_id), table.hcc.to_numpy(), seed=seed, hospital=hospital,
        correlation=settings.reader_correlation,
    )  # fmt: skip
    write_table(folder / "truth.csv", lesion_table(people))
    write_table(folder / "readers.csv", readings)
    write_table(folder / "patients.csv", table)
    write_table(folder / "specimens.csv", specimens)
    truth = f"truth.csv, {TRUTH} and {MASKS}"
    told = head(recipe, root=_STUDIES, made="pictures", truth=truth, endpoints={"hcc": {"label": "hcc"}})
    write_text(folder / "cohort.toml", tomli_w.dumps(told))
    return folder


def _check(settings: PhantomSettings) -> None:
    if settings.matrix < 64 or settings.slices < 1:
        size = f"{settings.slices} slices of {settings.matrix} pixels a side"
        raise SettingsError(f"got {size}, wanted 1 slice or more and 64 pixels or more")
    if not 0 <= settings.expert_share <= 1:
        raise SettingsError(f"got a share of {settings.expert_share} read by experts, wanted 0 to 1")


def _specimens(people: list[Patient], recipe: Recipe[PhantomSettings]) -> pd.DataFrame:
    """One row a study; files are numbered in shuffled order, so that a name says nothing of the patient."""
    number = 1 + generator(recipe.seed, recipe.hospital, "file numbers").permutation(len(people))
    hcc = np.array([person.row["hcc"] == 1 for person in people])
    read = outlined(hcc, share=recipe.settings.expert_share, seed=recipe.seed, hospital=recipe.hospital)
    return pd.DataFrame(
        {
            "patient_id": [person.row["patient_id"] for person in people],
            "specimen_id": [f"{recipe.hospital}-CT{each:04d}" for each in number],
            "modality": "ct",
            "path": [f"{each:04d}.zip" for each in number],
            "nodule_mask": [
                f"{EXPERTS}/{each:04d}.nii.gz" if by_expert else ""
                for each, by_expert in zip(number, read, strict=True)
            ],
        }
    )


def _draw_all(folder: Path, people: list[Patient], specimens: pd.DataFrame, recipe: Recipe[PhantomSettings]) -> None:
    root = folder / _STUDIES
    files = [
        _Files(study=root / path, nodules=root / name if name else None)
        for path, name in zip(specimens.path, specimens.nodule_mask, strict=True)
    ]
    missing = [number for number, each in enumerate(files) if not each.complete]
    entropy = str(sorted(asdict(recipe).items()))

    def draw(number: int) -> None:
        _draw(files[number], people[number], number, recipe, entropy)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        title = f"Phantom CT, hospital {recipe.hospital}"
        for _ in track(
            pool.map(draw, missing), title, total=len(missing), console=Console(stderr=True), transient=True
        ):
            pass


@dataclass(frozen=True, kw_only=True)
class _Files:
    """Where one study goes; `nodules` is None when no expert read it."""

    study: Path
    nodules: Path | None

    @property
    def truth(self) -> Path:
        return self.study.parent.parent / MASKS / f"{self.study.stem}.nii.gz"

    @property
    def complete(self) -> bool:
        return all(path.exists() for path in (self.study, self.truth, self.nodules) if path)


def _draw(files: _Files, patient: Patient, number: int, recipe: Recipe[PhantomSettings], entropy: str) -> None:
    hospital = HOSPITALS[recipe.hospital]
    rng = generator(recipe.seed, recipe.hospital, "study", number)
    study = draw_study(rng, patient, hospital=hospital, difficulty=recipe.difficulty, settings=recipe.settings)
    injected = _FIRST_DAY + timedelta(minutes=30 * int(rng.integers(16)), days=int(rng.integers(1000)))
    _write_mask(files.truth, study.mask, grid=study.grid)
    if files.nodules:
        _write_mask(files.nodules, (study.mask >= FIRST_LABEL).astype(np.uint8), grid=study.grid)
    write_study(
        files.study, study, patient=patient, hospital=hospital, injected=injected, entropy=(entropy, str(number))
    )


def _write_mask(path: Path, mask: np.ndarray, *, grid: Grid) -> None:
    """NIfTI counts x to the patient's right and y to the front: DICOM's axes turned round."""
    affine = np.diag([-grid.pixel, -grid.pixel, grid.thickness, 1])
    affine[:3, 3] = -grid.x.flat[0], -grid.y.flat[0], grid.z.flat[0]
    image = nibabel.Nifti1Image(mask.T, affine)  # type: ignore[no-untyped-call]
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(image.to_bytes(), compresslevel=5, mtime=0))
