"""Render: a phantom patient's spectrum of the liver, single transients that drift, and its water reference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import CIRRHOSIS, Job, Patient, Recipe, Renderer, phantom_cohort
from hepatica.cohort.streams import generator
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.phantom.settings import HOSPITALS, STANDARD, Hospital, PhantomSettings
from hepatica.spectroscopy.phantom.voxel import concentrations, draw_voxel
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.targets import LIVER20

Signal = NDArray[np.complex128]

_BREATHS_A_TRANSIENT = 0.43
"""Breaths from one transient to the next, at TR 2 s. Ours."""

_PHASE_SD = 0.15

_EDDY_S = 0.06

_GAIN = (0.3, 3.0)


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Receiver:
    """How one scan was received: coils (c,) of root sum of squares 1, gain, eddy current in Hz, phase in rad."""

    coils: Signal
    gain: float
    eddy_hz: float
    phase: float


def draw_receiver(rng: np.random.Generator, *, coils: int, hospital: Hospital) -> Receiver:
    """A receiver, the same for the spectrum and its water reference."""
    sensitivity = rng.normal(1, 0.3, coils) * np.exp(2j * np.pi * rng.random(coils))
    return Receiver(
        coils=sensitivity / np.linalg.norm(sensitivity),
        gain=float(np.exp(rng.uniform(*np.log(_GAIN)))),
        eddy_hz=float(hospital.eddy_hz * rng.normal()),
        phase=float(rng.uniform(-np.pi, np.pi)),
    )


def receive(
    rng: np.random.Generator,
    fid: Signal,
    *,
    acquisition: Acquisition,
    transients: int,
    noise_sd: float,
    receiver: Receiver,
    hospital: Hospital,
) -> Signal:
    """(transients, coils, points) of a decay (points,); their best mean has noise of `noise_sd` times the gain."""
    turned = _turns(rng, acquisition=acquisition, transients=transients, receiver=receiver, hospital=hospital)
    spoiled = rng.random(transients) < hospital.spoiled
    kept = np.where(spoiled, rng.uniform(0.2, 0.6, transients) * np.exp(2j * np.pi * rng.random(transients)), 1)
    shots = rearrange(kept, "t -> t 1") * turned * fid
    seen = rearrange(shots, "t n -> t 1 n") * rearrange(receiver.coils, "c -> 1 c 1")
    noise = rng.standard_normal((2, *seen.shape)) * noise_sd * np.sqrt(transients)
    return np.asarray(receiver.gain * (seen + noise[0] + 1j * noise[1]))


def _turns(
    rng: np.random.Generator, *, acquisition: Acquisition, transients: int, receiver: Receiver, hospital: Hospital
) -> Signal:
    """(transients, points) of unit size."""
    number = np.arange(transients)
    breath = np.sin(2 * np.pi * (_BREATHS_A_TRANSIENT * number + rng.random()))
    hz = hospital.drift_hz * rng.normal() * (number / max(1, transients - 1) - 0.5) + hospital.breathing_hz * breath
    phase = receiver.phase + _PHASE_SD * np.cumsum(rng.standard_normal(transients)) / np.sqrt(transients)
    time = acquisition.time_s
    eddy = 2 * np.pi * receiver.eddy_hz * _EDDY_S * (1 - np.exp(-time / _EDDY_S))
    angle = rearrange(phase, "t -> t 1") + 2 * np.pi * rearrange(hz, "t -> t 1") * time + eddy
    return np.asarray(np.exp(1j * angle))
