"""Cohort: a folder of phantom spectra with water references in hepatica's cohort format, with the truth beside it."""

import json
from collections.abc import Mapping
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
from hepatica.spectroscopy.acquisition import Acquisition
from hepatica.spectroscopy.basis import Basis
from hepatica.spectroscopy.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.phantom.patients import PATIENT_COLUMNS, Patient, simulate_patients
from hepatica.spectroscopy.phantom.scanner import HOSPITALS
from hepatica.spectroscopy.phantom.seeds import generator
from hepatica.spectroscopy.phantom.settings import STANDARD, PhantomSettings
from hepatica.spectroscopy.phantom.transients import draw_receiver, receive
from hepatica.spectroscopy.phantom.voxel import Voxel, draw_voxel
from hepatica.spectroscopy.simulated_basis import simulate_basis
from hepatica.spectroscopy.targets import LIVER20

TRUTH = "truth.json"
"""Every number the cohort was made from; written first, so that a folder says what it is before it is complete."""

_SPECTRA = "spectra"


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
            raise SettingsError(f"got a difficulty of {self.difficulty}, wanted 0 (easy) to 1 (no difference)")
        if self.hospital not in HOSPITALS:
            raise SettingsError(f"got the phantom hospital {self.hospital!r}, wanted one of {', '.join(HOSPITALS)}")
        if not 0 <= self.settings.hcc_share <= 1:
            raise SettingsError(f"got a share of {self.settings.hcc_share} with HCC, wanted 0 to 1")
        counts = (self.settings.transients, self.settings.water_transients, self.settings.coils)
        if min(counts) < 1 or self.settings.points < 256:
            raise SettingsError(
                f"got {counts} transients, transients of water and coils, and {self.settings.points} points; wanted 1"
                " of each or more, and 256 points or more"
            )

    @property
    def acquisition(self) -> Acquisition:
        each = self.settings
        return Acquisition(points=each.points, bandwidth_hz=each.bandwidth_hz, te_ms=each.te_ms, tr_ms=each.tr_ms)


def phantom_spectra(
    folder: Path,
    *,
    patients: int,
    seed: int = 0,
    difficulty: float = 0.5,
    hospital: str = "A",
    settings: PhantomSettings = STANDARD,
) -> Path:
    """Write a cohort of phantom patients with a spectrum of the liver each into `folder`, and return it.

    All have cirrhosis by hepatitis B, some HCC elsewhere in the liver: then choline and lipids of the voxel are higher,
    plainly at difficulty 0, not at all at 1. Each patient is one NIfTI-MRS file of single transients that drift, and
    one of its water reference, named in the column `water` of specimens.csv. Hospital B has more noise and broader
    lines than A. The cohort loads with `hepatica.cohort.load_cohort`; `truth.csv` (concentrations in mM) and
    `truth.json` hold what no model may read. A stopped call goes on where it was when repeated; files that exist are
    kept.

    SettingsError when a number is out of range; CohortError when the folder holds anything but this same cohort.
    """
    recipe = _Recipe(patients=patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    _claim(folder, asdict(recipe))
    people = simulate_patients(patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    specimens = _specimens(people, recipe)
    voxels = _draw_all(folder, people, specimens, recipe)
    _write_table(folder / "truth.csv", _truth(people, voxels))
    _write_table(folder / "patients.csv", pd.DataFrame([each.row for each in people], columns=list(PATIENT_COLUMNS)))
    _write_table(folder / "specimens.csv", specimens)
    write_text(folder / "cohort.toml", tomli_w.dumps(_head(recipe)))
    return folder


def _claim(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Make sure the folder is empty or holds this cohort, begun or done, and mark it."""
    wanted = json.loads(json.dumps(recipe))  # tuples become the lists that JSON gives back
    if (folder / TRUTH).exists():
        there = read_json(folder / TRUTH)
        differing = [name for name in wanted if there.get(name) != wanted[name]]
        if differing:
            raise CohortError(
                f"{folder} holds a phantom cohort made with another {' and '.join(differing)}; "
                "choose an empty folder or remove this one"
            )
    elif folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise CohortError(f"{folder} is not empty and holds no phantom cohort; choose an empty folder")
    else:
        write_json(folder / TRUTH, wanted)


def _specimens(people: list[Patient], recipe: _Recipe) -> pd.DataFrame:
    """One row a spectrum; files are numbered in shuffled order, so that a name says nothing of the patient."""
    number = 1 + generator(recipe.seed, recipe.hospital, "file numbers").permutation(len(people))
    return pd.DataFrame(
        {
            "patient_id": [person.row["patient_id"] for person in people],
            "specimen_id": [f"{recipe.hospital}-MRS{each:04d}" for each in number],
            "modality": "spectrum",
            "path": [f"{each:04d}.nii.gz" for each in number],
            "water": [f"{each:04d}_water.nii.gz" for each in number],
        }
    )


def _draw_all(folder: Path, people: list[Patient], specimens: pd.DataFrame, recipe: _Recipe) -> list[Voxel]:
    basis = simulate_basis(recipe.acquisition, names=LIVER20)
    files = [
        (folder / _SPECTRA / path, folder / _SPECTRA / water) for path, water in specimens[["path", "water"]].to_numpy()
    ]
    title = f"Phantom spectra, hospital {recipe.hospital}"
    return [
        _draw(paths, person, number, recipe, basis)
        for number, (person, paths) in enumerate(
            zip(people, track(files, title, console=Console(stderr=True), transient=True), strict=True)
        )
    ]


def _draw(paths: tuple[Path, Path], patient: Patient, number: int, recipe: _Recipe, basis: Basis) -> Voxel:
    hospital, settings = HOSPITALS[recipe.hospital], recipe.settings
    rng = generator(recipe.seed, recipe.hospital, "voxel", number)
    voxel = draw_voxel(rng, patient, basis=basis, hospital=hospital, settings=settings)
    receiver = draw_receiver(rng, coils=settings.coils, hospital=hospital)
    for path, fid, transients in zip(
        paths, (voxel.suppressed, voxel.water), (settings.transients, settings.water_transients), strict=True
    ):
        shots = receive(
            rng, fid, acquisition=recipe.acquisition, transients=transients, receiver=receiver, hospital=hospital,
            noise_sd=voxel.noise_sd * np.sqrt(settings.transients / transients),
        )  # fmt: skip
        if not path.exists():
            write_nifti_mrs(path, fids=shots, acquisition=recipe.acquisition, suppressed=fid is voxel.suppressed)
    return voxel


def _truth(people: list[Patient], voxels: list[Voxel]) -> pd.DataFrame:
    rows = [
        {
            "patient_id": person.row["patient_id"],
            **{f"{name}_mm": value for name, value in person.concentrations.items()},
            **voxel.nuisance,
        }
        for person, voxel in zip(people, voxels, strict=True)
    ]
    return pd.DataFrame(rows)


def _head(recipe: _Recipe) -> dict[str, Any]:
    return {
        "name": f"phantom_{recipe.hospital}",
        "phantom": True,
        "hospital": recipe.hospital,
        "specimen_root": _SPECTRA,
        "notes": (
            f"Phantom: simulated patients and spectra, no real ones. Seed {recipe.seed}, "
            f"difficulty {recipe.difficulty}. The truth is in truth.csv and {TRUTH}; no model may read it."
        ),
        "endpoints": {"hcc": {"label": "hcc"}},
    }


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
