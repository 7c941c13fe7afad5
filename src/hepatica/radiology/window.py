"""Window: the span of Hounsfield units shown as grey, chosen when a volume is read and never burnt in before."""

from dataclasses import dataclass

import numpy as np

from hepatica.cohort.errors import SettingsError


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
