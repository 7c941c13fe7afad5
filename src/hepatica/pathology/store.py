"""Store: the tiles of a cohort's slides, cut once and kept on disk, or cut whenever they are read; read at random."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort.array_store import ArrayStore, about_file, open_arrays, prepare_files, write_arrays
from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.preparation import Ledger, specimen_key
from hepatica.cohort.specimens import Specimen
from hepatica.cohort.units import TilePixels
from hepatica.learn import Samples
from hepatica.pathology.disk_need import fits
from hepatica.pathology.outlines import region_of
from hepatica.pathology.reader import as_specimen_error
from hepatica.pathology.slide import Slide, open_slide
from hepatica.pathology.slide_files import parts_of
from hepatica.pathology.stain import REFERENCE, StainFit, StainSettings, fit, normalise
from hepatica.pathology.survey import survey
from hepatica.pathology.tiles import Tiling, writing

SCHEMA = 3
"""Version of the tile files; raised whenever the same settings would give other tiles."""

STAIN_TILES = 32
"""Tiles, evenly spread over the slide's tissue, that its stains are learnt from (ours)."""

OPEN_SLIDES = 32
"""Slides that are open at once where tiles are not stored (ours)."""

_CHUNK = 64  # tiles in memory at once
_WORKERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Uncut:
    """Slides (by key) whose tiles are not stored, what was learnt of the stains of each, and how they are cut."""

    slides: Mapping[str, Specimen]
    stains: Mapping[str, StainFit]
    tiling: Tiling
    stain: StainSettings | None
    _open: dict[tuple[int, str], Slide] = field(default_factory=dict, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}  # open slides do not travel to another process

    def read(self, key: str, corners: np.ndarray) -> np.ndarray:
        """Tiles (n side side 3) uint8 of one slide at these corners (n 2)."""
        place = os.getpid(), key  # nor do they to a fork
        if place not in self._open:
            if len(self._open) >= OPEN_SLIDES:
                self._open.pop(next(iter(self._open))).close()
            self._open[place] = _open(self.slides[key], fast=False)
        return _tiles(self._open[place], corners, tiling=self.tiling, stain=self.stain, source=self.stains[key])


@dataclass(frozen=True, kw_only=True, eq=False)
class TileStore(ArrayStore):
    """Tiles of many slides as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a tile, numbered from 0: patient_id, specimen_id, tile (its number within the slide, in raster
    order), x, y (upper left corner) and extent (side), in pixels of the slide's finest level.
    `specimens`: one row a slide: patient_id, specimen_id, key (its file), tiles (how many), mpp, mpp_known (file,
    given, forced), notes (what contradicts it), width, height, extent, left and top (of what QuPath shows), place (of a
    region), and how it looks: tissue_mm2, tissue_share and ink_share (of the slide, 0..1), fold_share and blur_share
    (of the tissue), hue_degrees and saturation (0..1, means of the tissue), haematoxylin_r, _g, _b and eosin_r, _g, _b
    (share of the optical density in each colour, length 1), haematoxylin_peak and eosin_peak (99th percentile of the
    concentration); stains are NaN where they need not be and cannot be learnt.
    Of a region, tissue_mm2, tissue_share, ink_share and colours are those of its tissue, the rest is of its slide.
    `failures`: one row a slide that gave no tiles: patient_id, specimen_id, row (of specimens.csv), error.
    """

    PLACE, KIND = "tile", "tiles"
    side: TilePixels
    uncut: Uncut | None = None

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Tiles of these rows of `index`, in the order asked: (b side side 3) uint8."""
        tiles = np.empty((len(indices), self.side, self.side, 3), np.uint8)
        keys = np.array([self._places[number][0] for number in indices], object)
        for key in pd.unique(keys):
            own = np.flatnonzero(keys == key)
            tiles[own] = self.tiles_of(key, [self._places[number][1] for number in indices[own]])
        return tiles

    def tiles_of(self, key: str, places: Sequence[int] | None = None) -> np.ndarray:
        """Tiles of one file, those of `places` or all: (n side side 3) uint8."""
        file = self.file(key)
        if self.uncut is not None and key in self.uncut.slides:
            corners = file.get_tensor("corners")
            return self.uncut.read(key, corners if places is None else corners[places])
        if places is None:
            return np.asarray(file.get_tensor("tiles"))
        tiles = file.get_slice("tiles")
        return np.stack([tiles[place] for place in places])

    def mean_by_specimen(self, values: np.ndarray) -> pd.DataFrame:
        """Mean over each specimen of its tiles' values (tiles d), indexed by patient_id and specimen_id."""
        owner = pd.MultiIndex.from_frame(self.index[["patient_id", "specimen_id"]])
        return pd.DataFrame(values, index=owner).groupby(level=["patient_id", "specimen_id"], sort=False).mean()

    def labelled(self, label: pd.Series) -> Samples:
        """All tiles of the patients of `label`, which maps patient_id to a class, each with its patient's class."""
        chosen = self.select(patient_ids=label.index)
        return Samples(inputs=chosen, labels=label.loc[chosen.index["patient_id"]].to_numpy(int))


