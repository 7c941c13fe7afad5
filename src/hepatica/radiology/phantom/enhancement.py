"""Enhancement: Hounsfield units of every tissue in every contrast phase.

The liver rises about 50 HU above plain in the portal venous phase, as Herts et al. measured 60 s after 40 g of iodine
(AJR 1995;164:327: 50 HU). All other values are ours: round numbers in the order in which contrast reaches the organs
(Bae, Radiology 2010;256:32, doi 10.1148/radiol.10090908, reviews the physiology; none was copied from there).
"""

from collections.abc import Mapping
from enum import IntEnum, auto

import numpy as np

PHASES = ("plain", "arterial", "portal venous", "delayed")
"""In the order of scanning; every array of phases has this order."""

Curve = tuple[float, ...]
"""A value a picture: of CT, Hounsfield units in each of PHASES."""


class Tissue(IntEnum):
    """What a voxel of the phantom is made of."""

    AIR = 0
    TABLE = auto()
    SKIN = auto()
    FAT = auto()
    MUSCLE = auto()
    BONE = auto()
    DISC = auto()
    SPINAL_CANAL = auto()
    LUNG = auto()
    HEART = auto()
    BOWEL = auto()
    STOMACH = auto()
    GAS = auto()
    PANCREAS = auto()
    SPLEEN = auto()
    KIDNEY_CORTEX = auto()
    KIDNEY_MEDULLA = auto()
    LIVER = auto()
    GALLBLADDER = auto()
    AORTA = auto()
    VENA_CAVA = auto()
    PORTAL_VEIN = auto()
    HEPATIC_VEIN = auto()
    TUMOUR_THROMBUS = auto()


ATTENUATION: Mapping[Tissue, Curve] = {
    Tissue.AIR: (-1000, -1000, -1000, -1000),
    Tissue.TABLE: (-350, -350, -350, -350),
    Tissue.SKIN: (10, 12, 15, 15),
    Tissue.FAT: (-102, -101, -100, -100),
    Tissue.MUSCLE: (52, 57, 63, 62),
    Tissue.BONE: (260, 265, 270, 270),
    Tissue.DISC: (85, 87, 90, 90),
    Tissue.SPINAL_CANAL: (25, 27, 30, 30),
    Tissue.LUNG: (-850, -840, -835, -840),
    Tissue.HEART: (42, 190, 145, 115),
    Tissue.BOWEL: (35, 60, 75, 62),
    Tissue.STOMACH: (12, 14, 15, 15),
    Tissue.GAS: (-950, -950, -950, -950),
    Tissue.PANCREAS: (42, 102, 95, 78),
    Tissue.SPLEEN: (48, 120, 124, 102),
    Tissue.KIDNEY_CORTEX: (33, 175, 188, 160),
    Tissue.KIDNEY_MEDULLA: (33, 80, 172, 175),
    Tissue.LIVER: (57, 72, 110, 97),
    Tissue.GALLBLADDER: (8, 8, 8, 9),
    Tissue.AORTA: (42, 300, 160, 122),
    Tissue.VENA_CAVA: (40, 95, 148, 122),
    Tissue.PORTAL_VEIN: (41, 120, 178, 130),
    Tissue.HEPATIC_VEIN: (41, 62, 168, 128),
    Tissue.TUMOUR_THROMBUS: (46, 105, 88, 74),
}


def later(curve: Curve, *, share: float) -> Curve:
    """The curve of a hospital that scans later: each enhanced phase has gone `share` of the way to the next one.

    One value is that of all phases.
    """
    if len(curve) == 1:
        return curve
    plain, arterial, portal, delayed = curve
    return plain, arterial + share * (portal - arterial), portal + share * (delayed - portal), delayed


def curves(*, late: float) -> np.ndarray:
    """(tissue, phase) float32 Hounsfield units of every Tissue."""
    return np.array([later(ATTENUATION[tissue], share=late) for tissue in Tissue], dtype=np.float32)


def in_pictures(labels: np.ndarray, tissues: np.ndarray) -> np.ndarray:
    """(picture, z, y, x) float32 values of a (z, y, x) map of Tissue, by those of `tissues` (tissue, picture)."""
    return np.stack([of_picture[labels] for of_picture in tissues.T])
