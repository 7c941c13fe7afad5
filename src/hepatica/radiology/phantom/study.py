"""Study: one phantom patient from anatomy to what the scanner sees, in all phases, with the truth mask."""

from dataclasses import dataclass

import numpy as np

from hepatica.cohort.phantom import Patient
from hepatica.radiology.phantom.anatomy import Anatomy, draw_anatomy
from hepatica.radiology.phantom.enhancement import in_phases
from hepatica.radiology.phantom.lesions import FIRST_LABEL, paint, place
from hepatica.radiology.phantom.noise import smooth_noise
from hepatica.radiology.phantom.scanner import Hospital, scan
from hepatica.radiology.phantom.settings import PhantomSettings
from hepatica.radiology.phantom.shapes import Grid, grid_of

_TEXTURE_HU = 2.5
"""Standard deviation of the liver's texture for each METAVIR stage, where contrast shows it. Ours."""

_SPREAD = np.array([0.3, 0.7, 1.0, 1.0], dtype=np.float32)
"""How plainly each phase shows that texture. Ours."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """`hounsfield` (phase, z, y, x) int16, z from the feet up; `mask` (z, y, x) uint8: 1 liver, 2 and on lesions."""

    hounsfield: np.ndarray
    mask: np.ndarray
    grid: Grid


def draw_study(
    rng: np.random.Generator, patient: Patient, *, hospital: Hospital, difficulty: float, settings: PhantomSettings
) -> Study:
    """All phases of one patient; they share one breath-hold, so that the mask holds in each."""
    grid = grid_of(settings)
    fibrosis, tumour = patient.person.metavir, patient.tumour
    anatomy = draw_anatomy(
        rng, grid, fibrosis=fibrosis, invasion=bool(tumour.vascular_invasion), flat_table=hospital.flat_table
    )
    attenuation = in_phases(anatomy.labels, late=hospital.late)
    _vary(rng, attenuation, anatomy, fibrosis=fibrosis, grid=grid)
    mask = anatomy.liver.astype(np.uint8)
    effect = 1 - settings.contrast_lost_when_hard * difficulty
    depth = np.where(anatomy.liver, anatomy.liver_depth, -np.inf)
    centres = place(rng, tumour.lesions, depth=depth, grid=grid)
    for label, (lesion, centre) in enumerate(zip(tumour.lesions, centres, strict=True), start=FIRST_LABEL):
        paint(
            rng, attenuation, mask, lesion,
            label=label, centre=centre, liver=anatomy.liver, grid=grid, effect=effect, late=hospital.late,
        )  # fmt: skip
    noise = 1 + settings.noise_added_when_hard * difficulty
    seen = scan(rng, attenuation, hospital=hospital, pixel=grid.pixel, noise=noise)
    return Study(hounsfield=seen, mask=mask, grid=grid)


def _vary(rng: np.random.Generator, attenuation: np.ndarray, anatomy: Anatomy, *, fibrosis: int, grid: Grid) -> None:
    """Give the patient an own strength of enhancement and level of the liver, and the liver its texture, in place."""
    strength = np.float32(np.exp(rng.normal(0, 0.08)))
    plain = attenuation[:1].copy()
    attenuation -= plain
    attenuation *= strength
    attenuation += plain
    texture = smooth_noise(rng, shape=grid.shape, grain=grid.grain(7))[anatomy.liver]
    own = rng.normal(0, 4) + (1 + _TEXTURE_HU * fibrosis) * texture
    attenuation[:, anatomy.liver] += np.outer(_SPREAD, own).astype(np.float32)
