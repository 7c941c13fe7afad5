"""Cohort: a folder of phantom slides and follow-up in hepatica's cohort format, with the truth beside it."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
from rich.console import Console
from rich.progress import track

from hepatica.cohort.atomic import write_text
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import TRUTH, Recipe, claim, head, write_table
from hepatica.cohort.streams import generator
from hepatica.pathology.phantom.followup import PATIENT_COLUMNS, TRUTH_COLUMNS, simulate
from hepatica.pathology.phantom.histology import draw_tissue
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain, write_slide
from hepatica.pathology.phantom.settings import STANDARD, PhantomSettings

_SLIDES = "slides"


def phantom_slides(
    folder: Path,
    *,
    patients: int,
    seed: int = 0,
    difficulty: float = 0.5,
    hospital: str = "A",
    settings: PhantomSettings = STANDARD,
) -> Path:
    """Write a cohort of phantom patients with pyramidal TIFF slides of liver tumour into `folder`, and return it.

    Difficulty 0 shows every patient's aggressiveness plainly and records every outcome faithfully; difficulty 1 shrinks
    what the pictures show, lets the images of one patient differ and corrupts many recurrence labels. Hospitals A and
    B stain and scan differently. The cohort loads with `hepatica.cohort.load_cohort`; `truth.csv` and `truth.json`
    hold what no model may read. A stopped call goes on where it was when repeated; slides that exist are kept.

    SettingsError when a number is out of range; CohortError when the folder holds anything but this same cohort.
    """
    recipe = Recipe(patients=patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    recipe.check(hospitals=HOSPITALS)
    if settings.side < 128 or settings.side % 2:
        raise SettingsError(f"got pictures of {settings.side} pixels a side, wanted an even number from 128")
    claim(folder, recipe)
    followup = simulate(patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    specimens = _specimens(followup, recipe)
    missing = specimens[[not (folder / _SLIDES / path).exists() for path in specimens.path]]
    _draw_all(folder, missing, followup.aggressiveness.to_numpy(), recipe)
    write_table(folder / "truth.csv", followup[list(TRUTH_COLUMNS)])
    write_table(folder / "patients.csv", followup[list(PATIENT_COLUMNS)])
    write_table(folder / "specimens.csv", specimens[["patient_id", "specimen_id", "modality", "path"]])
    endpoints = {
        name: {"time": f"{name}_months", "event": f"{name}_event"} for name in ("recurrence", "overall_survival")
    }
    told = head(recipe, root=_SLIDES, made="pictures", truth=f"truth.csv and {TRUTH}", endpoints=endpoints)
    write_text(folder / "cohort.toml", tomli_w.dumps(told))
    return folder


def _specimens(followup: pd.DataFrame, recipe: Recipe[PhantomSettings]) -> pd.DataFrame:
    """One row an image; files are numbered in shuffled order, so that a name says nothing of the patient."""
    count = recipe.patients * recipe.settings.images
    number = 1 + generator(recipe.seed, recipe.hospital, "file numbers").permutation(count)
    return pd.DataFrame(
        {
            "patient_id": np.repeat(followup.patient_id.to_numpy(), recipe.settings.images),
            "specimen_id": [f"{recipe.hospital}-S{each:04d}" for each in number],
            "modality": "slide",
            "path": [f"{each:04d}.tif" for each in number],
            "patient": np.repeat(np.arange(recipe.patients), recipe.settings.images),
            "image": np.tile(np.arange(recipe.settings.images), recipe.patients),
        }
    )


def _draw_all(folder: Path, missing: pd.DataFrame, aggressiveness: np.ndarray, recipe: Recipe[PhantomSettings]) -> None:
    def draw(row: Any) -> None:
        path = folder / _SLIDES / row.path
        _draw(path, aggressiveness=aggressiveness[row.patient], patient=row.patient, image=row.image, recipe=recipe)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        slides = pool.map(draw, missing.itertuples())
        title = f"Phantom slides, hospital {recipe.hospital}"
        for _ in track(slides, title, total=len(missing), console=Console(stderr=True), transient=True):
            pass


def _draw(path: Path, *, aggressiveness: float, patient: int, image: int, recipe: Recipe[PhantomSettings]) -> None:
    hospital = HOSPITALS[recipe.hospital]
    rng = generator(recipe.seed, recipe.hospital, "image", patient, image)
    staining = stain(generator(recipe.seed, recipe.hospital, "staining", patient), hospital=hospital)
    own = recipe.settings.image_variation_when_hard * recipe.difficulty
    grade = np.sqrt(1 - own) * aggressiveness + np.sqrt(own) * rng.standard_normal()
    effect = 1 - recipe.settings.effect_lost_when_hard * recipe.difficulty
    uptake = draw_tissue(rng, grade=grade, effect=effect, settings=recipe.settings)
    picture = photograph(uptake, rng=rng, hospital=hospital, staining=staining)
    write_slide(path, picture, mpp=recipe.settings.mpp, quality=hospital.quality)
