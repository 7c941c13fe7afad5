"""MR: a phantom patient's liver in nine MR series, with the truth mask.

MR signal: what every tissue and lesion of the phantom looks like in each MR picture, and what is diffusion-weighted.

Signal is in units in which liver before contrast is 100, but for T2 and b = 0, which are their own; the apparent
diffusion coefficient (ADC) is in 1e-5 mm2/s. All T1-weighted pictures suppress fat. Numbers are ours, round ones in the
order that radiology textbooks give, such as: gadoxetate is taken up by hepatocytes, so that liver and focal nodular
hyperplasia are bright in the hepatobiliary picture and whatever has none is dark (Van Beers et al., doi
10.1016/j.jhep.2012.03.016); water is bright on T2 (cyst, then hemangioma, then malignant tumours a little); cells
packed densely hinder diffusion (malignant tumours, pus), and fluid does not (Taouli and Koh, doi
10.1148/radiol.09090021). MVI: a low ADC, and less uptake of gadoxetate around the tumour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import MRImageStorage
from scipy import ndimage
from scipy.spatial.transform import Rotation

from hepatica.cohort.phantom import FOCAL_LESIONS, Patient, phantom_cohort
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.phantom.dicom import Stored
from hepatica.radiology.phantom.enhancement import Curve, Tissue
from hepatica.radiology.phantom.lesions import TREATED, Look, Palette
from hepatica.radiology.phantom.render import Scans
from hepatica.radiology.phantom.scanner import STANDARD_MR, PhantomSettings, smooth_noise
from hepatica.radiology.phantom.shapes import Grid
from hepatica.radiology.phantom.study import Study, draw_body

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


_TEXTURE = np.array([0.5, 0.8, 1.0, 1.0, 1.0, 0.6, 0.3], dtype=np.float32)  # how plainly PICTURES show fibrosis
_BIAS_MM = 150.0  # grain of how unevenly coils receive
_BITS = 12

_T1 = {
    "ScanningSequence": "GR", "SequenceVariant": "SP", "ScanOptions": "FS", "MRAcquisitionType": "3D",
    "RepetitionTime": 3.9, "EchoTime": 1.4, "FlipAngle": 10, "EchoTrainLength": 1,
}  # fmt: skip
_T2 = {
    "ScanningSequence": "SE", "SequenceVariant": "SK", "ScanOptions": "FS", "MRAcquisitionType": "2D",
    "RepetitionTime": 2800, "EchoTime": 84, "FlipAngle": 120, "EchoTrainLength": 29,
}  # fmt: skip
_DWI = {
    "ScanningSequence": ["EP", "SE"], "SequenceVariant": "SK", "ScanOptions": "FS", "MRAcquisitionType": "2D",
    "RepetitionTime": 6200, "EchoTime": 62, "FlipAngle": 90, "EchoTrainLength": 70,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """An MR scanner and how it is used.

    `gain`: stored units for one of signal, about: T1, T2 and diffusion have their own. `noise`: standard deviation of
    signal; `bias`: that of the logarithm of what coils receive; `tilt`: degrees from axial, about x and z. `names`:
    what each series is called; `seconds`: when it begins after injection.
    """

    model: str
    tesla: float
    gain: float
    noise: float
    bias: float
    blur_mm: float
    tilt: tuple[float, float]
    names: tuple[str, ...]
    seconds: tuple[int, ...]


SERIES = (*PICTURES[:-1], "dwi_b0", "dwi_b100", "dwi_b600")
"""In the order of `names` and `seconds`."""

SCANNERS: Mapping[str, Scanner] = {
    "A": Scanner(
        model="phantom 3T", tesla=3.0, gain=3.0, noise=5.0, bias=0.10, blur_mm=0.8, tilt=(0.0, 0.0),
        names=(
            "T1 VIBE fs pre", "T1 VIBE fs arterial", "T1 VIBE fs portal venous", "T1 VIBE fs delayed",
            "T1 VIBE fs hepatobiliary 20 min", "T2 TSE fs", "DWI b0", "DWI b100", "DWI b600",
        ),
        seconds=(-60, 22, 65, 180, 1200, -400, -300, -290, -280),
    ),
    "B": Scanner(
        model="phantom 1.5T", tesla=1.5, gain=1.6, noise=8.0, bias=0.18, blur_mm=1.2, tilt=(7.0, 4.0),
        names=(
            "LAVA pre", "LAVA AP", "LAVA PVP", "LAVA 3 min", "LAVA 15 min", "FRFSE T2 fatsat", "DWI 0", "DWI 100",
            "DWI 600",
        ),
        seconds=(-120, 28, 75, 200, 900, -600, -480, -470, -460),
    ),
}  # fmt: skip
"""The MR scanners of the two hospitals."""


@dataclass(frozen=True, kw_only=True)
class MR(Scans):
    """One zip of DICOM files a patient, all series together.

    Difficulty takes contrast from the lesions and adds noise; hospitals A and B scan differently, B obliquely.
    """

    modality, root, code, made = "mr", "mr", "MR", "MR pictures"
    truth = "masks_mr"
    hidden = (truth,)
    population = FOCAL_LESIONS
    hospitals = SCANNERS
    read = True
    settings: PhantomSettings = STANDARD_MR

    def study(
        self, rng: np.random.Generator, patient: Patient, *, hospital: str, difficulty: float, **how: Any
    ) -> Study:
        """All series of one patient in one breath-hold."""
        scanner, settings = SCANNERS[hospital], self.settings
        tissues = np.array([SIGNAL[tissue] for tissue in Tissue], dtype=np.float32)
        effect = 1 - settings.contrast_lost_when_hard * difficulty
        pictures, mask, grid = draw_body(
            rng, patient, settings=settings, palette=mr_palette(), effect=effect, texture=_TEXTURE, tissues=tissues,
            flat_table=True, **how,
        )  # fmt: skip
        noise = scanner.noise * (1 + settings.noise_added_when_hard * difficulty)
        signal = np.stack(list(weighted(pictures).values()))
        groups = np.split(signal, (len(DYNAMIC), len(DYNAMIC) + 1))
        values = np.concatenate([_scan(rng, each, scanner=scanner, noise=noise, grid=grid) for each in groups])
        return Study(values=values, mask=mask, geometry=_tilted(grid.geometry, scanner.tilt))

    def stored(self, study: Study, *, hospital: str, injected: datetime) -> list[Stored]:
        """The series of a study."""
        scanner = SCANNERS[hospital]
        common = {
            "SOPClassUID": MRImageStorage, "Modality": "MR", "ManufacturerModelName": scanner.model,
            "MagneticFieldStrength": scanner.tesla, "ImageType": ["ORIGINAL", "PRIMARY", "M"],
            "WindowCenter": str(round(200 * scanner.gain)), "WindowWidth": str(round(400 * scanner.gain)),
        }  # fmt: skip
        return [
            Stored(
                name=name,
                description=called,
                pixels=pixels,
                begun=injected + timedelta(seconds=seconds),
                agent="Gadoxetate disodium" if seconds > 0 else "",
                elements=common | _weighting(name),
            )
            for name, called, seconds, pixels in zip(SERIES, scanner.names, scanner.seconds, study.values, strict=True)
        ]


def phantom_mr(folder: Path, *, settings: PhantomSettings = STANDARD_MR, **options: Any) -> Path:
    """Write a cohort of phantom patients with MR; `options` and what is raised are those of `phantom_cohort`."""
    return phantom_cohort(folder, renderers=(MR(settings=settings),), **options)


def _weighting(name: str) -> dict[str, Any]:
    if name.startswith("dwi"):
        return _DWI | {"DiffusionBValue": float(name.removeprefix("dwi_b"))}
    return _T2 if name == "t2" else _T1


def _scan(rng: np.random.Generator, signal: np.ndarray, *, scanner: Scanner, noise: float, grid: Grid) -> np.ndarray:
    """(series, z, y, x) uint16 as stored, of series received alike and unevenly: blurred, with Rician noise."""
    blur = float(np.hypot(0.5, scanner.blur_mm / grid.pixel))
    uneven = np.exp(scanner.bias * smooth_noise(rng, shape=grid.shape, grain=grid.grain(_BIAS_MM)))
    clean = ndimage.gaussian_filter(signal * uneven, sigma=(0, 0, blur, blur), truncate=3)
    real, imaginary = noise * rng.standard_normal((2, *signal.shape), dtype=np.float32)
    gain = scanner.gain * np.exp(0.1 * rng.standard_normal())
    return np.asarray(np.rint(gain * np.hypot(clean + real, imaginary)).clip(0, 2**_BITS - 1), dtype=np.uint16)


def _tilted(geometry: Geometry, tilt: tuple[float, float]) -> Geometry:
    """The same grid turned about the middle of the scan, as if the patient lay straight in oblique planes."""
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xz", tilt, degrees=True).as_matrix()
    return from_lps(turn @ geometry.lps, shape=geometry.shape)