def prepare(
    specimens: Sequence[Specimen],
    *,
    tiling: Tiling,
    stain: StainSettings | None = None,
    folder: Path,
    progress: bool = True,
) -> TileStore:
    """Cut every slide into tiles, once: what is already in `folder` from the same file and settings is not redone.

    With `stain`, the tiles are normalised with one fit a slide. A slide that cannot be used goes, with the reason, into
    the ledger (`folder`/ledger) and into `failures`, and is tried again next time. May be killed at any moment and
    started again; one run at a time to a folder. Files are named by a digest of content and settings.
    Tiles that would take more than half of the free disk are not stored: each is looked at once, and cut again, the
    same to the bit, whenever it is read.
    Raises SpecimenError when no slide gives a tile, UnavailableError when the folder cannot be written (disk full).
    """
    with ThreadPoolExecutor(_WORKERS) as pool:
        found_keys = pool.map(partial(slide_key, tiling=tiling, stain=stain), specimens)
        keys = dict(zip(specimens, found_keys, strict=True))
    missing = [each for each, key in keys.items() if about_file(folder, key) is None]
    stored = fits(missing, tiling=tiling, folder=folder, progress=progress)

    def cut(path: Path, specimen: Specimen) -> None:
        _cut(specimen, tiling=tiling, stain=stain, to=path, stored=stored)

    found, failures = prepare_files(
        keys,
        cut,
        ledger=Ledger(folder / "ledger"),
        label="Cutting slides",
        wanted="slides gave a tile",
        workers=_WORKERS,
        progress=progress,
    )
    corners = [open_arrays(folder, who["key"]).get_tensor("corners") for who, _ in found]
    by_key = {key: each for each, key in keys.items()}
    slides = {who["key"]: by_key[who["key"]] for who, about in found if not about.pop("stored")}
    stains = {who["key"]: _fit_of(about) for who, about in found if who["key"] in slides}
    return TileStore(
        folder=folder,
        side=tiling.side,
        uncut=Uncut(slides=slides, stains=stains, tiling=tiling, stain=stain) if slides else None,
        index=tile_index((who, own, about["extent"]) for (who, about), own in zip(found, corners, strict=True)),
        specimens=pd.DataFrame(
            [who | {"tiles": len(own)} | about for (who, about), own in zip(found, corners, strict=True)]
        ),
        failures=failures,
    )


