"""Sonogram: a plane through a phantom liver as it scatters sound, and what a curved array makes of it. All ours."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hepatica.cohort.phantom import Lesion, Patient
from hepatica.radiology.phantom.lesions import FIRST_LABEL
from hepatica.radiology.phantom.scanner import smooth_noise

DEPTH_MM, WIDTH_MM = 190, 260
"""Of a plane, in pixels of a millimetre, from the skin under the middle of the array."""

PROBE_MM, HALF_ANGLE = 55.0, np.radians(30)
"""Radius of the array, and how far its fan opens to either side."""

ABOVE_MM = 9.0
"""Above the middle of the array, where its sides begin."""

NODULARITY_MM = (0.05, 0.3, 0.6, 1.1, 2.2)
"""Standard deviation of the capsule about its course, by METAVIR stage."""

COARSENESS_DB = (0.6, 1.2, 1.8, 2.6, 3.6)
"""Standard deviation of the liver's scattering, by METAVIR stage."""

ECHO_DB: Mapping[str, float] = {
    "hcc": -7, "cholangiocarcinoma": -4, "metastasis": -6, "sarcoma": -5, "hemangioma": 7, "cyst": -30, "abscess": -14,
    "adenoma": -2, "angioleiomyolipoma": 8, "neuroendocrine": 4, "dysplastic nodule": -2,
    "focal nodular hyperplasia": -1,
}  # fmt: skip
"""Of lesions against the liver around."""

_LARGEST_MM = 40.0  # radius that still lies in the fan
_MOST = 2  # lesions in one plane
_GRAIN_MM = 5.0
_AXIAL_MM = 0.35


@dataclass(frozen=True, kw_only=True)
class Machine:
    """An ultrasound machine and how it is set.

    `megahertz` of the probe; `depth_mm` of the scan; `dynamic_db` between black and white; `level`: grey of a usual
    liver, 0 to 1; `lateral`: width of a beam in lines; `axial`: length of a pulse in samples; `colour`: whether screens
    are stored in colour.
    """

    model: str
    probe: str
    megahertz: float
    depth_mm: float
    dynamic_db: float
    level: float
    lateral: float
    axial: float
    colour: bool


MACHINES: Mapping[str, Machine] = {
    "A": Machine(
        model="phantom L7", probe="C1-5", megahertz=3.5, depth_mm=150, dynamic_db=60, level=0.36, lateral=1.0,
        axial=1.0, colour=True,
    ),
    "B": Machine(
        model="phantom E9", probe="C2-9", megahertz=4.0, depth_mm=160, dynamic_db=70, level=0.42, lateral=1.3,
        axial=0.8, colour=False,
    ),
}  # fmt: skip
"""Those of the two hospitals."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """`decibels` (y x) float32 of scattering, `labels` (y x) uint8: 1 liver, FIRST_LABEL and on the lesions shown."""

    decibels: np.ndarray
    labels: np.ndarray


def draw_plane(rng: np.random.Generator, patient: Patient, *, effect: float) -> Plane:
    """One plane of a patient's liver; `effect` times the contrast of lesions is left."""
    stage = patient.person.metavir
    y, x = np.mgrid[:DEPTH_MM, :WIDTH_MM].astype(np.float32)
    x -= WIDTH_MM / 2
    bumps = smooth_noise(rng, shape=(1, 1, WIDTH_MM), grain=(1, 1, 7))[0, 0]
    capsule = rng.uniform(20, 27) + 10 * (x / 100) ** 2 + NODULARITY_MM[stage] * bumps
    floor = rng.uniform(125, 140) - 22 * (x / 80) ** 2
    liver = (y > capsule) & (y < floor)
    decibels = -3 + 3 * grains(rng, down=2, across=30)
    decibels[y >= floor] -= 10
    texture = COARSENESS_DB[stage] * grains(rng, down=_GRAIN_MM, across=_GRAIN_MM)
    decibels[liver] = (patient.stream("echogenicity").normal(0, 1.5) + texture)[liver]
    _draw_vessels(rng, decibels, liver, count=7 - stage)
    decibels[np.abs(y - capsule) < 0.8] = 9
    decibels[np.abs(y - floor) < 1.3] = 14
    labels = liver.astype(np.uint8)
    room = ndimage.distance_transform_edt(liver & (np.arctan2(np.abs(x), y + PROBE_MM) < HALF_ANGLE))
    for number, lesion in enumerate(patient.tumour.lesions[:_MOST]):
        _draw_lesion(rng, decibels, labels, room, lesion, label=FIRST_LABEL + number, effect=effect)
    return Plane(decibels=decibels, labels=labels)


def grains(rng: np.random.Generator, *, down: float, across: float) -> np.ndarray:
    """A smooth random plane (y x) of standard deviation 1, of grains of these lengths in mm."""
    return np.asarray(smooth_noise(rng, shape=(1, DEPTH_MM, WIDTH_MM), grain=(1, down, across))[0])


def _draw_vessels(rng: np.random.Generator, decibels: np.ndarray, liver: np.ndarray, *, count: int) -> None:
    """Dark cuts through vessels, with the bright wall of portal ones; fewer are seen in a scarred liver."""
    y, x = np.mgrid[:DEPTH_MM, :WIDTH_MM]
    for place in rng.permutation(np.argwhere(liver))[:count]:
        long, turn = rng.uniform(1.5, 4.0), rng.uniform(0, np.pi)
        down, across = y - place[0], x - place[1]
        along, beside = np.cos(turn) * across + np.sin(turn) * down, np.cos(turn) * down - np.sin(turn) * across
        away = np.hypot(along / rng.uniform(1, 4), beside)
        decibels[liver & (away < long + 1) & (rng.random() < 0.5)] = 6
        decibels[liver & (away < long)] = -22


