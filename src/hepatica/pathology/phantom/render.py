"""Render: a phantom patient's slides: pyramidal TIFF of liver tumour that shows how aggressive it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import RESECTED, Job, Patient, Population, Recipe, Renderer, phantom_cohort
from hepatica.cohort.streams import generator
from hepatica.pathology.outlines import write_outlines
from hepatica.pathology.phantom.findings import findings
from hepatica.pathology.phantom.histology import CLASSES, draw_tissue
from hepatica.pathology.phantom.layout import MICROSCOPES, STANDARD, PhantomSettings
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain, two_photons, write_slide, write_two_photons


@dataclass(frozen=True, kw_only=True)
class Slides(Renderer):
    """Slides of what the population has cut, with outlines.

    Difficulty shrinks what the pictures show of aggressiveness and lets the images of one patient differ; hospitals A
    and B stain and scan differently.
    """

    modality, root, suffix, code, made = "slide", "slides", ".tif", "S", "pictures"
    population = RESECTED
    hospitals = HOSPITALS
    settings: PhantomSettings = STANDARD

    @property
    def images(self) -> int:
        """Pictures of one patient."""
        return self.settings.images

    def shows(self, patient: Patient, *, population: Population) -> bool:
        """Whether such tissue is cut."""
        return patient.tumour.kind in population.cut

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        """Outlines of what a pathologist sees, one file a slide."""
        return {"annotation": [f"{stem}.geojson" for stem in stems]}

    def check(self) -> None:
        """SettingsError when the pictures have a side or a microscope that cannot be drawn."""
        if self.settings.side < 128 or self.settings.side % 2:
            raise SettingsError(f"got pictures of {self.settings.side} pixels a side, wanted an even number from 128")
        if self.settings.microscope not in MICROSCOPES:
            raise SettingsError(f"got the microscope {self.settings.microscope!r}, wanted {' or '.join(MICROSCOPES)}")

    def begin(self, recipe: Recipe) -> Callable[[Job], Mapping[str, float]]:
        """What draws one slide."""
        return partial(_draw, recipe=recipe, settings=self.settings)


def phantom_slides(folder: Path, *, settings: PhantomSettings = STANDARD, **options: Any) -> Path:
    """Write a cohort of phantom patients with slides; `options` and what is raised are those of `phantom_cohort`."""
    return phantom_cohort(folder, renderers=(Slides(settings=settings),), **options)


def phantom_multiphoton(folder: Path, *, settings: PhantomSettings = STANDARD, **options: Any) -> Path:
    """The same sections unstained, under a multiphoton microscope."""
    return phantom_slides(folder, settings=replace(settings, microscope="multiphoton"), **options)


def _draw(job: Job, *, recipe: Recipe, settings: PhantomSettings) -> Mapping[str, float]:
    found = findings(job.patient, population=recipe.population, difficulty=recipe.difficulty, settings=settings)
    recorded = found.recorded if recipe.population.varied else {}
    if all(each.exists() for each in job.files.values()):
        return recorded
    hospital, number = HOSPITALS[recipe.hospital], job.patient.number
    rng = generator(recipe.seed, recipe.hospital, "image", number, job.image)
    staining = stain(generator(recipe.seed, recipe.hospital, "staining", number), hospital=hospital)
    own = settings.image_variation_when_hard * recipe.difficulty
    grade = np.sqrt(1 - own) * job.patient.tumour.aggressiveness + np.sqrt(own) * rng.standard_normal()
    effect = 1 - settings.effect_lost_when_hard * recipe.difficulty
    further = generator(recipe.seed, recipe.hospital, "findings", number, job.image)
    uptake = draw_tissue(rng, grade=grade, effect=effect, settings=settings, found=found, further=further)
    if not job.path.exists() and settings.microscope == "multiphoton":
        write_two_photons(job.path, two_photons(uptake, rng=rng, hospital=hospital), mpp=settings.mpp)
    elif not job.path.exists():
        picture = photograph(uptake, rng=rng, hospital=hospital, staining=staining)
        write_slide(job.path, picture, mpp=settings.mpp, quality=hospital.quality)
    if not job.files["annotation"].exists():
        pixel = settings.side / len(uptake.outlined)
        write_outlines(job.files["annotation"], uptake.outlined, classes=CLASSES, pixel=pixel)
    return recorded
