"""Scanner: what the CT of a hospital makes of a body: sharpness, noise, calibration, timing; settings of phantoms."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from einops import einsum
from scipy import ndimage


@dataclass(frozen=True, kw_only=True)
class PhantomSettings:
    """What phantom CT and MR are made from; ours.

    "Hard" numbers hold at difficulty 1 and shrink in proportion to it.
    """

    expert_share: float = 0.8  # of patients with and without HCC whose nodules experts outlined, rounded up
    matrix: int = 256
    slices: int = 32
    thickness_mm: float = 5.0  # slices touch
    field_of_view_mm: float = 400.0
    contrast_lost_when_hard: float = 0.6  # of lesion against liver
    noise_added_when_hard: float = 1.0  # of the hospital's own noise


STANDARD = PhantomSettings()
"""The phantom of the demo, the docs and the tests."""

STANDARD_MR = PhantomSettings(matrix=192)
"""That of MR, whose pixels are larger."""


def smooth_noise(
    rng: np.random.Generator, *, shape: tuple[int, int, int], grain: tuple[float, float, float]
) -> np.ndarray:
    """(z, y, x) float32 field of standard deviation 1, correlated over about `grain` voxels along each axis.

    Random coefficients of a cubic B-spline.
    """
    z, y, x = (_splines(count, each) for count, each in zip(shape, grain, strict=True))
    field = rng.standard_normal((z.shape[1], y.shape[1], x.shape[1]), dtype=np.float32)
    rows = einsum(z, field @ x.T, "z i, i j x -> z j x")
    smooth = y @ rows
    return np.asarray(smooth / smooth.std())


def _splines(count: int, grain: float) -> np.ndarray:
    """(count, knots) values of the cubic B-splines, one knot every `grain` voxels."""
    knots = int(np.ceil((count - 1) / grain)) + 4
    apart = np.abs(np.arange(count)[:, np.newaxis] / grain + 1 - np.arange(knots))
    inner = 2 / 3 - apart**2 + apart**3 / 2
    outer = (2 - np.minimum(apart, 2)) ** 3 / 6
    return np.where(apart < 1, inner, outer).astype(np.float32)


def scanner_noise(rng: np.random.Generator, *, shape: tuple[int, int, int, int], grain: float) -> np.ndarray:
    """(phase, z, y, x) float32 noise of standard deviation 1, correlated within slices over `grain` pixels."""
    white = rng.standard_normal(shape, dtype=np.float32)
    correlated = ndimage.gaussian_filter(white, sigma=(0, 0, grain, grain), mode="wrap", truncate=3)
    return np.asarray(correlated / correlated.std())


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
