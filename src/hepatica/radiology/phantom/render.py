"""Render: a phantom patient's scan of the liver, its truth mask, and what experts outlined; of CT in four phases."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pydicom.uid import CTImageStorage
from scipy.ndimage import center_of_mass

from hepatica.cohort.atomic import write_table
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import SUSPECTED, Job, Patient, Recipe, Renderer, outlined, phantom_cohort
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.nifti import read_nifti, write_nifti
from hepatica.radiology.phantom.ablation import ZONE, ablate
from hepatica.radiology.phantom.dicom import Stored, write_study
from hepatica.radiology.phantom.enhancement import PHASES
from hepatica.radiology.phantom.lesions import FIRST_LABEL
from hepatica.radiology.phantom.scanner import HOSPITALS, LOWEST, STANDARD, PhantomSettings
from hepatica.radiology.phantom.study import Study, draw_study

MASKS = "masks"
"""The folder of truth masks: NIfTI of the name of the study, 0 outside, 1 liver, 2 and on the patient's lesions."""

EXPERTS = "experts"
"""The folder, below the studies, of what experts outlined: NIfTI of the name of the study, 1 nodule, 0 everything else.

It is no truth kept from models: specimens.csv names each file in its column nodule_mask. All 0: read, no nodule seen.
"""

OUTLINES = "outlines"
"""The folder, below the studies, of all outlines of a cohort that tells all: its column mask names the truth masks."""

AFTER = "after"
"""The folder, below the studies, of the scans six weeks after embolisation or ablation."""

_FIRST_DAY = datetime(2020, 1, 1, 9)
_BETWEEN = timedelta(days=42)


@dataclass(frozen=True, kw_only=True)
class Scans(Renderer):
    """One zip of DICOM files a patient, all series together, and where its lesions are."""

    suffix = ".zip"
    truth: ClassVar[str] = MASKS
    outlines: ClassVar[Mapping[str, Mapping[str, str]]] = {"outlines": {"mask": "mask"}}
    settings: PhantomSettings = STANDARD

    @abstractmethod
    def study(
        self,
        rng: np.random.Generator,
        patient: Patient,
        *,
        hospital: str,
        difficulty: float,
        viable: float | None = None,
    ) -> Study:
        """All series of one patient; `viable` as `draw_body` says."""

    @abstractmethod
    def stored(self, study: Study, *, hospital: str, injected: datetime) -> list[Stored]:
        """The series of a study, as the scanner of the hospital stores them."""

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        """The outlines of all lesions, where the population is outlined or the cohort has every endpoint."""
        outlined_all = recipe.population.outlined or recipe.endpoints == "all"
        return {"mask": [f"{OUTLINES}/{stem}.nii.gz" for stem in stems]} if outlined_all else {}

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
        return partial(_draw, self, recipe=recipe, entropy=str(sorted(asdict(recipe).items())))

    def located(self, job: Job) -> list[dict[str, Any]]:
        """Kind, centre and size of every lesion; no centre where others hide it. `segment` is its number in `mask`."""
        mask, geometry = read_nifti(self.mask(job))
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

    def mask(self, job: Job) -> Path:
        """The truth mask of a specimen."""
        return job.folder / self.truth / f"{job.path.stem}.nii.gz"


