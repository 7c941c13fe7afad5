"""Outlines: what was outlined on a slide, in QuPath's GeoJSON, in pixels of the slide's finest level.

`region` in specimens.csv makes a specimen of a part of its slide, such as one core of a tissue microarray; `annotation`
names the tissues of a slide and restricts nothing.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from hepatica.cohort.atomic import write_text
from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.faults import did_you_mean, slip_of
from hepatica.cohort.preparation import place_of
from hepatica.cohort.specimens import Specimen
from hepatica.protocol.records import Material

Polygon = tuple[np.ndarray, ...]
"""Rings (n 2) of x and y: the outer one, then its holes."""

COLOURS = {
    "Tumor": (200, 0, 0),
    "Stroma": (150, 200, 150),
    "Necrosis": (50, 50, 50),
    "Immune cells": (160, 90, 160),
    "Normal": (90, 160, 220),
}
"""RGB, 0..255, of classes: QuPath's own, but for Normal, which it lacks."""

SHI = {
    "#f5a623": "Tumor", "#7ed321": "Peritumoral", "#b8e986": "Peritumoral", "#f8e71c": "Stroma",
    "#d0021b": "Necrosis", "#bd10e0": "Immune cells",
}  # fmt: skip
"""Class of each colour in the outlines of TCGA-LIHC that Shi et al. published (doi 10.1136/gutjnl-2020-320930)."""

OVER_THE_EDGE = 0.02
"""Share of the slide's side by which an outline may pass its edge, as one drawn with a brush does (ours)."""

CELLS = 16
"""Parts of a tile's side by which the share of it that lies in outlines is measured (ours)."""

SQUARE = 128
"""Pixels of the side of the squares by which regions of one slide are found to overlap (ours)."""

LARGEST = 2**30
"""Bytes of outlines, unpacked, beyond which they are not read (ours): Shi's largest has 1.2 MB."""

