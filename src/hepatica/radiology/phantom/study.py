"""Study: one phantom patient from anatomy to what the scanner sees, in all phases, with the truth mask."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hepatica.cohort.phantom import Patient
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.phantom.anatomy import Anatomy, draw_anatomy
from hepatica.radiology.phantom.enhancement import curves, in_pictures
from hepatica.radiology.phantom.lesions import FIRST_LABEL, Palette, ct_palette, embolised, paint, place
from hepatica.radiology.phantom.scanner import Hospital, PhantomSettings, scan, smooth_noise
from hepatica.radiology.phantom.shapes import Grid, grid_of

_TEXTURE_HU = 2.5
"""Standard deviation of the liver's texture for each METAVIR stage, where contrast shows it. Ours."""

_SPREAD = np.array([0.3, 0.7, 1.0, 1.0], dtype=np.float32)
"""How plainly each phase shows that texture. Ours."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """`values` (picture, z, y, x), whole numbers, of CT Hounsfield units by phase, z from the feet up; `mask` (z, y, x)
    uint8: 1 liver, 2 and on lesions. `landmarks` (n 6): places of the same in the scan before, and in this one.
    """

    values: np.ndarray
    mask: np.ndarray
    geometry: Geometry
    landmarks: np.ndarray | None = None


Change = Callable[[np.random.Generator, np.ndarray, np.ndarray, Grid], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""What a treatment makes of a body: pictures, mask and landmarks."""


def draw_study(
    rng: np.random.Generator,
    patient: Patient,
    *,
    hospital: Hospital,
    difficulty: float,
    settings: PhantomSettings,
    viable: float | None = None,
    change: Change | None = None,
) -> Study:
    """All phases of one patient; `viable`, as `draw_body` says, of a scan after embolisation; `change`: after another
    treatment.
    """
    effect = 1 - settings.contrast_lost_when_hard * difficulty
    attenuation, mask, grid = draw_body(
        rng, patient, settings=settings, palette=ct_palette(late=hospital.late), effect=effect, texture=_SPREAD,
        tissues=curves(late=hospital.late), flat_table=hospital.flat_table, viable=viable,
    )  # fmt: skip
    landmarks = None
    if change is not None:
        attenuation, mask, landmarks = change(rng, attenuation, mask, grid)
    noise = 1 + settings.noise_added_when_hard * difficulty
    seen = scan(rng, attenuation, hospital=hospital, pixel=grid.pixel, noise=noise)
    return Study(values=seen, mask=mask, geometry=grid.geometry, landmarks=landmarks)


def draw_body(
    rng: np.random.Generator,
    patient: Patient,
    *,
    settings: PhantomSettings,
    palette: Palette,
    tissues: np.ndarray,
    texture: np.ndarray,
    effect: float,
    flat_table: bool,
    viable: float | None = None,
) -> tuple[np.ndarray, np.ndarray, Grid]:
    """The patient before any scanner: (picture, z, y, x) values, the mask of a Study, and the grid.

    `tissues` (tissue, picture) has the values, `texture` (picture) how plainly each picture shows that of the liver.
    All share one breath-hold, so that the mask holds in each. `viable`: what embolisation left of the diameter of HCC.
    """
    grid = grid_of(settings)
    fibrosis, tumour = patient.person.metavir, patient.tumour
    anatomy = draw_anatomy(rng, grid, fibrosis=fibrosis, invasion=bool(tumour.vascular_invasion), flat_table=flat_table)
    pictures = in_pictures(anatomy.labels, tissues)
    _vary(rng, pictures, anatomy, fibrosis=fibrosis, grid=grid, texture=texture, dynamic=palette.dynamic)
    mask = anatomy.liver.astype(np.uint8)
    depth = np.where(anatomy.liver, anatomy.liver_depth, -np.inf)
    centres = place(rng, tumour.lesions, depth=depth, grid=grid)
    for label, (lesion, centre) in enumerate(zip(tumour.lesions, centres, strict=True), start=FIRST_LABEL):
        treated = viable is not None and lesion.kind == "hcc"
        for part, at in embolised(lesion, centre, viable=viable or 0.0) if treated else [(lesion, centre)]:
            paint(
                rng, pictures, mask, part,
                label=label, centre=at, liver=anatomy.liver, grid=grid, effect=effect, palette=palette,
            )  # fmt: skip
    return pictures, mask, grid


def _vary(
    rng: np.random.Generator,
    pictures: np.ndarray,
    anatomy: Anatomy,
    *,
    fibrosis: int,
    grid: Grid,
    texture: np.ndarray,
    dynamic: int,
) -> None:
    """Give the patient an own strength of enhancement and level of the liver, and the liver its texture, in place."""
    strength = np.float32(np.exp(rng.normal(0, 0.08)))
    plain, series = pictures[:1].copy(), pictures[:dynamic]
    series -= plain
    series *= strength
    series += plain
    grains = smooth_noise(rng, shape=grid.shape, grain=grid.grain(7))[anatomy.liver]
    own = rng.normal(0, 4) + (1 + _TEXTURE_HU * fibrosis) * grains
    pictures[:, anatomy.liver] += np.outer(texture, own).astype(np.float32)
