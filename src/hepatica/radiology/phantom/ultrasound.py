"""Ultrasound: a phantom patient's liver as B-mode images, elastogram and contrast cine, in DICOM, with the truth."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import hsv_to_rgb
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset
from pydicom.uid import UltrasoundImageStorage, UltrasoundMultiFrameImageStorage, generate_uid

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import SUSPECTED, Job, Patient, Recipe, Renderer, phantom_cohort
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.phantom.dicom import encoded, entry, patient_and_study
from hepatica.radiology.phantom.lesions import FIRST_LABEL
from hepatica.radiology.phantom.sonogram import MACHINES, Fan, Machine, draw_plane, fan_of, grains, insonify
from hepatica.radiology.ultrasound.regions import Box

MASKS = "masks_ultrasound"
"""The folder of truth masks: NIfTI of the name of the study, a plane for each image: 1 liver, 2 and on the lesions."""

OUTLINES = "outlines"
"""The folder, below the studies, of the same where a population is outlined or the cohort tells all."""

FASTEST = 4.5
"""m/s at the upper end of colour bars."""

_HEAD, _FOOT = 0.08, 0.05  # shares of the screen that are printed on
_HALF = 0.47  # of the columns, of each of two images side by side
_SECTOR = np.radians(16)  # half of that in which stiffness is measured
_LOST = 0.9  # standard deviations from which on a measurement is lost: a fifth
_CINE_SECONDS = 60.0
_FIRST_DAY = datetime(2020, 1, 1, 9)


@dataclass(frozen=True, kw_only=True)
class UltrasoundSettings:
    """What phantom ultrasound is made from; ours. "Hard" numbers hold at difficulty 1 and shrink in proportion."""

    rows: int = 360
    columns: int = 480
    images: int = 2  # B-mode, each of another plane
    frames: int = 24  # of a contrast cine
    contrast_lost_when_hard: float = 0.5  # of lesion against liver
    noise_db: float = 25.0  # by which noise rises to the deepest place
    noise_db_added_when_hard: float = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Screen:
    """One stored image or cine: `pixels` (t y x) or (t y x 3) uint8, `labels` (y x); `regions` with kind and mm, or
    cm/s of the first and last row of a colour bar; `elements` what only this kind has.
    """

    name: str
    pixels: np.ndarray
    labels: np.ndarray
    regions: Sequence[tuple[int, Box, float | tuple[float, float]]]
    elements: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ultrasound(Renderer):
    """One zip of DICOM files a patient: B-mode images; an elastogram, where a first HCC is waited for; a contrast cine,
    where it is before embolisation. Difficulty takes contrast from lesions and adds noise; hospitals A and B have
    other machines, of which A stores in colour.
    """

    modality, root, suffix, code, made = "ultrasound", "ultrasound", ".zip", "US", "ultrasound"
    population = SUSPECTED
    hospitals = MACHINES
    hidden = (MASKS,)
    settings: UltrasoundSettings = UltrasoundSettings()

    def check(self) -> None:
        """SettingsError when screens are too small or there is no image."""
        if min(self.settings.rows, self.settings.columns) < 120 or self.settings.images < 1:
            raise SettingsError(f"got {self.settings}, wanted an image or more of 120 rows and columns or more")

    def attached(self, patients: Sequence[Patient], stems: Sequence[str], *, recipe: Recipe) -> dict[str, list[str]]:
        """The outlines, where the population is outlined or the cohort has every endpoint."""
        drawn = recipe.population.outlined or recipe.endpoints == "all"
        return {"mask": [f"{OUTLINES}/{stem}.nii.gz" for stem in stems]} if drawn else {}

    def begin(self, recipe: Recipe) -> Callable[[Job], Mapping[str, float]]:
        """What draws one study."""
        return partial(_draw, self.settings, recipe=recipe, entropy=str(sorted(asdict(recipe).items())))


def phantom_ultrasound(folder: Path, *, settings: UltrasoundSettings = UltrasoundSettings(), **options: Any) -> Path:
    """Write phantom patients with ultrasound; `options` and what is raised are those of `phantom_cohort`."""
    return phantom_cohort(folder, renderers=(Ultrasound(settings=settings),), **options)


def _draw(settings: UltrasoundSettings, job: Job, *, recipe: Recipe, entropy: str) -> Mapping[str, float]:
    truth = job.folder / MASKS / f"{job.path.stem}.nii.gz"
    masks = [truth, *(path for name, path in job.files.items() if name == "mask")]
    if all(path.exists() for path in (job.path, *masks)):
        return {}
    rng, machine = generator(recipe.seed, recipe.hospital, "ultrasound", job.patient.number), MACHINES[recipe.hospital]
    begun = _FIRST_DAY + timedelta(minutes=20 * int(rng.integers(20)), days=int(rng.integers(1000)))
    look = _Look(rng=rng, patient=job.patient, machine=machine, settings=settings, difficulty=recipe.difficulty)
    screens = [look.b_mode(number) for number in range(settings.images)]
    if "incidence" in recipe.population.usual:
        screens.append(look.elastogram())
    if recipe.population.embolised:
        screens.append(look.cine())
    mask = np.stack([each.labels for each in screens])
    geometry = Geometry(shape=mask.shape, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))
    for path in masks:
        write_nifti(path, values=mask, geometry=geometry)
    _write(job.path, screens, job.patient, machine=machine, begun=begun, entropy=(entropy, str(job.patient.number)))
    return {}


@dataclass(frozen=True, kw_only=True)
class _Look:
    """One examination."""

    rng: np.random.Generator
    patient: Patient
    machine: Machine
    settings: UltrasoundSettings
    difficulty: float

    @property
    def effect(self) -> float:
        return 1 - self.settings.contrast_lost_when_hard * self.difficulty

    @property
    def noise(self) -> float:
        return self.settings.noise_db + self.settings.noise_db_added_when_hard * self.difficulty

    def fan(self, columns: int) -> Fan:
        rows = round(self.settings.rows * (1 - _HEAD - _FOOT))
        return fan_of((rows, columns), machine=self.machine)

    def b_mode(self, number: int) -> Screen:
        fan = self.fan(self.settings.columns)
        plane = draw_plane(self.rng, self.patient, effect=self.effect)
        seen = insonify(self.rng, plane.decibels, machine=self.machine, fan=fan, noise=self.noise)
        pixels, labels, regions = self.screen([seen[None]], fan.from_plane(plane.labels), fan)
        return Screen(name=f"b{number}", pixels=pixels, labels=labels, regions=regions, elements={})

    def elastogram(self) -> Screen:
        """B-mode beside the same with stiffness in colours, and their bar, whose rows are speeds."""
        fan, stiff = self.fan(round(self.settings.columns * _HALF)), self.patient.person.stiffness_kpa
        plane = draw_plane(self.rng, self.patient, effect=self.effect)
        grey = insonify(self.rng, plane.decibels, machine=self.machine, fan=fan, noise=self.noise)
        kpa = stiff * np.exp(0.15 * grains(self.rng, down=12, across=12) + 0.05 * grains(self.rng, down=3, across=3))
        speed = np.sqrt(fan.from_plane(kpa, order=1) / 3)
        depth, angle = fan.places
        lost = fan.from_plane(grains(self.rng, down=10, across=10), order=1) > _LOST
        measured = (np.abs(depth - 55) < 25) & (np.abs(angle) < _SECTOR) & (fan.from_plane(plane.labels) > 0) & ~lost
        tinted = np.repeat(grey[..., None], 3, axis=-1)
        tinted[measured] = np.rint(0.6 * colours(speed) + 0.4 * tinted)[measured]
        pixels, labels, regions = self.screen([grey[None], tinted[None]], fan.from_plane(plane.labels), fan)
        rows, left = pixels.shape[1], pixels.shape[2] - 14
        bar = (slice(round(0.2 * rows), round(0.7 * rows)), slice(left, left + 8))
        scale = np.linspace(FASTEST, 0, bar[0].stop - bar[0].start)
        pixels[:, bar[0], bar[1]] = colours(scale)[None, :, None]
        regions.append((14, bar, (100 * FASTEST, 0.0)))
        return Screen(name="elastogram", pixels=pixels, labels=labels, regions=regions, elements={})

    def cine(self) -> Screen:
        """Contrast beside B-mode, over a minute from its injection."""
        fan, count = self.fan(round(self.settings.columns * _HALF)), self.settings.frames
        plane = draw_plane(self.rng, self.patient, effect=self.effect)
        machine = replace(self.machine, dynamic_db=45)
        labels = fan.from_plane(plane.labels)
        still = insonify(self.rng, plane.decibels, machine=self.machine, fan=fan, noise=self.noise)
        frames = []
        for second in np.linspace(0, _CINE_SECONDS, count):
            bubbles = np.full(plane.labels.shape, 0.004)
            for label, amount in self.enhancement(float(second)).items():
                bubbles[plane.labels == label] += amount
            seen = 10 * np.log10(bubbles) + np.where(plane.decibels < -20, -6, 0)  # vessels of the plane: few bubbles
            frames.append(insonify(self.rng, seen, machine=machine, fan=fan, noise=self.noise))
        pixels, marked, regions = self.screen([np.stack(frames), np.repeat(still[None], count, axis=0)], labels, fan)
        step = 1000 * _CINE_SECONDS / (count - 1)
        elements: dict[str, Any] = {"NumberOfFrames": count, "FrameTime": step, "FrameIncrementPointer": 0x00181063}
        elements |= {"ContrastBolusAgent": "Sulfur hexafluoride"}
        return Screen(name="contrast", pixels=pixels, labels=marked, regions=regions, elements=elements)

    def enhancement(self, second: float) -> dict[int, float]:
        """Bubbles, as a share of the liver's most, by label of the mask: arterial blood first, then the portal vein's.

        An HCC has as much arterial blood as it is vascular, and loses contrast the sooner the more aggressive it is.
        """
        arterial = float(np.exp(-(np.log(max(second - 8, 0.1) / 10) ** 2) / 0.5))
        found = {1: 0.25 * arterial + 0.9 * (1 - np.exp(-max(second - 20, 0) / 12))}
        for label, lesion in enumerate(self.patient.tumour.lesions, start=FIRST_LABEL):
            vascular = lesion.vascularity**self.effect * (0.3 if lesion.atypical else 1.2)
            washed = np.clip(0.35 + 0.2 * self.effect * self.patient.tumour.aggressiveness, 0, 0.9)
            late = 0.9 * (1 - np.exp(-max(second - 14, 0) / 12)) * (1 - washed * np.clip((second - 30) / 30, 0, 1))
            found[label] = vascular * arterial + late
        return found

    def screen(
        self, pictures: Sequence[np.ndarray], labels: np.ndarray, fan: Fan
    ) -> tuple[np.ndarray, np.ndarray, list[tuple[int, Box, float | tuple[float, float]]]]:
        """Pictures (t y x) or (t y x 3) side by side on a screen with what machines print on it, in and beside the
        images; the labels of the screen; and the regions.
        """
        paper = self.printed()
        top, marked = round(len(paper) * _HEAD), np.zeros(paper.shape, np.uint8)
        colour = self.machine.colour or any(each.ndim == 4 for each in pictures)
        screens = np.repeat(paper[None], len(pictures[0]), axis=0)
        screens = np.repeat(screens[..., None], 3, axis=-1) if colour else screens
        regions: list[tuple[int, Box, float | tuple[float, float]]] = []
        for number, picture in enumerate(pictures):
            left = number * fan.shape[1]
            box = (slice(top, top + fan.shape[0]), slice(left, left + fan.shape[1]))
            shown = np.repeat(picture[..., None], 3, axis=-1) if colour and picture.ndim == 3 else picture
            screens[:, box[0], box[1]] = np.maximum(screens[:, box[0], box[1]], shown)
            marked[box] = labels
            regions.append((1, box, fan.mm))
        return screens, marked, regions

    def printed(self) -> np.ndarray:
        """A screen (y x) with the patient's name, the machine and its settings."""
        rows, columns = self.settings.rows, self.settings.columns
        paper = Image.new("L", (columns, rows))
        pen, font = ImageDraw.Draw(paper), ImageFont.load_default(size=max(9, rows / 30))
        top, line = round(rows * _HEAD), rows / 28
        pen.text((4, 1), f"PHANTOM^{self.patient.patient_id}  {self.patient.person.sex}", fill=230, font=font)
        pen.text((columns - 110, 1), self.machine.model, fill=230, font=font)
        pen.text((4, top + 2), self.machine.probe, fill=200, font=font)
        pen.text((4, top + 2 + line), f"{self.machine.megahertz} MHz", fill=200, font=font)
        pen.text((4, rows - line - 2), "MI 0.9  TIs 0.4", fill=200, font=font)
        return np.asarray(paper)