_WRONG = (
    ValueError,
    EOFError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    RecursionError,
    gzip.BadGzipFile,
)
_LEAST = 12  # pixels of a map below which a piece is not outlined
_DRAWN = (None, "annotation", "tma_core")  # kinds of objects that are outlines; the others are cells and tiles


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """One annotated area: its `names` (class, base class of a derived one, name) and its polygons."""

    names: frozenset[str]
    polygons: tuple[Polygon, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """The part of a slide that a specimen is: all that lies in the polygons `inside` but not in those `without`.

    Nothing `inside` means the whole slide.
    """

    inside: tuple[Polygon, ...]
    without: tuple[Polygon, ...]

    def box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, width and height of what is inside, on a slide of `size` (width, height)."""
        if not self.inside:
            return (0, 0, *size)
        corners = np.concatenate([rings[0] for rings in self.inside])
        left, top = np.floor(corners.min(axis=0)).clip(0, size).astype(int).tolist()
        right, bottom = np.ceil(corners.max(axis=0)).clip(0, size).astype(int).tolist()
        return left, top, right - left, bottom - top

    @property
    def digest(self) -> str:
        """The same for the same polygons, however they are called."""
        parts = [
            ring.tobytes() for part in (self.inside, self.without) for rings in part for ring in (*rings, rings[0])
        ]
        return hashlib.sha256(b"|".join(parts)).hexdigest()

    def place(self, size: tuple[int, int]) -> str:
        """`place_of` the squares of a slide of `size` whose centres lie in it."""
        shape = tuple(-(-each // SQUARE) for each in reversed(size))
        return place_of(self.mask(shape, size=(shape[1] * SQUARE, shape[0] * SQUARE)))

    def check(self, size: tuple[int, int]) -> None:
        """SpecimenError where it lies outside a slide of `size`."""
        if misfit := _misfit((*self.inside, *self.without), size):
            raise SpecimenError(f"column region: {misfit}")

    def moved(self, x: float, y: float) -> "Region":
        """The same, counted from a corner (x, y) of the slide."""
        inside, without = (
            tuple(tuple(ring - (x, y) for ring in rings) for rings in part) for part in (self.inside, self.without)
        )
        return Region(inside=inside, without=without)

    def mask(self, shape: tuple[int, ...], *, size: tuple[int, int]) -> np.ndarray:
        """(h w) bool of a picture of the whole slide, of `size` (width, height)."""
        kept = drawn(self.inside, shape, size=size) if self.inside else np.ones(shape, bool)
        return np.asarray(kept & ~drawn(self.without, shape, size=size))


def read_outlines(path: Path) -> tuple[Outline, ...]:
    """Annotations and cores of a GeoJSON file as QuPath exports it, gzipped or not, or of Shi's outlines.

    A FeatureCollection, a list of Features or one Feature; areas are Polygons and MultiPolygons, lines, points and
    polygons of two corners are passed over, and so are missing cores. SpecimenError for anything else.
    """
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, size: int) -> tuple[Outline, ...]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"more than {LARGEST:.1g} bytes")
        found = json.loads(content)
        features = found.get("features", [found]) if isinstance(found, dict) else found
        return tuple(each for feature in features for each in _outlines(feature))
    except _WRONG as error:
        raise SpecimenError(
            f"the outlines are no GeoJSON of polygons ({type(error).__name__}: {error}); export them again from QuPath"
        ) from error


def _outlines(feature: Any) -> Iterator[Outline]:
    if "color" in feature and "coordinates" in feature:
        feature = {
            "geometry": feature,
            "properties": {"classification": {"name": SHI.get(feature["color"].lower(), "")}},
        }
    known, geometry = feature.get("properties") or {}, feature["geometry"]
    if known.get("objectType") not in _DRAWN or known.get("isMissing") or geometry is None:
        return
    parts = {"Polygon": [geometry.get("coordinates")], "MultiPolygon": geometry.get("coordinates")}
    rings = [[_ring(ring) for ring in polygon] for polygon in parts.get(geometry["type"], ()) if polygon != []]
    if polygons := tuple(tuple(ring for ring in each if len(ring) > 2) for each in rings if len(each[0]) > 2):
        yield Outline(names=frozenset(_names(known)), polygons=polygons)


def _names(known: Any) -> Iterator[str]:
    kind = known.get("classification") or {}
    parts = kind.get("names") or str(kind.get("name") or "").split(": ")
    yield from (": ".join(parts[:end]) for end in range(1, len(parts) + 1) if parts[0])
    if known.get("name"):
        yield str(known["name"])


def _ring(corners: Any) -> np.ndarray:
    ring = np.array(corners, dtype=float)
    if ring.ndim != 2 or ring.shape[1] < 2 or not np.isfinite(ring).all():
        raise ValueError("a ring is no list of (x, y)")
    return ring[:, :2]


def region_of(specimen: Specimen, *, origin: tuple[int, int]) -> Region | None:
    """The region that a row of specimens.csv says, on a slide which QuPath shows from `origin` on; None: all of it.

    SpecimenError, naming the column, where the file cannot be read or has nothing that is asked for; one of several
    classes, or a class to leave out, may be absent, but not misspelt.
    """
    if "region" not in specimen.attachments:
        return None
    try:
        outlines = read_outlines(specimen.attachments["region"])
    except SpecimenError as error:
        raise SpecimenError(f"column region: {error}") from error
    kinds, without = (_listed(specimen.extra.get(name, "")) for name in ("region_class", "region_without"))
    _check(outlines, kinds, without)
    cut = polygons_of(outlines, without)
    kept = [each for each in outlines if kinds or not each.names.intersection(without)]
    found = Region(inside=polygons_of(kept, kinds) if kinds else _every(kept), without=cut)
    return found.moved(-origin[0], -origin[1])


def _check(outlines: Iterable[Outline], kinds: Sequence[str], without: Sequence[str]) -> None:
    known = sorted({name for each in outlines for name in each.names})
    if not any(True for _ in outlines):
        raise SpecimenError("column region: the file holds no outline of an area; outline it and export it again")
    for column, names in (("region_class", kinds), ("region_without", without)):
        for name in names:
            wanted = column == "region_class" and not {*names}.intersection(known)
            if name not in known and (wanted or slip_of(name, known)):
                hint = did_you_mean(name, known) if known else "its outlines have none"
                raise SpecimenError(f"column {column}: no outline has the class or name {name!r}; {hint}")


def polygons_of(outlines: Iterable[Outline], names: Sequence[str]) -> tuple[Polygon, ...]:
    """Polygons of the outlines that have one of these classes or names."""
    return _every(each for each in outlines if each.names.intersection(names))


def _every(outlines: Iterable[Outline]) -> tuple[Polygon, ...]:
    return tuple(polygon for each in outlines for polygon in each.polygons)


def _listed(cell: str) -> list[str]:
    return [name.strip() for name in cell.split("|") if name.strip()]


def _misfit(polygons: Iterable[Polygon], size: tuple[int, int]) -> str:
    """Why outlines cannot be those of a slide of this size; "" where they can."""
    corners = np.concatenate([np.zeros((1, 2)), *(rings[0] for rings in polygons)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    if (low >= -OVER_THE_EDGE * np.array(size)).all() and (high <= (1 + OVER_THE_EDGE) * np.array(size)).all():
        return ""
    return (
        f"the outlines reach from ({low[0]:.9g}, {low[1]:.9g}) to ({high[0]:.9g}, {high[1]:.9g}), beyond the slide of"
        f" {size[0]} x {size[1]} pixels; they are of another slide, or not in pixels of its finest level"
    )


def drawn(polygons: Iterable[Polygon], shape: tuple[int, ...], *, size: tuple[int, int]) -> np.ndarray:
    """(h w) bool: pixels, of a picture of the whole slide of `size`, whose centres lie in one of the polygons.

    Along each row of pixels a polygon begins and ends where its edges cross the line through the centres (even-odd
    rule), in time by pixels and corners, not by their product.
    """
    mask, scale = np.zeros(shape, bool), np.array(shape[1::-1]) / size
    for rings in polygons:
        edges = np.concatenate([np.stack([ring, np.roll(ring, -1, axis=0)], axis=1) for ring in rings]) * scale - 0.5
        first, last = np.ceil(np.sort(edges[..., 1], axis=1)).clip(0, shape[0]).astype(int).T
        if not (last > first).any():
            continue
        top, bottom = first.min(), last.max()
        which = np.repeat(np.arange(len(edges)), last - first)
        row = np.arange(len(which)) - np.repeat(np.cumsum(last - first) - (last - first), last - first) + first[which]
        (x, y), (across, down) = edges[which, 0].T, (edges[which, 1] - edges[which, 0]).T
        column = np.ceil(x + (row - y) * across / down).clip(0, shape[1]).astype(int)
        crossed = np.zeros((bottom - top, shape[1] + 1), np.uint8)
        np.add.at(crossed, (row - top, column), 1)
        mask[top:bottom] |= (crossed.cumsum(axis=1, dtype=np.uint8)[:, :-1] & 1).astype(bool)
    return mask


def tile_share(store: Material, specimens: Iterable[Specimen], *, classes: Sequence[str]) -> np.ndarray:
    """Share 0..1 of each tile of a store (tiles,) that lies in outlines of these classes of its slide's `annotation`.

    NaN where a slide has none. SpecimenError where one cannot be read, naming the row, or fits no slide of this size,
    where that is known.
    """
    share = np.full(len(store), np.nan)
    sizes = store.specimens.set_index("specimen_id").reindex(columns=["width", "height", "extent", "left", "top"])
    places = store.index.reset_index(drop=True).groupby("specimen_id", sort=False)
    annotated = {each.specimen_id: each for each in specimens if "annotation" in each.attachments}
    for name, own in places:
        if name in annotated:
            width, height, extent, *origin = map(float, sizes.loc[str(name)])
            size = None if np.isnan(width + height) else (int(width), int(height))
            outlines = polygons_of(_annotated(annotated[str(name)], size=size), classes)
            moved = tuple(tuple(ring + np.nan_to_num(origin) for ring in rings) for rings in outlines)
            share[own.index] = _share(moved, own[["x", "y"]].to_numpy(), extent=extent)
    return share


def _annotated(specimen: Specimen, *, size: tuple[int, int] | None) -> tuple[Outline, ...]:
    try:
        outlines = read_outlines(specimen.attachments["annotation"])
        if size and (wrong := _misfit(_every(outlines), size)):
            raise SpecimenError(wrong)
    except SpecimenError as error:
        raise SpecimenError(f"specimens.csv row {specimen.row} column annotation: {error}") from error
    return outlines


def _share(polygons: Sequence[Polygon], corners: np.ndarray, *, extent: float) -> np.ndarray:
    cell = extent / CELLS
    shape = tuple(np.ceil(corners.max(axis=0)[::-1] / cell).astype(int) + CELLS)
    size = (round(shape[1] * cell), round(shape[0] * cell))
    total = np.pad(drawn(polygons, shape, size=size).cumsum(axis=0, dtype=np.int64).cumsum(axis=1), ((1, 0), (1, 0)))
    left, top = np.rint(corners / cell).astype(int).T
    right, bottom = np.minimum(left + CELLS, shape[1]), np.minimum(top + CELLS, shape[0])
    inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return np.asarray(inside / CELLS**2)


def write_outlines(path: Path, numbers: np.ndarray, *, classes: Sequence[str], pixel: float) -> None:
    """Write a map (h w) as a FeatureCollection: one Polygon with its holes for each piece of a class.

    `numbers` are those of the classes from 1, 0 for none; `pixel` is the side of one of them in the slide's own.
    """
    features = [
        _feature(name, piece, corner=corner, pixel=pixel)
        for number, name in enumerate(classes, start=1)
        for piece, corner in _pieces(numbers == number)
    ]
    write_text(path, json.dumps({"type": "FeatureCollection", "features": features}))


def _pieces(mask: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each connected piece (h w) bool of a map, and its corner (x, y) there."""
    found, _ = ndimage.label(mask)
    for number, (down, right) in enumerate(ndimage.find_objects(found), start=1):
        piece = found[down, right] == number
        if piece.sum() >= _LEAST:
            yield piece, np.array([right.start, down.start])


def _feature(name: str, piece: np.ndarray, *, corner: np.ndarray, pixel: float) -> dict[str, Any]:
    around = find_contours(np.pad(piece, 1).astype(float), 0.5)
    rings = [approximate_polygon(each, 0.5) for each in around]
    rings = [each for each in rings if len(each) >= 4]
    rings.sort(key=lambda ring: -np.ptp(ring[:, 0]) * np.ptp(ring[:, 1]))  # the outermost first
    corners = [np.rint((ring[:, ::-1] - 0.5 + corner) * pixel).astype(int).tolist() for ring in rings]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": corners},
        "properties": {"objectType": "annotation", "classification": {"name": name, "color": list(COLOURS[name])}},
    }
