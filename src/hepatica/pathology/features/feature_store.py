"""Feature store: the features of a cohort's slides, computed once a slide without storing its tiles, read at random."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.preparation import Ledger, Store, gather, prepare_each, specimen_key
from hepatica.cohort.specimens import Specimen
from hepatica.learn import as_images
from hepatica.learn.images import channels_last
from hepatica.networks.multiple_instance import Scaled
from hepatica.pathology.features.feature_file import (
    SUFFIXES,
    FeatureFile,
    distribution,
    open_features,
    read_features,
    slide_of,
    writing,
)
from hepatica.pathology.measures import measure_tiles, spread
from hepatica.pathology.reader import open_reader
from hepatica.pathology.slide import SAME_MPP
from hepatica.pathology.stain import StainSettings
from hepatica.pathology.store import cutting, slide_key, tile_index
from hepatica.pathology.tiles import Tiling

SCHEMA = 1
"""Version of the feature files; raised whenever the same settings would give other features."""

_WORKERS = 4  # that look which slides there are
_PART = 4096  # rows in memory at once


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureStore(Store):
    """Features of the tiles of many slides as one numbered sequence, which `hepatica.learn` reads as its inputs.

    `width` numbers describe a tile. `index`: one row a tile, as a TileStore's: patient_id, specimen_id, tile, x, y,
    extent. `specimens`: one row a slide: patient_id, specimen_id, key, tiles, and of a slide whose features were
    computed here what a TileStore says of it and what `measures.measure_tiles` finds; of others features_mean and
    features_sd. `failures`: one row a slide that gave none: patient_id, specimen_id, row, error. `files` are the open
    files by key.
    """

    width: int
    files: Mapping[str, FeatureFile]

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        keys = self.specimens.set_index("specimen_id")["key"]
        return keys.loc[self.index["specimen_id"]].to_numpy(), self.index["tile"].to_numpy()

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Features of these rows of `index`, in the order asked: (b width) float32."""
        found = np.empty((len(indices), self.width), np.float32)
        keys, tiles = (each[indices] for each in self._places)
        for key in pd.unique(keys):
            found[keys == key] = self.files[key].read(tiles[keys == key])
        return found

    def standardise(self, network: Any, *, patients: Iterable[str]) -> None:
        """Fix mean and SD of the network's layers `Scaled`, read a part at a time."""
        layers = [each for each in network.modules() if isinstance(each, Scaled)]
        own = self.select(patient_ids=patients)
        count, total, squares = len(own), np.zeros(self.width), np.zeros(self.width)
        for rows in np.split(np.arange(count), range(_PART, count, _PART)) if layers else ():
            read = own.read(rows).astype(np.float64)
            total, squares = total + read.sum(axis=0), squares + (read**2).sum(axis=0)
        mean = total / max(count, 1)
        sd = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0))
        for layer in layers:
            layer.fit(torch.from_numpy(mean), torch.from_numpy(sd))


def brought(specimen: Specimen) -> Path | None:
    """The file of features that comes with a specimen: its attachment `features`, or itself; None for a bare slide."""
    own = specimen.path if specimen.path.suffix.lower() in SUFFIXES else None
    return specimen.attachments.get("features", own)


def prepare(
    specimens: Sequence[Specimen],
    *,
    tiling: Tiling,
    stain: StainSettings | None = None,
    encoder: Callable[[], nn.Module],
    made_by: str,
    width: int,
    tile: tuple[int, float] | None = None,
    batch: int,
    folder: Path,
    progress: bool = True,
) -> FeatureStore:
    """Describe the tiles of every slide once, or take the features that come with it.

    `encoder` builds the network, where there is a slide to be read; `made_by` is its digest, and every file of features
    must be of it and of `width`, and, where both are known, of tiles of the same side in pixels and micrometres per
    pixel as `tile`. At most two batches of tiles are in memory at once. As for tiles, a slide that cannot
    be used goes into the ledger and `failures`, and all may be killed at any moment and started again.
    Raises SpecimenError when no slide gives features, UnavailableError when the folder cannot be written.
    """
    common: dict[str, Any] = {"made_by": made_by, "width": width, "tile": tile}
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = pool.map(partial(_key, tiling=tiling, stain=stain, **common), specimens)
        keys = dict(zip(specimens, found, strict=True))
    files = {key: brought(each) or _path(folder, key) for each, key in keys.items()}
    ledger = Ledger(folder / "ledger")

    def note(key: str, specimen: Specimen) -> None:
        if "region" in specimen.attachments:
            raise SpecimenError("column region: got features of all tiles; give those of the region, and no region")
        own = _checked(read_features(files[key]), **common)
        write_json(_note(folder, key), _size_of_slide(specimen, own) | distribution(own))

    def compute(key: str, specimen: Specimen) -> None:
        describe(specimen, network, tiling=tiling, stain=stain, made_by=made_by, batch=batch, to=files[key])

    given = {key: each for each, key in keys.items() if brought(each) and not _note(folder, key).exists()}
    missing = {key: each for each, key in keys.items() if not brought(each) and open_features(files[key]) is None}
    prepare_each(given, note, ledger=ledger, label="Reading features", workers=1, progress=progress)
    if missing:
        network = _on_device(encoder())
        prepare_each(missing, compute, ledger=ledger, label="Describing slides", workers=1, progress=progress)
    return _gather(keys, files, ledger=ledger, folder=folder, width=width)


