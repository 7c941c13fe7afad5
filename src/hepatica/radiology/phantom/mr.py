"""MR: a phantom patient's liver in nine MR series, with the truth mask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.uid import MRImageStorage
from scipy import ndimage
from scipy.spatial.transform import Rotation

from hepatica.cohort.phantom import FOCAL_LESIONS, Patient, phantom_cohort
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.phantom.dicom import Stored
from hepatica.radiology.phantom.enhancement import Tissue
from hepatica.radiology.phantom.mr_signal import DYNAMIC, PICTURES, SIGNAL, mr_palette, weighted
from hepatica.radiology.phantom.noise import smooth_noise
from hepatica.radiology.phantom.render import Scans
from hepatica.radiology.phantom.settings import STANDARD_MR, PhantomSettings
from hepatica.radiology.phantom.shapes import Grid
from hepatica.radiology.phantom.study import Study, draw_body

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
