"""Applicability: how many specimens of another phantom hospital are called unusual, and how many foreign files.

    HEPATICA_DATA=../shared/data .venv/bin/python benchmarks/applicability.py FOLDER [--rooms slide,ct,spectrum]

Phantom hospital A is the domain, hospital B should lie in it. Foreign files are real ones of HEPATICA_DATA, each
varied 100 times (seed 0): crops and stains of a slide, noise, offset and choice of slices of a CT series. Phantoms and
prepared specimens stay in FOLDER; no network is trained, for none is asked. Prints a row a kind: how many independent
files, how many specimens, how many of them in the domain, unusual, or not assessable.
"""

import argparse
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pydicom
from PIL import Image

from hepatica.cohort import HepaticaError, load_cohort
from hepatica.cohort.applicability import Domain, judge, learn_domain
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.runs.inputs import read_inputs
from hepatica.systems import find_system

DATA = Path(os.environ.get("HEPATICA_DATA", "../shared/data"))
CASES = DATA.parent / "cases"
VARIANTS = 100
SYSTEMS = {"slide": "li_2025_cnn_sasm", "ct": "wang_2021_hccnet", "spectrum": "bae_2025_ccnn"}
PATIENTS = {"slide": (60, 40), "ct": (60, 40), "spectrum": (60, 40)}


class Room:
    """The room of one modality and the phantom hospitals that show what it usually sees."""

    def __init__(self, modality: str, folder: Path) -> None:
        self.modality, self.folder, self.system = modality, folder / modality, find_system(SYSTEMS[modality])
        self.settings = self.system.quick
        for seed, (hospital, patients) in enumerate(zip("AB", PATIENTS[modality], strict=True)):
            self.system.phantom(self.folder / hospital, patients=patients, hospital=hospital, seed=seed)
        self.domain: Domain = learn_domain(self.measured(self.folder / "A"), tolerances=self.system.room.tolerances)

    def material(self, cohort: Any) -> Any:
        """Prepared specimens."""
        return self.system.prepare(cohort, self.settings, self.folder / "prepared")

    def measured(self, folder: Path) -> Any:
        """What a cohort's specimens measure."""
        return self.system.room.measure(self.material(load_cohort(folder)))

    def judged(self, paths: Iterable[Path], *, mpp: float | None = None) -> Counter[str]:
        """How many of these files are what; those that cannot be prepared are not assessable."""
        found: Counter[str] = Counter()
        for path in paths:
            try:
                table = self.system.room.measure(self.material(read_inputs([path], modality=self.modality, mpp=mpp)))
                found.update(judge(table, domain=self.domain)["applicability"])
            except HepaticaError:
                found["not_assessable"] += 1
        return found


def show(kind: str, files: int, found: Mapping[str, int]) -> None:
    """Print one row."""
    total = sum(found.values())
    caught = 1 - found.get("in_domain", 0) / total
    cells = " ".join(f"{found.get(name, 0):5d}" for name in ("in_domain", "unusual", "not_assessable"))
    print(f"{kind:44s} {files:5d} {total:9d} {cells}   {caught:6.1%} not in domain", flush=True)


def slides(room: Room) -> None:
    """Crops of a real slide of skin, as they are and in other stains; pen; blank glass; a target of unknown organ."""
    rng, made = np.random.default_rng(0), room.folder / "foreign"
    made.mkdir(exist_ok=True)
    slide = openslide.OpenSlide(DATA / "pathology" / "CMU-1-Small-Region.svs")
    skin = np.asarray(slide.read_region((0, 0), 0, slide.dimensions).convert("RGB"))
    pen = np.asarray(Image.open(CASES / "pathology" / "no-tissue-green-pen.png").convert("RGB"))

    def stained() -> np.ndarray:
        return np.uint8(255 * (np.maximum(crop(skin, 1100, rng), 1) / 255) ** rng.uniform(0.7, 1.4, 3))

    def marked() -> np.ndarray:
        side = int(min(pen.shape[:2]) * rng.uniform(0.5, 1))
        return np.asarray(Image.fromarray(crop(pen, side, rng)).resize((1400, 1400)))

    def blank() -> np.ndarray:
        noise = rng.normal(0, rng.uniform(0, 4), (1400, 1400, 3))
        return np.uint8(np.clip(rng.uniform(225, 250) + noise, 0, 255))

    kinds = {"skin_crop": lambda: crop(skin, 1100, rng), "skin_stain": stained, "pen": marked, "blank": blank}
    for kind, draw in kinds.items():
        paths = [made / f"{kind}_{number:03d}.png" for number in range(VARIANTS)]
        for path in paths:
            Image.fromarray(draw()).save(path)
        show(f"{kind.replace('_', ', ')} variants", 1, room.judged(paths, mpp=0.499))
    show("skin: the file", 1, room.judged([DATA / "pathology" / "CMU-1-Small-Region.svs"]))
    show("stain target, organ unknown", 1, room.judged([DATA / "pathology" / "tiatoolbox_target_image.png"], mpp=0.5))


