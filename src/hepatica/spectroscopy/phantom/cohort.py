"""Cohort: a folder of phantom spectra with water references in hepatica's cohort format, with the truth beside it."""

from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w
from rich.console import Console
from rich.progress import track

from hepatica.cohort.atomic import write_text
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import TRUTH, Recipe, claim, head, write_table
from hepatica.cohort.streams import generator
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.phantom.patients import PATIENT_COLUMNS, Patient, simulate_patients
from hepatica.spectroscopy.phantom.scanner import HOSPITALS
from hepatica.spectroscopy.phantom.settings import STANDARD, PhantomSettings
from hepatica.spectroscopy.phantom.transients import draw_receiver, receive
from hepatica.spectroscopy.phantom.voxel import Voxel, draw_voxel
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.targets import LIVER20

_SPECTRA = "spectra"


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
    recipe = Recipe(patients=patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    recipe.check(hospitals=HOSPITALS)
    _check(settings)
    claim(folder, recipe)
    people = simulate_patients(patients, seed=seed, difficulty=difficulty, hospital=hospital, settings=settings)
    specimens = _specimens(people, recipe)
    voxels = _draw_all(folder, people, specimens, recipe)
    write_table(folder / "truth.csv", _truth(people, voxels))
    write_table(folder / "patients.csv", pd.DataFrame([each.row for each in people], columns=list(PATIENT_COLUMNS)))
    write_table(folder / "specimens.csv", specimens)
    told = head(
        recipe, root=_SPECTRA, made="spectra", truth=f"truth.csv and {TRUTH}", endpoints={"hcc": {"label": "hcc"}}
    )
    write_text(folder / "cohort.toml", tomli_w.dumps(told))
    return folder


def _check(settings: PhantomSettings) -> None:
    if not 0 <= settings.hcc_share <= 1:
        raise SettingsError(f"got a share of {settings.hcc_share} with HCC, wanted 0 to 1")
    counts = (settings.transients, settings.water_transients, settings.coils)
    if min(counts) < 1 or settings.points < 256:
        raise SettingsError(
            f"got {counts} transients, transients of water and coils, and {settings.points} points; wanted 1 of each or"
            " more, and 256 points or more"
        )


def _acquisition(settings: PhantomSettings) -> Acquisition:
    return Acquisition(
        points=settings.points, bandwidth_hz=settings.bandwidth_hz, te_ms=settings.te_ms, tr_ms=settings.tr_ms
    )


def _specimens(people: list[Patient], recipe: Recipe[PhantomSettings]) -> pd.DataFrame:
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


def _draw_all(
    folder: Path, people: list[Patient], specimens: pd.DataFrame, recipe: Recipe[PhantomSettings]
) -> list[Voxel]:
    basis = simulate_basis(_acquisition(recipe.settings), names=LIVER20)
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


def _draw(
    paths: tuple[Path, Path], patient: Patient, number: int, recipe: Recipe[PhantomSettings], basis: Basis
) -> Voxel:
    hospital, settings = HOSPITALS[recipe.hospital], recipe.settings
    rng, acquisition = generator(recipe.seed, recipe.hospital, "voxel", number), _acquisition(settings)
    voxel = draw_voxel(rng, patient, basis=basis, hospital=hospital, settings=settings)
    receiver = draw_receiver(rng, coils=settings.coils, hospital=hospital)
    for path, fid, transients in zip(
        paths, (voxel.suppressed, voxel.water), (settings.transients, settings.water_transients), strict=True
    ):
        shots = receive(
            rng, fid, acquisition=acquisition, transients=transients, receiver=receiver, hospital=hospital,
            noise_sd=voxel.noise_sd * np.sqrt(settings.transients / transients),
        )  # fmt: skip
        if not path.exists():
            write_nifti_mrs(path, fids=shots, acquisition=acquisition, suppressed=fid is voxel.suppressed)
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