@dataclass(frozen=True, kw_only=True)
class CT(Scans):
    """All phases of a CT. Difficulty takes contrast from the lesions and adds noise; hospitals scan differently."""

    modality, root, code, made = "ct", "studies", "CT", "pictures"
    population = SUSPECTED
    hospitals = HOSPITALS
    hidden = (MASKS,)
    read = True

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        """Outlines, as of all scans; the scan after embolisation, where there was one; else, of a population that is
        not outlined, the nodules of the patients whom experts read.
        """
        outlines = super().attached(patients, stems, recipe=recipe)
        if recipe.population.embolised:
            return outlines | {"after": [f"{AFTER}/{stem}.zip" for stem in stems]}
        if recipe.population.ablated:
            files = {"after": ".zip", "zone": "_zone.nii.gz", "landmarks": "_landmarks.csv"}
            return outlines | {name: [f"{AFTER}/{stem}{end}" for stem in stems] for name, end in files.items()}
        if recipe.population.outlined:
            return outlines
        hcc, share = np.array([each.tumour.hcc for each in patients]), self.settings.expert_share
        read = outlined(hcc, share=share, seed=recipe.seed, hospital=recipe.hospital)
        names = [f"{EXPERTS}/{stem}.nii.gz" if by_expert else "" for stem, by_expert in zip(stems, read, strict=True)]
        return {"nodule_mask": names, **outlines}

    def study(self, rng: np.random.Generator, patient: Patient, *, hospital: str, **how: Any) -> Study:
        """All phases of one patient."""
        return draw_study(rng, patient, hospital=HOSPITALS[hospital], settings=self.settings, **how)

    def stored(self, study: Study, *, hospital: str, injected: datetime) -> list[Stored]:
        """One series a phase."""
        scanner = HOSPITALS[hospital]
        intercept = 0 if scanner.signed else LOWEST
        pixels = (study.values.astype(np.int32) - intercept).astype(np.int16 if scanner.signed else np.uint16)
        elements = {
            "SOPClassUID": CTImageStorage, "Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "ManufacturerModelName": "phantom", "KVP": "120", "ConvolutionKernel": scanner.kernel,
            "RescaleIntercept": intercept, "RescaleSlope": "1", "RescaleType": "HU", "WindowCenter": "60",
            "WindowWidth": "400",
        }  # fmt: skip
        return [
            Stored(
                name=name,
                description=called,
                pixels=values,
                begun=injected + timedelta(seconds=seconds),
                agent="Iopromide 370" if seconds > 0 else "",
                elements=elements,
            )
            for name, called, seconds, values in zip(PHASES, scanner.descriptions, scanner.seconds, pixels, strict=True)
        ]


def phantom_ct(folder: Path, *, settings: PhantomSettings = STANDARD, **options: Any) -> Path:
    """Write a cohort of phantom patients with CT; `options` and what is raised are those of `phantom_cohort`."""
    return phantom_cohort(folder, renderers=(CT(settings=settings),), **options)


def _draw(scans: Scans, job: Job, *, recipe: Recipe, entropy: str) -> Mapping[str, float]:
    if all(path.exists() for path in (scans.mask(job), *job.files.values())):
        return {}
    number, course = job.patient.number, job.patient.course
    draw = partial(scans.study, hospital=recipe.hospital, difficulty=recipe.difficulty)
    rng = generator(recipe.seed, recipe.hospital, "study", number)
    study = draw(rng, job.patient)
    injected = _FIRST_DAY + timedelta(minutes=30 * int(rng.integers(16)), days=int(rng.integers(1000)))
    nodules = (study.mask >= FIRST_LABEL).astype(np.uint8)
    masks = {scans.mask(job): study.mask, job.files.get("nodule_mask"): nodules, job.files.get("mask"): study.mask}
    for path, mask in masks.items():
        if path:
            write_nifti(path, values=mask, geometry=study.geometry)

    def write(path: Path, drawn: Study, *, when: datetime, words: tuple[str, ...]) -> None:
        series = scans.stored(drawn, hospital=recipe.hospital, injected=when)
        write_study(path, series, patient=job.patient, geometry=drawn.geometry, injected=when, entropy=words)

    if later := job.files.get("after"):
        how: dict[str, Any] = {"viable": course.viable}
        if course.margin_mm is not None:
            how = {"change": partial(ablate, margin_mm=course.margin_mm)}
        after = draw(generator(recipe.seed, recipe.hospital, "study", number), job.patient, **how)
        write(later, after, when=injected + _BETWEEN, words=(entropy, str(number), AFTER))
        if after.landmarks is not None:
            write_nifti(job.files["zone"], values=(after.mask == ZONE).astype(np.uint8), geometry=after.geometry)
            columns = [f"{when}_{axis}_mm" for when in ("before", "after") for axis in "xyz"]
            write_table(job.files["landmarks"], pd.DataFrame(after.landmarks, columns=columns))
    write(job.path, study, when=injected, words=(entropy, str(number)))
    return {}