def crop(pixels: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A square of a picture (h w 3)."""
    y, x = (rng.integers(0, length - side + 1) for length in pixels.shape[:2])
    return pixels[y : y + side, x : x + side]


def ct(room: Room) -> None:
    """A real head CT and its variants; MR, ultrasound, a picture; real CT of the liver, which should be scored."""
    radiology = DATA / "radiology"
    show("head CT: variants, its slice 12 times", 1, room.judged(heads(room.folder / "foreign")))
    for name, path in {
        "head CT: the file": "pydicom/693_J2KR.dcm",
        "MR of the abdomen, NIfTI": "totalsegmentator/example_mr_sm.nii.gz",
        "ultrasound": "pydicom/US1_UNCR.dcm",
        "ultrasound, other": "pydicom/gdcm-US-ALOKA-16.dcm",
        "liver CT as JPEG": "lilnet/case_1",
        "liver CT: DICOM (should be in the domain)": "totalsegmentator/dicom",
        "abdominal CT: NIfTI (should be in the domain)": "totalsegmentator/example_ct.nii.gz",
        "liver CT: 3 slices (should be in the domain)": "dcmqi",
    }.items():
        show(name, 1, room.judged([radiology / path]))
    liver = room.material(read_inputs([radiology / "totalsegmentator" / "dicom"], modality="ct"))
    show("liver CT: variants (should be in the domain)", 1, varied(room, liver))


def heads(folder: Path) -> list[Path]:
    """NIfTI files of 12 noisy copies of the one slice of a head at hand, shifted, 5 mm apart."""
    folder.mkdir(exist_ok=True)
    slice_ = pydicom.dcmread(DATA / "radiology" / "pydicom" / "693_J2KR.dcm")
    values = slice_.pixel_array * float(slice_.RescaleSlope) + float(slice_.RescaleIntercept)
    rng, paths = np.random.default_rng(0), []
    for number in range(VARIANTS):
        moved = np.roll(values, rng.integers(-40, 41, 2), axis=(0, 1))
        volume = np.tile(moved, (12, 1, 1)) + rng.normal(0, rng.uniform(1, 20), (12, *moved.shape))
        geometry = Geometry(shape=volume.shape, spacing=(5.0, *map(float, slice_.PixelSpacing)), origin=(0.0, 0.0, 0.0))
        paths.append(folder / f"head_{number:03d}.nii.gz")
        write_nifti(paths[-1], values=np.maximum(volume, -1024).astype(np.float32), geometry=geometry)
    return paths


def varied(room: Room, store: Any) -> Counter[str]:
    """Noise of SD 0 to 20 HU, an offset of -10 to 10 HU and a random half of the slices, of one study."""
    rng, found = np.random.default_rng(0), Counter[str]()

    class Varied:
        specimens = store.specimens

        def __init__(self) -> None:
            kept = np.sort(rng.choice(len(store), max(1, len(store) // 2), replace=False))
            self.index = store.index.iloc[kept].reset_index(drop=True)
            values = store.stored(kept).astype(float)
            self.values = values + rng.normal(0, rng.uniform(0, 20), values.shape) + rng.uniform(-10, 10)

        def stored(self, indices: np.ndarray) -> np.ndarray:
            return np.asarray(self.values[indices], np.int16)

    for _ in range(VARIANTS):
        found.update(judge(room.system.room.measure(Varied()), domain=room.domain)["applicability"])
    return found


def spectra(room: Room) -> None:
    """Real spectra of brain, and their water reference."""
    for path in sorted((DATA / "spectroscopy").rglob("*")):
        if re.fullmatch(r".*\.(sdat|rda|ima)", path.name, re.IGNORECASE):
            show(f"brain or phantom: {path.name}", 1, room.judged([path]))


def main() -> None:
    """Print a row a kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rooms", default="slide,ct,spectrum")
    given = parser.parse_args()
    print(f"{'kind':44s} files specimens  in domain, unusual, not assessable")
    for modality in given.rooms.split(","):
        room = Room(modality, given.folder)
        found = judge(room.measured(room.folder / "B"), domain=room.domain)["applicability"]
        show(f"{modality}: phantom hospital B (should be in)", len(found), Counter(found))
        {"slide": slides, "ct": ct, "spectrum": spectra}[modality](room)


if __name__ == "__main__":
    main()
