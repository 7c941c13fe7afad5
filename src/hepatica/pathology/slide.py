"""Slide: one digitised histology slide, read anywhere at any resolution."""

import math
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.units import MicronsPerPixel, SlidePixels, TilePixels
from hepatica.pathology.reader import Box, Reader, open_reader

PLAUSIBLE_MPP = (0.1, 4.0)
"""Micrometres per pixel of the finest level: from beyond a 100x objective to 2.5x. 72 dpi, a screen's, would be 353."""

SAME_MPP = 0.01
"""Resolutions this close (relative, ours) count as equal, so that 0.499 for 0.5 is read as it is, not blurred."""

_ROUNDING = 0.5  # pixels a level's rounded size may put a tile's side out by
_BAND = 16_000_000  # pixels read at once for a thumbnail


class Slide:
    """An open slide; close it or use it in a `with`. Positions are pixels of its finest level."""

    def __init__(self, reader: Reader, *, mpp: MicronsPerPixel) -> None:
        self._reader = reader
        width, height = reader.sizes[0]
        self.size = (SlidePixels(width), SlidePixels(height))
        self.mpp = mpp

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def thumbnail(self, *, longest: int) -> np.ndarray:
        """The whole slide, (h w 3) uint8, its longer side `longest` pixels or the slide's own if that is less.

        Read in bands, so that a huge slide without a pyramid needs time but little memory.
        """
        scale = max(1.0, max(self.size) / longest)
        width, height = (max(1, round(side / scale)) for side in self.size)
        step = self.size[1] / height
        rows = max(1, int(_BAND / (self.size[0] * step)))
        bands = []
        for top in range(0, height, rows):
            count = min(rows, height - top)
            box = (0.0, top * step, float(self.size[0]), count * step)
            bands.append(self._resample(box, width=width, height=count))
        return np.concatenate(bands)

    def read(self, corner: tuple[int, int], *, side: TilePixels, mpp: MicronsPerPixel) -> np.ndarray:
        """A square tile, (side side 3) uint8 RGB at `mpp` micrometres per pixel, its upper left corner at (x, y).

        Taken from the coarsest level that is still fine enough and reduced with an antialiasing (triangle) filter; at
        the level's own resolution the file's pixels are returned as they are. Beyond the slide's edge it is white.
        SpecimenError when the pixels are damaged.
        """
        width = extent(side=side, mpp=mpp, native=self.mpp)
        return self._resample((*corner, width, width), width=side, height=side)

    def _resample(self, box: tuple[float, float, float, float], *, width: int, height: int) -> np.ndarray:
        ratio = min(box[2] / width, box[3] / height)
        fine_enough = [k for k, scale in enumerate(self._reader.downsamples) if scale <= ratio * (1 + SAME_MPP)]
        level = fine_enough[-1] if fine_enough else 0
        x, y, across, down = (each / self._reader.downsamples[level] for each in box)
        if abs(across - width) < _ROUNDING and abs(down - height) < _ROUNDING:
            return self._padded(Box(round(x), round(y), width, height), level=level)
        left, right = _reach(x, across, count=width, size=self._reader.sizes[level][0])
        top, bottom = _reach(y, down, count=height, size=self._reader.sizes[level][1])
        pixels = self._padded(Box(left, top, right - left, bottom - top), level=level)
        inner = (x - left, y - top, min(x - left + across, right - left), min(y - top + down, bottom - top))
        return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR, box=inner))

    def _padded(self, box: Box, *, level: int) -> np.ndarray:
        width, height = self._reader.sizes[level]
        left, top = max(box.x, 0), max(box.y, 0)
        right, bottom = min(box.x + box.width, width), min(box.y + box.height, height)
        if (left, top, right - left, bottom - top) == box:
            return self._reader.region(box, level=level)
        padded = np.full((box.height, box.width, 3), 255, np.uint8)
        if left < right and top < bottom:
            inside = self._reader.region(Box(left, top, right - left, bottom - top), level=level)
            padded[top - box.y : bottom - box.y, left - box.x : right - box.x] = inside
        return padded


def open_slide(path: Path, *, mpp: MicronsPerPixel | None = None) -> Slide:
    """Open any slide OpenSlide reads, or a plain TIFF, PNG or JPEG; `mpp` overrides what the file says.

    SpecimenError when the file is no slide, is damaged, or its resolution is absent, implausible or unequal in x and y.
    """
    reader = open_reader(path)
    try:
        return Slide(reader, mpp=_checked(mpp) if mpp is not None else _own(reader))
    except SpecimenError:
        reader.close()
        raise


def extent(*, side: TilePixels, mpp: MicronsPerPixel, native: MicronsPerPixel) -> float:
    """Pixels of the finest level along a tile's side: side x mpp / native, or the side where the two agree to 1 %."""
    ratio = mpp / native
    return float(side) if abs(ratio - 1) <= SAME_MPP else side * ratio


def _reach(start: float, length: float, *, count: int, size: int) -> tuple[int, int]:
    """Pixels the antialiasing filter sees from `start` on: a margin at both ends, which stops at the slide's edge."""
    margin = math.ceil(max(1.0, length / count))
    first, last = math.floor(start), math.ceil(start + length - _ROUNDING)
    return max(first - margin, min(first, 0)), min(last + margin, max(last, size))


_REMEDY = "give the true one in a column `mpp` of specimens.csv, or with --mpp"


def _own(reader: Reader) -> MicronsPerPixel:
    if reader.resolution is None:
        raise SpecimenError(f"the file does not say how many micrometres a pixel is; {_REMEDY}")
    x, y = reader.resolution
    if abs(x / y - 1) > SAME_MPP:
        raise SpecimenError(f"the file says {x:.4g} micrometres per pixel across but {y:.4g} down; {_REMEDY}")
    return _checked(MicronsPerPixel((x + y) / 2))


def _checked(mpp: MicronsPerPixel) -> MicronsPerPixel:
    low, high = PLAUSIBLE_MPP
    if low <= mpp <= high:
        return mpp
    screen = f" ({25400 / mpp:.0f} dpi, a screen's or printer's)" if mpp > high else ""
    raise SpecimenError(f"got {mpp:.4g} micrometres per pixel{screen}, wanted {low} to {high}; {_REMEDY}")