def colours(speed: np.ndarray) -> np.ndarray:
    """(… 3) uint8 of speeds in m/s: from blue at 0 to red at FASTEST and above."""
    hue = (1 - np.clip(speed / FASTEST, 0, 1)) * 2 / 3
    full = np.ones_like(hue)
    return np.asarray(np.rint(255 * hsv_to_rgb(np.stack([hue, full, full], axis=-1))), np.uint8)


def _write(
    path: Path, screens: Sequence[Screen], patient: Patient, *, machine: Machine, begun: datetime,
    entropy: tuple[str, ...],
) -> None:  # fmt: skip
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for number, screen in enumerate(screens, start=1):
            header = patient_and_study(patient, begun, entropy)
            _describe(header, screen, number, machine=machine, begun=begun, entropy=(*entropy, screen.name))
            entry(archive, f"{number:04d}.dcm", encoded(header))


def _describe(
    header: Dataset, screen: Screen, number: int, *, machine: Machine, begun: datetime, entropy: tuple[str, ...]
) -> None:
    frames, rows, columns = screen.pixels.shape[:3]
    colour = screen.pixels.ndim == 4
    kind = UltrasoundMultiFrameImageStorage if frames > 1 else UltrasoundImageStorage
    elements = {
        "SOPClassUID": kind, "SOPInstanceUID": generate_uid(entropy_srcs=[*entropy, "image"]), "Modality": "US",
        "SeriesInstanceUID": generate_uid(entropy_srcs=[*entropy[:-1], "series"]), "SeriesNumber": 1,
        "InstanceNumber": number, "ImageType": ["ORIGINAL", "PRIMARY", "ABDOMINAL"], "Manufacturer": "hepatica",
        "ManufacturerModelName": machine.model, "TransducerData": machine.probe, "BodyPartExamined": "LIVER",
        "TransducerFrequency": round(1000 * machine.megahertz), "DepthOfScanField": round(machine.depth_mm),
        "BurnedInAnnotation": "YES", "StudyDescription": "US abdomen, phantom", "LossyImageCompression": "00",
        **{f"{event}Date": f"{begun:%Y%m%d}" for event in ("Series", "Acquisition", "Content")},
        **{f"{event}Time": f"{begun:%H%M%S}" for event in ("Series", "Acquisition", "Content")},
        "Rows": rows, "Columns": columns, "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2", "BitsAllocated": 8, "BitsStored": 8,
        "HighBit": 7, "PixelRepresentation": 0, "PatientOrientation": "", **screen.elements,
    }  # fmt: skip
    elements |= {"PlanarConfiguration": 0} if colour else {}
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    header.SequenceOfUltrasoundRegions = [_region(*each) for each in screen.regions]
    header.PixelData = screen.pixels.tobytes() + b"\0" * (screen.pixels.size % 2)


def _region(kind: int, box: Box, scale: float | tuple[float, float]) -> Dataset:
    """An item of (0018,6011): of tissue with mm, of a colour bar with the speeds (cm/s) of its first and last row."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = int(kind < 3), kind, 0
    item.RegionLocationMinY0, item.RegionLocationMaxY1 = box[0].start, box[0].stop - 1
    item.RegionLocationMinX0, item.RegionLocationMaxX1 = box[1].start, box[1].stop - 1
    item.ReferencePixelX0 = item.ReferencePixelY0 = 0
    item.ReferencePixelPhysicalValueX = 0.0
    if isinstance(scale, tuple):
        units, first = (0, 7), scale[0]
        steps = (0.0, (scale[1] - scale[0]) / (box[0].stop - 1 - box[0].start))
    else:
        units, first, steps = (3, 3), 0.0, (scale / 10, scale / 10)
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.ReferencePixelPhysicalValueY = first
    item.PhysicalDeltaX, item.PhysicalDeltaY = steps
    return item
