"""Render: a phantom patient's CT of the liver in four phases, its truth mask, and the nodules that experts outlined."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.ndimage import center_of_mass

from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import SUSPECTED, Job, Patient, Recipe, Renderer, outlined, phantom_cohort
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.nifti import read_nifti, write_nifti
from hepatica.radiology.phantom.dicom import write_study
from hepatica.radiology.phantom.lesions import FIRST_LABEL
from hepatica.radiology.phantom.scanner import HOSPITALS
from hepatica.radiology.phantom.settings import STANDARD, PhantomSettings
from hepatica.radiology.phantom.study import draw_study

MASKS = "masks"
"""The folder of truth masks: NIfTI of the name of the study, 0 outside, 1 liver, 2 and on the patient's lesions."""

EXPERTS = "experts"
"""The folder, below the studies, of what experts outlined: NIfTI of the name of the study, 1 nodule, 0 everything else.

It is no truth kept from models: specimens.csv names each file in its column nodule_mask. All 0: read, no nodule seen.
"""

OUTLINES = "outlines"
"""The folder, below the studies, of all outlines of a cohort that tells all: its column mask names the truth masks."""

AFTER = "after"
"""The folder, below the studies, of the scans six weeks after embolisation."""

_FIRST_DAY = datetime(2020, 1, 1, 9)


@dataclass(frozen=True, kw_only=True)
class CT(Renderer):
    """One zip of DICOM files a patient, all phases together.

    Difficulty takes contrast from the lesions and adds noise; hospitals A and B scan differently.
    """

    modality, root, suffix, code, made = "ct", "studies", ".zip", "CT", "pictures"
    population = SUSPECTED
    hospitals = HOSPITALS
    hidden = (MASKS,)
    read = True
    outlines: ClassVar[Mapping[str, Mapping[str, str]]] = {"outlines": {"mask": "mask"}}
    settings: PhantomSettings = STANDARD

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        """The nodules of the patients whom experts read; the outlines of all where the cohort has every endpoint.

        Of a population that is outlined, the outlines, and the scan after embolisation, where there was one.
        """
        outlines = {"mask": [f"{OUTLINES}/{stem}.nii.gz" for stem in stems]}
        if recipe.population.outlined:
            after = {"after": [f"{AFTER}/{stem}.zip" for stem in stems]} if recipe.population.embolised else {}
            return outlines | after
        hcc, share = np.array([each.tumour.hcc for each in patients]), self.settings.expert_share
        read = outlined(hcc, share=share, seed=recipe.seed, hospital=recipe.hospital)
        names = [f"{EXPERTS}/{stem}.nii.gz" if by_expert else "" for stem, by_expert in zip(stems, read, strict=True)]
        return {"nodule_mask": names, **(outlines if recipe.endpoints == "all" else {})}

    def check(self) -> None:
        """SettingsError when the pictures are too small, or the experts' share is none."""
        settings = self.settings
        if settings.matrix < 64 or settings.slices < 1:
            size = f"{settings.slices} slices of {settings.matrix} pixels a side"
            raise SettingsError(f"got {size}, wanted 1 slice or more and 64 pixels or more")
        if not 0 <= settings.expert_share <= 1:
            raise SettingsError(f"got a share of {settings.expert_share} read by experts, wanted 0 to 1")

    def begin(self, recipe: Recipe) -> Callable[[Job], Mapping[str, float]]:
        """What draws one study."""
        return partial(_draw, recipe=recipe, settings=self.settings, entropy=str(sorted(asdict(recipe).items())))

    def located(self, job: Job) -> list[dict[str, Any]]:
        """Kind, centre and size of every lesion; no centre where others hide it. `segment` is its number in `mask`."""
        mask, geometry = read_nifti(_truth(job))
        lesions = job.patient.tumour.lesions
        labels = np.arange(len(lesions)) + FIRST_LABEL
        with np.errstate(invalid="ignore"):
            centres = np.array(center_of_mass(mask > 0, mask, labels)).reshape(-1, 3)[:, ::-1]
        places = np.round(centres @ geometry.lps[:3, :3].T + geometry.lps[:3, 3], 1)
        return [
            {
                "lesion_id": str(number),
                "label": lesion.kind,
                "segment": label if "mask" in job.files else None,
                **dict(zip(("x_mm", "y_mm", "z_mm"), place, strict=True)),
                "diameter_mm": round(10 * lesion.diameter_cm, 1),
                **lesion.classes,
                **lesion.observed,
            }
            for number, (lesion, label, place) in enumerate(zip(lesions, labels, places, strict=True), start=1)
        ]


def phantom_ct(folder: Path, *, settings: PhantomSettings = STANDARD, **options: Any) -> Path:
    """Write a cohort of phantom patients with CT; `options` and what is raised are those of `phantom_cohort`."""
    return phantom_cohort(folder, renderers=(CT(settings=settings),), **options)


def _truth(job: Job) -> Path:
    return job.folder / MASKS / f"{job.path.stem}.nii.gz"


def _draw(job: Job, *, recipe: Recipe, settings: PhantomSettings, entropy: str) -> Mapping[str, float]:
    if all(path.exists() for path in (_truth(job), *job.files.values())):
        return {}
    hospital, number = HOSPITALS[recipe.hospital], job.patient.number
    draw = partial(draw_study, hospital=hospital, difficulty=recipe.difficulty, settings=settings)
    write = partial(write_study, patient=job.patient, hospital=hospital)
    rng = generator(recipe.seed, recipe.hospital, "study", number)
    study = draw(rng, job.patient)
    injected = _FIRST_DAY + timedelta(minutes=30 * int(rng.integers(16)), days=int(rng.integers(1000)))
    nodules = (study.mask >= FIRST_LABEL).astype(np.uint8)
    masks = {_truth(job): study.mask, job.files.get("nodule_mask"): nodules, job.files.get("mask"): study.mask}
    for path, mask in masks.items():
        if path:
            write_nifti(path, values=mask, geometry=study.grid.geometry)
    if later := job.files.get("after"):
        again = generator(recipe.seed, recipe.hospital, "study", number)
        after = draw(again, job.patient, viable=job.patient.course.viable)
        write(later, after, injected=injected + timedelta(days=42), entropy=(entropy, str(number), AFTER))
    write(job.path, study, injected=injected, entropy=(entropy, str(number)))
    return {}
