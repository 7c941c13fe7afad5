"""Store: the tiles of a cohort's slides, cut once, kept on disk and read at random."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort.errors import SpecimenError, UnavailableError
from hepatica.cohort.ledger import Ledger
from hepatica.cohort.preparation import gather, prepare_each, selected, specimen_key
from hepatica.cohort.specimens import Specimen
from hepatica.cohort.units import TilePixels
from hepatica.learn import Samples
from hepatica.pathology.slide import Slide, extent, open_slide
from hepatica.pathology.stain import REFERENCE, StainSettings, fit, normalise
from hepatica.pathology.tile_file import TileFile, open_tiles, writing
from hepatica.pathology.tiles import Tiling, grid
from hepatica.pathology.tissue import tissue_mask

SCHEMA = 1
"""Version of the tile files; raised whenever the same settings would give other tiles."""

MASK_MPP = 8.0
"""Micrometres per pixel of the thumbnail that tissue is looked for on (ours): a tile of 112 um has 14 x 14 of them."""

MASK_SIDES = (512, 4096)
"""Shortest and longest longer side of that thumbnail (ours)."""

COARSEST = 2.0
"""A slide more than this many times coarser than the tiles wanted is refused (ours): it would only be enlarged blur."""

STAIN_TILES = 32
"""Tiles, evenly spread over the slide's tissue, that its stains are learnt from (ours)."""

