"""Slicing: which axial slices of a scan a network reads, how large, and in which window of Hounsfield units."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from hepatica.cohort.errors import SettingsError
from hepatica.radiology.dicom.hounsfield import AIR
from hepatica.radiology.dicom.volume import Units


@dataclass(frozen=True, kw_only=True)
class Window:
    """A centre and a width in HU: what lies half a width below the centre is black, half above it white."""

    centre: float
    width: float

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise SettingsError(f"got a window width of {self.width} HU, wanted more than 0")

    def shades(self, values: np.ndarray) -> np.ndarray:
        """HU of any shape to float32 from 0 (black) to 1 (white), straight in between.

        The line is (HU - centre) / width + 1/2; DICOM's LINEAR function (PS3.3 C.11.2.1.2), made for whole numbers,
        puts it half a unit aside.
        """
        shades = (np.asarray(values, np.float32) - np.float32(self.centre)) / np.float32(self.width) + np.float32(0.5)
        return np.asarray(np.clip(shades, 0, 1), np.float32)

    def grey(self, values: np.ndarray) -> np.ndarray:
        """HU of any shape to uint8 from 0 (black) to 255 (white)."""
        return np.asarray(np.round(self.shades(values) * 255), np.uint8)


WINDOWS = {
    "abdomen": Window(centre=40, width=400),  # ours: customary for soft tissue; no paper of ours states one
    "liver": Window(centre=60, width=160),  # ours: narrow, as readers set it to look for lesions
    "bone": Window(centre=400, width=1800),  # ours
    "lung": Window(centre=-600, width=1500),  # ours
}
"""Windows by name. Wang et al. 2021 exported JPEGs without saying which they used."""


@dataclass(frozen=True, kw_only=True)
class Slicing:
    """Slices of `side` pixels a side; at most `per_series` of each series, evenly spread over the liver (None: all)."""

    side: int = 224
    per_series: int | None = None

    def __post_init__(self) -> None:
        if self.side < 1 or (self.per_series is not None and self.per_series < 1):
            raise SettingsError(
                f"got slices of {self.side} pixels, {self.per_series} a series, wanted 1 or more of each"
            )

    def choose(self, candidates: np.ndarray) -> np.ndarray:
        """Those of the candidates (n,) that are read, in their order."""
        count = len(candidates) if self.per_series is None else min(self.per_series, len(candidates))
        return np.asarray(candidates[np.linspace(0, len(candidates) - 1, count).round().astype(int)])


def resized(image: np.ndarray, *, side: int, units: Units) -> np.ndarray:
    """A slice (y x) as int16 (side side), made square by padding with air (black where units are lost).

    Antialiased bilinear interpolation on the values themselves, before any window. Inverse of places: `full_size`.
    """
    height, width = image.shape
    longest = max(height, width)
    square = np.full((longest, longest), AIR if units == "HU" else 0, np.float32)
    top, left = (longest - height) // 2, (longest - width) // 2
    square[top : top + height, left : left + width] = image
    small = Image.fromarray(square).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(np.rint(np.asarray(small)), np.int16)


def full_size(image: np.ndarray, *, shape: tuple[int, int]) -> np.ndarray:
    """A map (side side) of a resized slice back on the pixels (y x) of the slice it came from, float32, bilinear."""
    height, width = shape
    longest = max(height, width)
    square = Image.fromarray(np.asarray(image, np.float32)).resize((longest, longest), Image.Resampling.BILINEAR)
    top, left = (longest - height) // 2, (longest - width) // 2
    return np.asarray(square)[top : top + height, left : left + width]