def _draw_lesion(
    rng: np.random.Generator,
    decibels: np.ndarray,
    labels: np.ndarray,
    room: np.ndarray,
    lesion: Lesion,
    *,
    label: int,
    effect: float,
) -> None:
    """A lesion where there is room for it, cut beside its middle; its outline grows irregular with its infiltration."""
    radius = min(lesion.radius * np.sqrt(1 - rng.uniform(0, 0.6) ** 2), _LARGEST_MM)
    fitting = np.argwhere(np.where(labels == 1, room, 0) >= min(0.8 * radius, room.max()))
    if not len(fitting):
        return
    centre = fitting[rng.integers(len(fitting))]
    y, x = np.mgrid[:DEPTH_MM, :WIDTH_MM]
    angle, away = np.arctan2(y - centre[0], x - centre[1]), np.hypot(y - centre[0], x - centre[1])
    uneven = sum(rng.normal() * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) / k for k in (2, 3, 5, 7))
    edge = radius * (1 + (0.04 + 0.16 * lesion.infiltration) * uneven)
    inside = (away < edge) & (labels > 0)
    echo = ECHO_DB[lesion.kind] * (0.4 if lesion.atypical else 1.0)
    mosaic = 3.0 * (lesion.kind == "hcc") * (lesion.diameter_cm > 2)
    decibels[inside] += (effect * (echo + mosaic * grains(rng, down=4, across=4)))[inside]
    if lesion.kind in ("hcc", "metastasis"):
        halo = inside & (away > edge - 1.8)
        decibels[halo] -= 6 * effect * (1 - lesion.infiltration)
    if lesion.kind == "cyst":
        behind = (np.abs(x - centre[1]) < 0.8 * radius) & (y > centre[0] + radius) & ~inside
        decibels[behind] += 5
    labels[inside] = label


@dataclass(frozen=True, kw_only=True)
class Fan:
    """Where the fan of a scan lies on a picture (rows, columns) of pixels of `mm`."""

    shape: tuple[int, int]
    mm: float
    depth_mm: float

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Depth (mm along the beam) and angle of each pixel."""
        rows, columns = self.shape
        y = (np.arange(rows)[:, None] * self.mm - ABOVE_MM + PROBE_MM).astype(np.float32)
        x = ((np.arange(columns) - (columns - 1) / 2)[None] * self.mm).astype(np.float32)
        return np.hypot(x, y) - PROBE_MM, np.arctan2(x, y)

    @property
    def inside(self) -> np.ndarray:
        """Whether each pixel is of the fan."""
        depth, angle = self.places
        return np.asarray((depth >= 0) & (depth < self.depth_mm) & (np.abs(angle) < HALF_ANGLE))

    def from_plane(self, values: np.ndarray, *, order: int = 0) -> np.ndarray:
        """What a plane (y x) has at each pixel; 0 outside the fan."""
        rows, columns = self.shape
        y = np.arange(rows) * self.mm - ABOVE_MM
        x = (np.arange(columns) - (columns - 1) / 2) * self.mm + WIDTH_MM / 2
        found = ndimage.map_coordinates(values, np.meshgrid(y, x, indexing="ij"), order=order, mode="nearest")
        return np.asarray(np.where(self.inside, found, 0))


def fan_of(shape: tuple[int, int], *, machine: Machine) -> Fan:
    """The largest fan of a machine on a picture."""
    tall = machine.depth_mm + ABOVE_MM
    wide = 2 * (PROBE_MM + machine.depth_mm) * np.sin(HALF_ANGLE)
    return Fan(shape=shape, mm=float(max(tall / shape[0], wide / shape[1])), depth_mm=machine.depth_mm)


def insonify(rng: np.random.Generator, decibels: np.ndarray, *, machine: Machine, fan: Fan, noise: float) -> np.ndarray:
    """A picture (rows, columns) uint8 of a plane of scattering: fully developed speckle along the beams, compressed,
    converted to the fan. `noise`: dB by which electronic noise rises at the deepest place.
    """
    lines, samples = 144, int(machine.depth_mm / _AXIAL_MM)
    angle = np.linspace(-HALF_ANGLE, HALF_ANGLE, lines)[None]
    depth = (np.arange(samples) * _AXIAL_MM)[:, None]
    y = (PROBE_MM + depth) * np.cos(angle) - PROBE_MM
    x = (PROBE_MM + depth) * np.sin(angle) + WIDTH_MM / 2
    scattered = ndimage.map_coordinates(decibels, [y, x], order=1, mode="nearest")
    field = rng.standard_normal((2, samples, lines)).astype(np.float32) * 10 ** (scattered / 20)
    field = ndimage.gaussian_filter(field, (0, machine.axial, machine.lateral))
    unit = 1 / np.sqrt(4 * np.pi * machine.axial * machine.lateral)  # what the filter leaves of white noise
    floor = 10 ** ((-45 + noise * (depth / machine.depth_mm)) / 20)
    envelope = np.hypot(*field) / unit + floor * np.abs(rng.standard_normal((samples, lines)))
    grey = machine.level + 20 * np.log10(envelope + 1e-6) / machine.dynamic_db
    depths, angles = fan.places
    places = [depths / _AXIAL_MM, (angles / HALF_ANGLE + 1) / 2 * (lines - 1)]
    seen = ndimage.map_coordinates(grey.astype(np.float32), places, order=1, mode="nearest")
    return np.where(fan.inside, np.rint(255 * np.clip(seen, 0, 1)), 0).astype(np.uint8)
