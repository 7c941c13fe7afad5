"""Slides: a slide as Deep Zoom tiles, read from its file when asked for; its label and overview are never read."""

import math
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.units import MicronsPerPixel
from hepatica.pathology.reader import as_specimen_error, open_reader
from hepatica.pathology.slide import Resolution, Slide, open_slide
from hepatica.serve.refusals import NotFoundError

TILE, OVERLAP = 254, 1
"""Pixels of a tile's side, and those that it shares with each neighbour: together 256."""

QUALITY = 82
"""Of the JPEG tiles (ours): differences from the file are not seen, and a tile has about 15 kB."""

OPEN, KEPT = 8, 8192
"""Slides kept open, and tiles kept ready (ours; about 120 MB)."""


@dataclass(frozen=True)
class _Open:
    """An open slide; one thread reads at a time, for libvips does not bear two."""

    slide: Slide
    lock: Lock = field(default_factory=Lock)


def described(path: Path) -> dict[str, Any]:
    """Width, height, tile and overlap in pixels, micrometres per pixel (null where they are not known), and where
    QuPath counts from; SpecimenError where the file cannot be read as a slide.
    """
    slide = _opened(path, _changed(path)).slide
    mpp = None if math.isnan(slide.mpp) else slide.mpp
    width, height = slide.size
    return {"width": width, "height": height, "tile": TILE, "overlap": OVERLAP, "mpp": mpp, "origin": slide.origin}


def tile(path: Path, *, level: int, column: int, row: int) -> bytes:
    """One tile as JPEG, level 0 being the whole slide in one pixel; NotFoundError where the slide has none there."""
    return _tile(path, _changed(path), level, column, row)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=OPEN)
def _opened(path: Path, changed: int) -> _Open:
    with suppress(SpecimenError):
        return _Open(open_slide(path, fast=False))
    unknown = Resolution(MicronsPerPixel(math.nan), "unknown")  # is shown without a scale bar
    return _Open(Slide(open_reader(path, fast=False), resolution=unknown))


@lru_cache(maxsize=KEPT)
def _tile(path: Path, changed: int, level: int, column: int, row: int) -> bytes:
    opened = _opened(path, changed)
    deepest = math.ceil(math.log2(max(opened.slide.size)))
    if not 0 <= level <= deepest:
        raise NotFoundError(f"got level {level} of the slide, wanted 0 to {deepest}")
    scale = 2 ** (deepest - level)
    (left, width), (top, height) = (
        _span(place, side=side, scale=scale) for place, side in zip((column, row), opened.slide.size, strict=True)
    )
    box = (left * scale, top * scale, width * scale, height * scale)
    with as_specimen_error(path), opened.lock:
        pixels = opened.slide.thumbnail(longest=max(width, height), box=box)
    return _jpeg(pixels)


def _span(place: int, *, side: int, scale: int) -> tuple[int, int]:
    """First pixel and length of a tile along one side of its level, with its overlap."""
    length = math.ceil(side / scale)
    first, last = max(place * TILE - OVERLAP, 0), min((place + 1) * TILE + OVERLAP, length)
    if place < 0 or first >= last or place * TILE >= length:
        raise NotFoundError("the slide has no such tile")
    return first, last - first


SMALL = 96
"""Pixels of the side of a picture in a list (ours)."""


def look(path: Path, *, left: int, top: int, side: int) -> bytes:
    """A square of the slide in pixels of its finest level, small, as JPEG; NotFoundError where it lies beside it."""
    opened = _opened(path, _changed(path))
    width, height = opened.slide.size
    if not (0 < side <= max(width, height) and -side < left < width and -side < top < height):
        raise NotFoundError("the slide has no such place")
    with as_specimen_error(path), opened.lock:
        pixels = opened.slide.thumbnail(longest=SMALL, box=(left, top, side, side))
    return _jpeg(pixels)


def _jpeg(pixels: np.ndarray) -> bytes:
    found = BytesIO()
    Image.fromarray(pixels).save(found, "JPEG", quality=QUALITY)
    return found.getvalue()