def _checked(found: FeatureFile, *, made_by: str, width: int, tile: tuple[int, float] | None) -> FeatureFile:
    if found.encoder != made_by or found.width != width:
        raise SpecimenError(
            f"got {found.width} features of encoder {found.encoder[:12]}, wanted {width} of {made_by[:12]}, which the"
            " model was trained on; compute them with the same encoder"
        )
    if found.tile and tile and not np.allclose(found.tile, tile, rtol=SAME_MPP):
        (side, mpp), (wanted, wanted_mpp) = found.tile, tile
        raise SpecimenError(
            f"got features of tiles of {side} pixels of {mpp:.4g} micrometres, wanted {wanted} of {wanted_mpp:.4g},"
            " which the model was trained on; compute them at that size and magnification"
        )
    return found


def _size_of_slide(specimen: Specimen, found: FeatureFile) -> dict[str, float]:
    """Width and height of the slide that the features come with; SpecimenError where tiles lie outside it."""
    if specimen.path.suffix.lower() in SUFFIXES:
        return {}
    with closing(open_reader(specimen.path)) as reader:
        size = np.array(reader.sizes[0])
    # The last tiles of a row may pass the edge by less than one.
    if found.corners.min() < 0 or (found.corners >= size).any():
        low, high = found.corners.min(axis=0).tolist(), found.corners.max(axis=0).tolist()
        raise SpecimenError(
            f"got features of tiles from {low} to {high}, on a slide of {size.tolist()} pixels: of another slide,"
            " or another level; compute them again"
        )
    return dict(zip(("width", "height"), size.tolist(), strict=True))


def _on_device(network: nn.Module) -> nn.Module:
    return channels_last(network).to("cuda" if torch.cuda.is_available() else "cpu").eval()


def describe(
    specimen: Specimen,
    network: nn.Module,
    *,
    tiling: Tiling,
    stain: StainSettings | None,
    made_by: str,
    batch: int,
    to: Path,
) -> None:
    """Write the features of one slide; the next tiles are read while the network describes those before."""
    with cutting(specimen, tiling=tiling, stain=stain) as cut:
        corners = cut.corners
        about = {**cut.about, **{name: float(each) for name, each in measure_tiles(cut.read(spread(corners))).items()}}
        parts = np.split(corners, range(batch, len(corners), batch))
        found = (_described(network, tiles) for tiles in _ahead(cut.read, parts))
        first = next(found)
        with writing(
            to, corners=corners, width=first.shape[1], side=tiling.side, mpp=tiling.mpp, encoder=made_by, about=about
        ) as append:
            append(first)
            for each in found:
                append(each)


def _ahead(read: Callable[[np.ndarray], np.ndarray], parts: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """What `read` makes of each part, the next one read on another thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(read, parts[0])
        for each in parts[1:]:
            tiles, coming = coming.result(), pool.submit(read, each)
            yield tiles
        yield coming.result()


@torch.inference_mode()
def _described(network: nn.Module, tiles: np.ndarray) -> np.ndarray:
    device = next(network.parameters()).device
    images = as_images(torch.from_numpy(tiles).to(device)).contiguous(memory_format=torch.channels_last)
    found: np.ndarray = network(images).float().cpu().numpy()
    return found


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}{SUFFIXES[0]}"


def _note(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def _key(specimen: Specimen, *, tiling: Tiling, stain: StainSettings | None, made_by: str, **own: Any) -> str:
    if file := brought(specimen):
        settings = {"features": SCHEMA, "encoder": made_by, "region": "region" in specimen.attachments, **own}
        key = specimen_key(specimen, settings=settings, beside=[file])
        slide = slide_of(file) if file == specimen.path else ""
        return slide + key[len(slide) :]  # by which the slide itself is known as seen, too
    return slide_key(specimen, tiling=tiling, stain=stain, features=SCHEMA, encoder=made_by)


def _gather(
    keys: Mapping[Specimen, str], files: Mapping[str, Path], *, ledger: Ledger, folder: Path, width: int
) -> FeatureStore:
    def opened(key: str) -> tuple[FeatureFile, dict[str, Any]] | None:
        noted = files[key] == _path(folder, key) or _note(folder, key).exists()
        own = open_features(files[key]) if noted else None
        return (
            None
            if own is None
            else (own, own.about | (read_json(_note(folder, key)) if _note(folder, key).exists() else {}))
        )

    found, failures = gather(keys, opened, ledger=ledger, wanted="slides gave features")
    return FeatureStore(
        width=width,
        index=tile_index((who, own.corners, own.extent) for who, (own, _) in found),
        specimens=pd.DataFrame(
            [{**who, "tiles": len(own.corners), "extent": own.extent, **about} for who, (own, about) in found]
        ),
        failures=failures,
        files={who["key"]: own for who, (own, _) in found},
    )
