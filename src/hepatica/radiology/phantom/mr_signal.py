"""MR signal: what every tissue and lesion of the phantom looks like in each MR picture, and what is diffusion-weighted.

Signal is in units in which liver before contrast is 100, but for T2 and b = 0, which are their own; the apparent
diffusion coefficient (ADC) is in 1e-5 mm2/s. All T1-weighted pictures suppress fat. Numbers are ours, round ones in the
order that radiology textbooks give, such as: gadoxetate is taken up by hepatocytes, so that liver and focal nodular
hyperplasia are bright in the hepatobiliary picture and whatever has none is dark (Van Beers et al., doi
10.1016/j.jhep.2012.03.016); water is bright on T2 (cyst, then hemangioma, then malignant tumours a little); cells
packed densely hinder diffusion (malignant tumours, pus), and fluid does not (Taouli and Koh, doi
10.1148/radiol.09090021). MVI: a low ADC, and less uptake of gadoxetate around the tumour.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from hepatica.radiology.phantom.enhancement import Curve, Tissue
from hepatica.radiology.phantom.lesions import TREATED, Look, Palette

DYNAMIC = ("pre", "arterial", "portal venous", "delayed", "hepatobiliary")
"""T1-weighted with fat suppression, before gadoxetate and after it; the first pictures of every curve."""

PICTURES = (*DYNAMIC, "t2", "adc")
"""In the order of every curve here. Diffusion-weighted pictures are made of the last two."""

B_VALUES = (0, 100, 600)
"""s/mm2, as in Wang 2021 (doi 10.1016/j.acra.2020.11.014)."""

_SINGLE_SHOT = 1.4  # signal of b = 0 for one of T2

SIGNAL: Mapping[Tissue, Curve] = {
    Tissue.AIR: (0, 0, 0, 0, 0, 0, 100),
    Tissue.TABLE: (0, 0, 0, 0, 0, 0, 100),
    Tissue.SKIN: (60, 65, 70, 70, 70, 30, 100),
    Tissue.FAT: (28, 28, 28, 28, 28, 18, 40),
    Tissue.MUSCLE: (82, 92, 105, 105, 95, 32, 140),
    Tissue.BONE: (38, 45, 50, 50, 45, 35, 60),
    Tissue.DISC: (55, 58, 62, 62, 60, 60, 130),
    Tissue.SPINAL_CANAL: (32, 33, 35, 35, 35, 290, 300),
    Tissue.LUNG: (6, 8, 8, 8, 7, 4, 100),
    Tissue.HEART: (75, 300, 220, 170, 110, 40, 180),
    Tissue.BOWEL: (60, 90, 110, 110, 100, 110, 170),
    Tissue.STOMACH: (35, 36, 37, 37, 37, 210, 260),
    Tissue.GAS: (2, 2, 2, 2, 2, 2, 100),
    Tissue.PANCREAS: (130, 235, 190, 160, 135, 75, 145),
    Tissue.SPLEEN: (70, 190, 170, 140, 95, 140, 85),
    Tissue.KIDNEY_CORTEX: (85, 285, 290, 250, 190, 120, 195),
    Tissue.KIDNEY_MEDULLA: (68, 120, 270, 260, 210, 135, 190),
    Tissue.LIVER: (100, 122, 172, 178, 225, 60, 115),
    Tissue.GALLBLADDER: (45, 45, 45, 45, 120, 310, 290),
    Tissue.AORTA: (62, 420, 260, 200, 110, 10, 200),
    Tissue.VENA_CAVA: (62, 130, 240, 200, 110, 15, 200),
    Tissue.PORTAL_VEIN: (62, 150, 285, 210, 110, 20, 200),
    Tissue.HEPATIC_VEIN: (62, 95, 260, 205, 110, 20, 200),
    Tissue.TUMOUR_THROMBUS: (68, 165, 140, 115, 85, 105, 95),
}

_CAPSULE = (78, 115, 195, 205, 105, 58, 110)
_ATYPICAL = Look(body=(88, 118, 152, 140, 120, 92, 100))
_HCC = Look(body=(82, 200, 150, 125, 100, 108, 92), rim=_CAPSULE, rim_share=0.08, mottle=8, lobulation=0.1)

LOOKS: Mapping[str, Look] = {
    "hcc": _HCC,  # no hepatocytes that take gadoxetate up, dense cells
    "cholangiocarcinoma": Look(  # fibrous centre that fills late, bright rim of dense cells
        body=(74, 95, 135, 168, 95, 120, 120), rim=(78, 190, 170, 150, 85, 130, 92), rim_share=0.15, lobulation=0.2
    ),
    "metastasis": Look(
        body=(72, 95, 125, 122, 80, 128, 98), rim=(76, 185, 150, 125, 82, 125, 90),
        core=(58, 60, 68, 72, 68, 190, 170), rim_share=0.18, core_share=0.4,
    ),
    "sarcoma": Look(
        body=(68, 120, 150, 155, 85, 150, 115), core=(50, 52, 58, 60, 58, 230, 210), core_share=0.5, mottle=18,
        lobulation=0.2,
    ),
    "hemangioma": Look(  # stagnant blood: bright on T2, fills from the rim
        body=(62, 68, 110, 190, 125, 220, 190), rim=(62, 340, 290, 205, 125, 215, 185), rim_share=0.4, nodular=True,
        mottle=3,
    ),
    "focal nodular hyperplasia": Look(  # hepatocytes: takes gadoxetate up
        body=(97, 300, 205, 190, 240, 68, 130), core=(78, 95, 140, 205, 140, 125, 150), core_share=0.3, lobulation=0.14
    ),
    "angioleiomyolipoma": Look(body=(48, 190, 135, 110, 85, 50, 110), mottle=22),  # fat, which is suppressed
    "adenoma": Look(body=(104, 225, 185, 170, 130, 82, 125), mottle=12, lobulation=0.05),
    "abscess": Look(  # pus: bright on T2 and dense
        body=(52, 53, 55, 57, 56, 205, 65), rim=(68, 150, 200, 210, 110, 120, 130), rim_share=0.22, lobulation=0.2
    ),
    "cyst": Look(body=(36, 36, 36, 36, 36, 320, 300), mottle=0, lobulation=0.04, fluid=True),
    "neuroendocrine": Look(
        body=(74, 260, 190, 160, 85, 140, 100), rim=(76, 290, 205, 165, 85, 138, 98), rim_share=0.15
    ),
    "dysplastic nodule": Look(body=(122, 128, 172, 172, 195, 50, 118), mottle=5),
    TREATED: Look(body=(95, 95, 96, 96, 92, 70, 170), mottle=12),
}  # fmt: skip
"""Every kind of lesion that CT shows, with the reason where it is not that of the first lines above."""


@cache
def mr_palette() -> Palette:
    """Of MR."""
    return Palette(
        looks=LOOKS,
        atypical=_ATYPICAL,
        liver=SIGNAL[Tissue.LIVER],
        dynamic=len(DYNAMIC),
        halo=(0, 60, 0, 0, -70, 0, 0),
        invaded=(0, 0, 0, 0, 0, 0, -25),
        gas=0,
    )


def weighted(pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Signal (z, y, x) by name, of (PICTURES, z, y, x): the first ones as they are, and `dwi_b` for each of B_VALUES.

    S = S0 exp(-b ADC), S0 of a single shot following T2.
    """
    *plain, adc = pictures
    seen = dict(zip(PICTURES, plain, strict=False))
    return seen | {f"dwi_b{b}": _SINGLE_SHOT * seen["t2"] * np.exp(-b * 1e-5 * adc) for b in B_VALUES}
