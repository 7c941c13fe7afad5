"""Cohort: a folder of phantom slides and follow-up in hepatica's cohort format, with the truth beside it."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
from rich.console import Console
from rich.progress import track

from hepatica import __version__
from hepatica.cohort.atomic import read_json, replacing, write_json, write_text
from hepatica.cohort.errors import CohortError, SettingsError
from hepatica.pathology.phantom.followup import PATIENT_COLUMNS, TRUTH_COLUMNS, simulate
from hepatica.pathology.phantom.histology import draw_tissue
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain, write_slide
from hepatica.pathology.phantom.seeds import generator
from hepatica.pathology.phantom.settings import STANDARD, PhantomSettings

TRUTH = "truth.json"
"""Every number the cohort was made from; written first, so that a folder says what it is before it is complete."""

_SLIDES = "slides"


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    patients: int
    seed: int
    difficulty: float
    hospital: str
    settings: PhantomSettings
    version: str = __version__

    def __post_init__(self) -> None:
        if self.patients < 1:
            raise SettingsError(f"got {self.patients} phantom patients, wanted 1 or more")
        if not 0 <= self.difficulty <= 1:
            raise SettingsError(f"got a difficulty of {self.difficulty}, wanted 0 (easy) to 1 (hard)")
        if self.hospital not in HOSPITALS:
            raise SettingsError(f"got the phantom hospital {self.hospital!r}, wanted one of {', '.join(HOSPITALS)}")
        if self.settings.side < 128 or self.settings.side % 2:
            raise SettingsError(f"got pictures of {self.settings.side} pixels a side, wanted an even number from 128")


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
    recipe = _Recipe(patients=patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    _claim(folder, asdict(recipe))
    followup = simulate(patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    specimens = _specimens(followup, recipe)
    missing = specimens[[not (folder / _SLIDES / path).exists() for path in specimens.path]]
    _draw_all(folder, missing, followup.aggressiveness.to_numpy(), recipe)
    _write_table(folder / "truth.csv", followup[list(TRUTH_COLUMNS)])
    _write_table(folder / "patients.csv", followup[list(PATIENT_COLUMNS)])
    _write_table(folder / "specimens.csv", specimens[["patient_id", "specimen_id", "modality", "path"]])
    write_text(folder / "cohort.toml", tomli_w.dumps(_head(recipe)))
    return folder


def _claim(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Make sure the folder is empty or holds this cohort, begun or done, and mark it."""
    if (folder / TRUTH).exists():
        there = read_json(folder / TRUTH)
        differing = [name for name in recipe if there.get(name) != recipe[name]]
        if differing:
            raise CohortError(
                f"{folder} holds a phantom cohort made with another {' and '.join(differing)}; "
                "choose an empty folder or remove this one"
            )
    elif folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise CohortError(f"{folder} is not empty and holds no phantom cohort; choose an empty folder")
    else:
        write_json(folder / TRUTH, recipe)


def _specimens(followup: pd.DataFrame, recipe: _Recipe) -> pd.DataFrame:
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


def _draw_all(folder: Path, missing: pd.DataFrame, aggressiveness: np.ndarray, recipe: _Recipe) -> None:
    def draw(row: Any) -> None:
        path = folder / _SLIDES / row.path
        _draw(path, aggressiveness=aggressiveness[row.patient], patient=row.patient, image=row.image, recipe=recipe)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        slides = pool.map(draw, missing.itertuples())
        title = f"Phantom slides, hospital {recipe.hospital}"
        for _ in track(slides, title, total=len(missing), console=Console(stderr=True), transient=True):
            pass


def _draw(path: Path, *, aggressiveness: float, patient: int, image: int, recipe: _Recipe) -> None:
    hospital = HOSPITALS[recipe.hospital]
    rng = generator(recipe.seed, recipe.hospital, "image", patient, image)
    staining = stain(generator(recipe.seed, recipe.hospital, "staining", patient), hospital=hospital)
    own = recipe.settings.image_variation_when_hard * recipe.difficulty
    grade = np.sqrt(1 - own) * aggressiveness + np.sqrt(own) * rng.standard_normal()
    effect = 1 - recipe.settings.effect_lost_when_hard * recipe.difficulty
    uptake = draw_tissue(rng, grade=grade, effect=effect, settings=recipe.settings)
    picture = photograph(uptake, rng=rng, hospital=hospital, staining=staining)
    write_slide(path, picture, mpp=recipe.settings.mpp, quality=hospital.quality)


def _head(recipe: _Recipe) -> dict[str, Any]:
    endpoints = {
        name: {"time": f"{name}_months", "event": f"{name}_event"} for name in ("recurrence", "overall_survival")
    }
    return {
        "name": f"phantom_{recipe.hospital}",
        "phantom": True,
        "hospital": recipe.hospital,
        "specimen_root": _SLIDES,
        "notes": (
            f"Phantom: simulated patients and pictures, no real ones. Seed {recipe.seed}, "
            f"difficulty {recipe.difficulty}. The truth is in truth.csv and {TRUTH}; no model may read it."
        ),
        "endpoints": endpoints,
    }


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
