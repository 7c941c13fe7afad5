"""Render: a phantom patient's spectrum of the liver, single transients that drift, and its water reference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import CIRRHOSIS, Job, Patient, Recipe, Renderer, phantom_cohort
from hepatica.cohort.streams import generator
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.phantom.settings import HOSPITALS, STANDARD, PhantomSettings
from hepatica.spectroscopy.phantom.transients import draw_receiver, receive
from hepatica.spectroscopy.phantom.voxel import concentrations, draw_voxel
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.targets import LIVER20


@dataclass(frozen=True, kw_only=True)
class Spectra(Renderer):
    """One NIfTI-MRS file a patient and one of its water reference, named in the column `water` of specimens.csv.

    With HCC elsewhere in the liver choline and lipids of the voxel are higher, plainly at difficulty 0, not at all at
    1. Hospital B has more noise and broader lines than A. The truth has concentrations in mM and what else was drawn.
    """

    modality, root, suffix, code, made = "spectrum", "spectra", ".nii.gz", "MRS", "spectra"
    population = CIRRHOSIS
    hospitals = HOSPITALS
    settings: PhantomSettings = STANDARD

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        """The water references."""
        return {"water": [f"{stem}_water.nii.gz" for stem in stems]}

    def check(self) -> None:
        """SettingsError when there is nothing to measure."""
        settings = self.settings
        counts = (settings.transients, settings.water_transients, settings.coils)
        if min(counts) < 1 or settings.points < 256:
            raise SettingsError(
                f"got {counts} transients, transients of water and coils, and {settings.points} points; wanted 1 of "
                "each or more, and 256 points or more"
            )

    def begin(self, recipe: Recipe) -> Callable[[Job], Mapping[str, float]]:
        """What draws one spectrum and its reference."""
        settings = self.settings
        acquisition = Acquisition(
            points=settings.points, bandwidth_hz=settings.bandwidth_hz, te_ms=settings.te_ms, tr_ms=settings.tr_ms
        )
        basis = simulate_basis(acquisition, names=LIVER20)
        return partial(_draw, recipe=recipe, settings=settings, acquisition=acquisition, basis=basis)


def phantom_spectra(folder: Path, *, settings: PhantomSettings = STANDARD, **options: Any) -> Path:
    """Write a cohort of phantom patients with spectra; `options` and what is raised are those of `phantom_cohort`."""
    return phantom_cohort(folder, renderers=(Spectra(settings=settings),), **options)


def _draw(
    job: Job, *, recipe: Recipe, settings: PhantomSettings, acquisition: Acquisition, basis: Basis
) -> Mapping[str, float]:
    hospital, rng = HOSPITALS[recipe.hospital], generator(recipe.seed, recipe.hospital, "voxel", job.patient.number)
    mm = concentrations(job.patient, difficulty=recipe.difficulty, settings=settings)
    voxel = draw_voxel(rng, mm, basis=basis, hospital=hospital, settings=settings)
    receiver = draw_receiver(rng, coils=settings.coils, hospital=hospital)
    for column, fid, transients in (
        ("path", voxel.suppressed, settings.transients),
        ("water", voxel.water, settings.water_transients),
    ):
        shots = receive(
            rng, fid, acquisition=acquisition, transients=transients, receiver=receiver, hospital=hospital,
            noise_sd=voxel.noise_sd * np.sqrt(settings.transients / transients),
        )  # fmt: skip
        if not job.files[column].exists():
            write_nifti_mrs(job.files[column], fids=shots, acquisition=acquisition, suppressed=column == "path")
    return {**{f"{name}_mm": value for name, value in mm.items()}, **voxel.nuisance}