def tile_index(slides: Iterable[tuple[Mapping[str, Any], np.ndarray, float]]) -> pd.DataFrame:
    """One row a tile: patient_id, specimen_id, tile, x, y and extent; of each slide its names, corners and extent."""
    tables = []
    for who, corners, side in slides:
        names = {name: who[name] for name in ("patient_id", "specimen_id")}
        x, y = corners.T
        tables.append(pd.DataFrame(names | {"tile": np.arange(len(x)), "x": x, "y": y, "extent": side}))
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Where the tiles of an open slide are, what is known of it, and a function from corners (n 2) to tiles."""

    corners: np.ndarray
    about: Mapping[str, Any]
    read: Callable[[np.ndarray], np.ndarray]


@contextmanager
def cutting(specimen: Specimen, *, tiling: Tiling, stain: StainSettings | None) -> Iterator[Cut]:
    """Open a slide, look where its tiles are and learn its stains; SpecimenError where it gives no tile."""
    with _open(specimen) as slide:
        with as_specimen_error(specimen.path):
            corners, about = survey(slide, tiling, region_of(specimen, origin=slide.origin))
            spread = np.linspace(0, len(corners) - 1, min(STAIN_TILES, len(corners))).astype(int)
            stains = _stains(_tiles(slide, corners[spread], tiling=tiling), settings=stain)
        read = partial(_tiles, slide, tiling=tiling, stain=stain, source=stains)
        yield Cut(corners=corners, about=about | _columns(stains), read=read)


def _tiles(
    slide: Slide,
    corners: np.ndarray,
    *,
    tiling: Tiling,
    stain: StainSettings | None = None,
    source: StainFit | None = None,
) -> np.ndarray:
    """The tiles at these corners, stain-normalised where it is known how: (n side side 3) uint8."""
    tiles = np.stack([slide.read((x, y), side=tiling.side, mpp=tiling.mpp) for x, y in corners.tolist()])
    if stain is None or source is None:
        return tiles
    return normalise(tiles, source=source, target=REFERENCE, settings=stain)


def _cut(specimen: Specimen, *, tiling: Tiling, stain: StainSettings | None, to: Path, stored: bool) -> None:
    """Write the tiles, or where they are; either way each is read, so that damage is found here."""
    with cutting(specimen, tiling=tiling, stain=stain) as cut:
        tiles = (cut.read(cut.corners[start : start + _CHUNK]) for start in range(0, len(cut.corners), _CHUNK))
        about = {**cut.about, "stored": stored}
        if stored:
            with writing(to, corners=cut.corners, side=tiling.side, about=about) as append:
                deque(map(append, tiles), maxlen=0)
        else:
            deque(tiles, maxlen=0)
            write_arrays(to, {"corners": cut.corners}, about=about)


def _open(specimen: Specimen, *, fast: bool = True) -> Slide:
    return open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp, fast=fast)


def _stains(tiles: np.ndarray, *, settings: StainSettings | None) -> StainFit:
    """What was learnt of the stains, NaN where they cannot be and need not."""
    try:
        return fit(tiles, settings=settings or StainSettings())
    except SpecimenError:
        if settings:
            raise
        return StainFit(matrix=np.full((2, 3), np.nan), peak=np.full(2, np.nan))


def _columns(stains: StainFit) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, vector, peak in zip(("haematoxylin", "eosin"), stains.matrix, stains.peak, strict=True):
        found |= dict(
            zip((f"{name}_r", f"{name}_g", f"{name}_b", f"{name}_peak"), map(float, (*vector, peak)), strict=True)
        )
    return found


def _fit_of(about: Mapping[str, Any]) -> StainFit:
    """What `_columns` wrote down."""
    rows = [[about[f"{stain}_{name}"] for name in ("r", "g", "b", "peak")] for stain in ("haematoxylin", "eosin")]
    matrix, peak = np.split(np.array(rows), [3], axis=1)
    return StainFit(matrix=matrix, peak=peak[:, 0])


def slide_key(specimen: Specimen, *, tiling: Tiling, stain: StainSettings | None, **further: Any) -> str:
    """Digest of a slide, of how it is cut, and of `further` settings, by which what is made of it is named."""
    target = {name: array.tolist() for name, array in asdict(REFERENCE).items()}
    settings = {
        "schema": SCHEMA,
        "tiling": asdict(tiling),
        "stain": stain and asdict(stain) | {"target": target},
        **further,
    }
    identity, beside = None, [specimen.path]
    try:
        with as_specimen_error(specimen.path), _open(specimen) as slide:
            identity, beside = slide.identity, parts_of(specimen.path)
            settings["slide"] = [slide.mpp, slide.mpp_known, slide.note, slide.levels]
            if region := region_of(specimen, origin=slide.origin):
                settings["region"] = region.digest
    except SpecimenError as error:
        settings["refused"] = str(error)
    return specimen_key(specimen, settings=settings, beside=beside[1:], identity=identity)
