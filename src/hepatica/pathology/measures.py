"""Measures: what tells slides of one tissue from others: stains, and the structure of each stain in tissue tiles."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from einops import rearrange

from hepatica.cohort.texture import bands, coherence
from hepatica.pathology.stain import DENSITY, REFERENCE, StainSettings, concentrations
from hepatica.pathology.store import TileStore

TILES = 8
"""Tiles, evenly spread over a slide's, that are measured (ours)."""

SCALES = (1, 2, 4, 8)
"""SD in pixels of a tile at which structure is measured (ours): what a Gaussian filter of it keeps and of twice not."""

STAINS = ("haematoxylin", "eosin")

TOLERANCES = {
    **{f"{stain}_{colour}": 0.15 for stain in STAINS for colour in "rgb"},
    **{f"{stain}_peak_log2": 1.0 for stain in STAINS},
    **{f"{stain}_{name}": 0.25 for stain in STAINS for name in ("median", "upper_quartile")},
    **{f"{stain}_structure_{scale}_px_log2": 0.25 if scale > 1 else 0.5 for stain in STAINS for scale in SCALES},
    **{f"{stain}_kurtosis_{scale}_px_log2": 0.25 for stain in STAINS for scale in (2, 4)},
    **{f"{stain}_coherence": 0.04 for stain in STAINS},
    "saturation": 0.15,
    "ink_share": 0.1,
}
"""How far slides of another hospital may lie beyond those of training (ours; docs/studies/applicability.md)."""

CHANNEL_TOLERANCES = {
    name.replace("haematoxylin", channel): limit
    for channel in ("SHG", "TPEF")
    for name, limit in TOLERANCES.items()
    if name.startswith("haematoxylin") and name.partition("_")[2] not in ("r", "g", "b", "peak_log2")
}
"""The same of the two channels of a multiphoton microscope."""

Maps = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""From tiles (n side side 3) to what is measured in them, by name, each (n side side)."""


def stain_maps(tiles: np.ndarray) -> Mapping[str, np.ndarray]:
    """The concentration of each stain."""
    density = DENSITY.astype(np.float32)[rearrange(tiles, "n y x c -> (n y x) c")]
    found = concentrations(density, REFERENCE.matrix, sparsity=StainSettings().applied_sparsity)
    every = rearrange(found, "(n y x) stain -> stain n y x", n=len(tiles), y=tiles.shape[1])
    return dict(zip(STAINS, every, strict=True))


def channel_maps(tiles: np.ndarray) -> Mapping[str, np.ndarray]:
    """SHG (red) and TPEF (green), each in its own SD, for gains differ."""
    return {
        name: tiles[..., place] / np.float32(max(tiles[..., place].std(), 1e-3))
        for place, name in enumerate(("SHG", "TPEF"))
    }


def measure(store: TileStore, *, maps: Maps = stain_maps) -> pd.DataFrame:
    """One row a slide, by specimen_id: how it looks, the stains where they were learnt, and of each stain's
    concentration, or other `maps`, its median and upper quartile; its structure by scale (log2 of the SD of what a
    filter keeps); its kurtosis, higher where structure is sparse (log2); its coherence, 1 where all structure runs
    one way (Bigün 1987).
    """
    places = store.index.reset_index().groupby("specimen_id", sort=False)["index"]
    rows = {name: measure_tiles(store.read(spread(own.to_numpy())), maps=maps) for name, own in places}
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("specimen_id")
    return found.join(of_slides(store.specimens))


def of_slides(specimens: pd.DataFrame) -> pd.DataFrame:
    """The measures that a store has noted of each slide, by specimen_id."""
    slides = specimens.set_index("specimen_id")
    peaks = {f"{stain}_peak_log2": np.log2(slides[f"{stain}_peak"]) for stain in STAINS if f"{stain}_peak" in slides}
    return slides[[name for name in TOLERANCES if name in slides]].assign(**peaks)


def spread(places: np.ndarray) -> np.ndarray:
    """`TILES` of them, evenly spread, or all."""
    return np.asarray(places[np.linspace(0, len(places) - 1, min(TILES, len(places))).astype(int)])


def measure_tiles(tiles: np.ndarray, *, maps: Maps = stain_maps) -> dict[str, float]:
    """What is measured of each stain, or other map, in tiles (n side side 3) of one slide."""
    content = sha256(np.ascontiguousarray(tiles).data).digest(), tiles.shape, maps
    if content not in _MEASURED:
        found = {which: _of_map(own) for which, own in maps(tiles).items()}
        _MEASURED[content] = {
            f"{which}_{name}": float(value) for which, own in found.items() for name, value in own.items()
        }
    return dict(_MEASURED[content])


_MEASURED: dict[Any, dict[str, float]] = {}
"""What was measured before, by content: the variants of a study ask for the same slides again and again."""


def _of_map(own: np.ndarray) -> dict[str, float]:
    kept = bands(own, scales=SCALES)
    return {
        "median": np.median(own),
        "upper_quartile": np.percentile(own, 75),
        **{f"structure_{scale}_px_log2": np.log2(max(band.std(), 1e-4)) for scale, band in kept.items()},
        **{f"kurtosis_{scale}_px_log2": _kurtosis(kept[scale]) for scale in (2, 4)},
        "coherence": coherence(own, scale=SCALES[1]),
    }


def _kurtosis(band: np.ndarray) -> float:
    square = band**2
    return float(np.log2(max((square**2).mean(), 1e-12) / max(square.mean() ** 2, 1e-12)))
