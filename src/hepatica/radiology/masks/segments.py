"""Segments: what every kind of mask file gives, decoded once: numbers and names, and what each of them marks."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hepatica.radiology.dicom.geometry import Geometry

Only = Literal["liver"] | Collection[int] | None
"""What of a mask is wanted: the organ of this name, the labels or segments of these numbers, or whatever is marked."""

LIVER_CODES = frozenset({("10200004", "SCT"), ("T-62000", "SRT"), ("T-62000", "SNM3"), ("7197", "FMA")})
"""The liver as a segmented property type: SNOMED CT, SNOMED RT as DICOM used it before 2018, and FMA."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """A mask as its file has it. `names` of its segments by number, empty where the file has none; `take` gives what is
    wanted of it, (z y x) bool, and the grid of that.
    """

    names: Mapping[int, str]
    take: Callable[[Only], tuple[np.ndarray, Geometry]]
