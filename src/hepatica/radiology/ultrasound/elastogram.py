"""Elastogram: stiffness in kPa from the colours of a shear-wave image, by its colour bar, and where it can be read."""

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.ultrasound.clips import Clip
from hepatica.radiology.ultrasound.regions import Region

KPA_MAX = "kpa_max"
"""Column of specimens.csv: kPa at the upper end of the colour bar, where the file does not give its speeds in cm/s; the
lower end is 0."""

SATURATED = 30  # ours
"""Grey levels between the channels of a pixel from which on its colour is read."""

ALIKE = 0.998  # ours
"""Cosine between the colours of a pixel and of its place on the bar from which on they are the same."""


def youngs_modulus(speed: np.ndarray) -> np.ndarray:
    """kPa of tissue in which shear waves have a speed in m/s: 3 times the density, 1 g/mL, times its square (Bercoff
    2004, doi 10.1109/TUFFC.2004.1295425).
    """
    return np.asarray(3 * speed**2)


def stiffness(frame: np.ndarray, *, bar: np.ndarray, kpa: np.ndarray) -> np.ndarray:
    """(y x) float32 kPa of a frame (y x 3) uint8, NaN where no colour of the bar is shown.

    `bar` (n w 3) uint8 are the pixels of the colour bar, `kpa` (n,) what its rows mean. Grey that lies beneath the
    colours does not count: it is alike in all channels.
    """
    hue, scale = _hue(frame), _hue(np.median(bar, axis=1)[:, None])[:, 0]
    found = np.full(frame.shape[:2], np.nan, np.float32)
    shown = np.ptp(frame.astype(np.int16), axis=-1) >= SATURATED
    usable = np.isfinite(scale).all(axis=1)
    if not usable.any() or not shown.any():
        return found
    alike = hue[shown] @ scale[usable].T
    found[shown] = np.where(alike.max(axis=1) >= ALIKE, kpa[usable][alike.argmax(axis=1)], np.nan)
    return found


def _hue(colours: np.ndarray) -> np.ndarray:
    """(… 3) what a colour is beyond grey, of length 1; NaN of grey."""
    beyond = colours.astype(np.float32) - colours.min(axis=-1, keepdims=True)
    length = np.linalg.norm(beyond, axis=-1, keepdims=True)
    return np.asarray(np.where(length > 0, beyond / np.maximum(length, 1e-6), np.nan))


def kpa_of_rows(region: Region, *, rows: int, kpa_max: float | None) -> np.ndarray:
    """What each row of a colour bar means, from the first (rows,); SpecimenError where nothing says it."""
    if kpa_max is not None:
        return np.linspace(kpa_max, 0, rows)
    if region.speeds is None:
        raise SpecimenError(
            f"the elastogram's file does not say what its colours mean; give the kPa of the upper end of its bar in"
            f" specimens.csv: {KPA_MAX}"
        )
    return youngs_modulus(np.linspace(*region.speeds, rows))


def read_elastogram(clip: Clip, *, kpa_max: float | None = None) -> np.ndarray:
    """(y x) kPa of the first frame of an elastogram, by its first colour bar; SpecimenError as `kpa_of_rows`."""
    region, bar = clip.bars[0]
    return stiffness(clip.frames[0], bar=bar, kpa=kpa_of_rows(region, rows=len(bar), kpa_max=kpa_max))