_CHUNK = 64  # tiles in memory at once
_WORKERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class TileStore:
    """Tiles of many slides as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `index`: one row a tile, numbered from 0: patient_id, specimen_id, tile (its number within the slide, in raster
    order), x, y (upper left corner) and extent (side), in pixels of the slide's finest level.
    `specimens`: one row a slide: patient_id, specimen_id, key (its file), tiles (how many), mpp, width, height, extent;
    where stains are normalised, also what was learnt of them: haematoxylin_r, _g, _b and eosin_r, _g, _b (share of the
    optical density in each colour, length 1), haematoxylin_peak and eosin_peak (99th percentile of the concentration).
    `failures`: one row a slide that gave no tiles: patient_id, specimen_id, row (of specimens.csv), error.
    """

    folder: Path
    side: TilePixels
    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame
    _open: dict[str, TileFile] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def _places(self) -> list[tuple[str, int]]:
        keys = self.specimens.set_index("specimen_id")["key"]
        return list(zip(keys.loc[self.index["specimen_id"]], self.index["tile"].tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.index)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}  # open files do not travel to another process

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Tiles of these rows of `index`, in the order asked: (b side side 3) uint8."""
        tiles = np.empty((len(indices), self.side, self.side, 3), np.uint8)
        for tile, number in zip(tiles, indices, strict=True):
            key, place = self._places[number]
            tile[:] = self._file(key)[place]
        return tiles

    def mean_by_specimen(self, values: np.ndarray) -> pd.DataFrame:
        """Mean over each specimen of its tiles' values (tiles d), indexed by patient_id and specimen_id."""
        owner = pd.MultiIndex.from_frame(self.index[["patient_id", "specimen_id"]])
        return pd.DataFrame(values, index=owner).groupby(level=["patient_id", "specimen_id"], sort=False).mean()

    def select(
        self, *, patient_ids: Iterable[str] | None = None, specimen_ids: Iterable[str] | None = None
    ) -> "TileStore":
        """The same store with the tiles of these patients, or these specimens, only; in the store's own order."""
        return selected(self, patient_id=patient_ids, specimen_id=specimen_ids)

    def labelled(self, label: pd.Series) -> Samples:
        """All tiles of the patients of `label`, which maps patient_id to a class, each with its patient's class."""
        chosen = self.select(patient_ids=label.index)
        return Samples(inputs=chosen, labels=label.loc[chosen.index["patient_id"]].to_numpy(int))

    def _file(self, key: str) -> TileFile:
        if key not in self._open:
            opened = open_tiles(_path(self.folder, key))
            if opened is None:
                raise UnavailableError(f"the tile file {key} has been removed or damaged; prepare the tiles again")
            self._open[key] = opened
        return self._open[key]


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
    Raises SpecimenError when no slide gives a tile, UnavailableError when the folder cannot be written (disk full).
    """
    keys = [_key(each, tiling=tiling, stain=stain) for each in specimens]
    ledger = Ledger(folder / "ledger")
    missing = {key: each for key, each in zip(keys, specimens, strict=True) if open_tiles(_path(folder, key)) is None}

    def cut(key: str, specimen: Specimen) -> None:
        _cut(specimen, tiling=tiling, stain=stain, to=_path(folder, key))

    prepare_each(missing, cut, ledger=ledger, label="Cutting slides", workers=_WORKERS, progress=progress)
    return _gather(dict(zip(specimens, keys, strict=True)), ledger=ledger, folder=folder, side=tiling.side)


def _cut(specimen: Specimen, *, tiling: Tiling, stain: StainSettings | None, to: Path) -> None:
    with open_slide(specimen.path, mpp=specimen.mpp) as slide:
        corners = _corners(slide, tiling)

        def read(chosen: np.ndarray) -> np.ndarray:
            return np.stack([slide.read((x, y), side=tiling.side, mpp=tiling.mpp) for x, y in chosen.tolist()])

        about = {"mpp": slide.mpp, "width": slide.size[0], "height": slide.size[1], "extent": _extent(slide, tiling)}
        recolour: Callable[[np.ndarray], np.ndarray] = np.asarray
        if stain is not None:
            spread = np.linspace(0, len(corners) - 1, min(STAIN_TILES, len(corners))).astype(int)
            stains = fit(read(corners[spread]), settings=stain)
            recolour = partial(normalise, source=stains, target=REFERENCE, settings=stain)
            about |= {"stain_matrix": stains.matrix.tolist(), "stain_peak": stains.peak.tolist()}
        with writing(to, corners=corners, side=tiling.side, about=about) as append:
            for start in range(0, len(corners), _CHUNK):
                append(recolour(read(corners[start : start + _CHUNK])))


def _corners(slide: Slide, tiling: Tiling) -> np.ndarray:
    if slide.mpp > COARSEST * tiling.mpp:
        raise SpecimenError(
            f"got a slide of {slide.mpp:.4g} micrometres per pixel, wanted {COARSEST * tiling.mpp:.4g} or finer to cut"
            f" tiles at {tiling.mpp:.4g}; leave it out, or cut at a coarser resolution"
        )
    if min(slide.size) < _extent(slide, tiling):
        raise SpecimenError(
            f"got a slide of {slide.size[0]} x {slide.size[1]} pixels, wanted at least one tile's"
            f" {_extent(slide, tiling):.0f} each way; leave it out, or check its micrometres per pixel"
        )
    longest = int(np.clip(max(slide.size) * slide.mpp / MASK_MPP, *MASK_SIDES))
    mask = tissue_mask(slide.thumbnail(longest=longest))
    if not mask.any():
        raise SpecimenError("no tissue found on the slide; look at it, and leave it out if it is blank")
    corners = grid(mask, size=slide.size, mpp=slide.mpp, tiling=tiling)
    if not len(corners):
        raise SpecimenError(
            f"no tile has enough tissue: {mask.mean():.1%} of the slide is tissue, but every tile has more than"
            f" {tiling.background:.0%} of background; leave it out, or allow more background"
        )
    return corners


def _extent(slide: Slide, tiling: Tiling) -> float:
    return extent(side=tiling.side, mpp=tiling.mpp, native=slide.mpp)


def _gather(keys: Mapping[Specimen, str], *, ledger: Ledger, folder: Path, side: TilePixels) -> TileStore:
    found, failures = gather(
        keys, lambda key: open_tiles(_path(folder, key)), ledger=ledger, wanted="slides gave a tile"
    )
    tiles, slides = [], []
    for who, opened in found:
        x, y = opened.corners.T
        size = {name: opened.about[name] for name in ("mpp", "width", "height", "extent")}
        slides.append(who | {"tiles": len(x)} | size | _stains(opened.about))
        names = {name: who[name] for name in ("patient_id", "specimen_id")}
        tiles.append(pd.DataFrame(names | {"tile": np.arange(len(x)), "x": x, "y": y, "extent": size["extent"]}))
    return TileStore(
        folder=folder,
        side=side,
        index=pd.concat(tiles, ignore_index=True),
        specimens=pd.DataFrame(slides),
        failures=failures,
    )


def _stains(about: Mapping[str, Any]) -> dict[str, float]:
    """The stains of a slide as columns; none when they were not learnt."""
    found: dict[str, float] = {}
    learnt = zip(about.get("stain_matrix", ()), about.get("stain_peak", ()), strict=True)
    for name, (vector, peak) in zip(("haematoxylin", "eosin"), learnt, strict=False):
        found |= {f"{name}_{colour}": part for colour, part in zip("rgb", vector, strict=True)}
        found[f"{name}_peak"] = peak
    return found


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.safetensors"


def _key(specimen: Specimen, *, tiling: Tiling, stain: StainSettings | None) -> str:
    target = {name: array.tolist() for name, array in asdict(REFERENCE).items()}
    settings = {
        "schema": SCHEMA,
        "mpp": specimen.mpp,
        "tiling": asdict(tiling),
        "stain": stain and asdict(stain) | {"target": target},
    }
    return specimen_key(specimen, settings=settings)
