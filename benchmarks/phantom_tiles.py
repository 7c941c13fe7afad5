"""Phantom tiles: as many tiles as a paper's cohort has, in seconds, cut and flipped out of a few phantom pictures."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
from einops import rearrange

from hepatica.cohort import TilePixels, TimeToEvent, confident_patients
from hepatica.cohort.phantom import RESECTED, draw_patients, patient_table
from hepatica.pathology.phantom.histology import draw_tissue
from hepatica.pathology.phantom.layout import STANDARD
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain
from hepatica.pathology.store import TileStore
from hepatica.pathology.tiles import writing

RECURRENCE = TimeToEvent(name="recurrence", time="recurrence_months", event="recurrence_event")
SURVIVAL = TimeToEvent(name="survival", time="overall_survival_months", event="overall_survival_event")
EDGE = STANDARD.side // 6
"""Pixels of a picture beyond which lies glass."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much there is of everything; the paper's numbers, but for `pictures`. One or two images a patient."""

    patients: int = 366
    images: int = 724
    tiles: int = 65
    side: int = 224
    pictures: int = 16


@dataclass(frozen=True, kw_only=True)
class PhantomTiles:
    """`pixels` (n, h, w, c) uint8, image after image; `owner` (n,) the row of `patients` that each tile is of."""

    size: Size
    patients: pd.DataFrame
    owner: np.ndarray
    pixels: np.ndarray

    def subset(self, ratio: Fraction) -> tuple[np.ndarray, np.ndarray]:
        """Number and label of each tile of the denoised subset."""
        relapse = RECURRENCE.label(self.patients, horizon=None)
        chosen = confident_patients(relapse, patients=self.patients, survival=SURVIVAL, ratio=ratio)
        rows = np.flatnonzero(self.patients.index.isin(chosen)[self.owner])
        return rows, relapse.to_numpy(int)[self.owner[rows]]

    def store(self, folder: Path, rows: np.ndarray) -> TileStore:
        """Write all tiles as tile files, one an image; returns the store of those patients that `rows` are of."""
        size, names = self.size, [f"{number:04d}" for number in range(self.size.images)]
        corners = np.zeros((size.tiles, 2), np.int64)
        for name, tiles in zip(names, rearrange(self.pixels, "(i t) h w c -> i t h w c", t=size.tiles), strict=True):
            with writing(folder / f"{name}.safetensors", corners=corners, side=size.side, about={}) as append:
                append(tiles)
        who = {"specimen_id": np.repeat(names, size.tiles), "patient_id": self.patients.index[self.owner]}
        whole = TileStore(
            folder=folder,
            side=TilePixels(size.side),
            index=pd.DataFrame(who | {"tile": np.tile(np.arange(size.tiles), size.images)}),
            specimens=pd.DataFrame(who).drop_duplicates().assign(key=names),
            failures=pd.DataFrame({"patient_id": []}),
        )
        return whole.select(patient_ids=self.patients.index[np.unique(self.owner[rows])])


def phantom_tiles(size: Size) -> PhantomTiles:
    """Simulate the follow-up; cut each patient's tiles out of the picture whose grade is nearest to his."""
    rng = np.random.default_rng(0)
    people = draw_patients(size.patients, population=RESECTED)
    patients = patient_table(people).set_index("patient_id")
    grades = np.linspace(-2, 2, size.pictures)
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(_picture, grades))
    owner = np.repeat(np.sort(np.arange(size.images) % size.patients), size.tiles)
    nearest = np.abs(np.subtract.outer([each.tumour.aggressiveness for each in people], grades)).argmin(axis=1)
    corners = rng.integers(EDGE, STANDARD.side - EDGE - size.side, (len(owner), 2))
    steps = rng.choice([-1, 1], (len(owner), 2))
    pixels = np.empty((len(owner), size.side, size.side, 3), np.uint8)
    for tile, number, (y, x), (down, right) in zip(pixels, nearest[owner], corners, steps, strict=True):
        tile[:] = pictures[number][y : y + size.side, x : x + size.side][::down, ::right]
    return PhantomTiles(size=size, patients=patients, owner=owner, pixels=pixels)


def _picture(grade: float) -> np.ndarray:
    """One core, (side, side, 3) uint8."""
    rng, hospital = np.random.default_rng(0), HOSPITALS["A"]
    uptake = draw_tissue(rng, grade=grade, effect=1.0, settings=STANDARD)
    return photograph(uptake, rng=rng, hospital=hospital, staining=stain(rng, hospital=hospital))
