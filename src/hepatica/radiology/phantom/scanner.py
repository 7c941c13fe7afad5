"""Scanner: what the CT of a hospital makes of a body: its sharpness, noise, calibration, timing and habits."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hepatica.radiology.phantom.noise import scanner_noise

LOWEST, HIGHEST = -1024, 3071
"""Hounsfield units that 12 bits hold."""


@dataclass(frozen=True, kw_only=True)
class Hospital:
    """A scanner and how it is used.

    `blur_mm`, `grain_mm`: standard deviations of the kernel's blur and of the correlation of its noise. `noise`,
    `offset`: Hounsfield units. `late`: how far each phase is on the way to the next one, 0 to 1. `seconds`: when each
    phase is scanned, after injection (plain: before it). `descriptions`: what each series is called. `signed`: whether
    pixels are stored signed, with intercept 0.
    """

    kernel: str
    blur_mm: float
    grain_mm: float
    noise: float
    offset: float
    late: float
    flat_table: bool
    seconds: tuple[int, int, int, int]
    descriptions: tuple[str, str, str, str]
    signed: bool


HOSPITALS: Mapping[str, Hospital] = {
    "A": Hospital(
        kernel="STANDARD",
        blur_mm=1.0,
        grain_mm=1.3,
        noise=9,
        offset=0,
        late=0,
        flat_table=False,
        seconds=(-60, 28, 62, 156),  # 30 s and 90 s apart, as in Wang 2021, and the scan's own 4 s
        descriptions=("Plain 5mm", "Arterial phase 5mm", "Portal venous phase 5mm", "Delayed phase 5mm"),
        signed=False,
    ),
    "B": Hospital(
        kernel="SHARP",
        blur_mm=0.6,
        grain_mm=0.8,
        noise=13,
        offset=4,
        late=0.2,
        flat_table=True,
        seconds=(-120, 35, 75, 210),
        descriptions=("ABD N/C", "ABD AP", "ABD PVP", "ABD DP"),
        signed=True,
    ),
}
"""The two hospitals of the phantom: their pictures differ in sharpness, noise, level, couch and contrast timing."""


def scan(
    rng: np.random.Generator, attenuation: np.ndarray, *, hospital: Hospital, pixel: float, noise: float
) -> np.ndarray:
    """(phase, z, y, x) int16 Hounsfield units seen; `pixel` in millimetres, `noise` times the hospital's own."""
    blur = float(np.hypot(0.5, hospital.blur_mm / pixel))  # half a pixel: a pixel shows the mean of what is in it
    seen = ndimage.gaussian_filter(attenuation, sigma=(0, 0, blur, blur), truncate=3)
    grain = scanner_noise(rng, shape=seen.shape, grain=hospital.grain_mm / pixel)
    seen += hospital.noise * noise * grain + hospital.offset
    return np.asarray(np.rint(seen).clip(LOWEST, HIGHEST).astype(np.int16))
