"""Slide: one digitised histology slide, read anywhere at any resolution."""

import math
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from PIL import Image

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.units import MicronsPerPixel, SlidePixels, TilePixels
from hepatica.pathology.reader import Box, Reader, open_reader

PLAUSIBLE_MPP = (0.1, 4.0)
"""Micrometres per pixel of the finest level: from beyond a 100x objective to 2.5x. 72 dpi, a screen's, would be 353."""

SAME_MPP = 0.01
"""Resolutions this close (relative, ours) count as equal, so that 0.499 for 0.5 is read as it is, not blurred."""

CONTRADICTION = 0.05
"""Relative difference above which a resolution that was given contradicts the file's (ours)."""

MPP_TIMES_POWER = (4.2, 15.0)
"""Micrometres per pixel times the objective's power (ours): 10 by custom, 4.4 with the finest cameras. Inches taken for
centimetres, or the reverse, put it out by 2.54."""

_ROUNDING = 0.5  # pixels a level's rounded size may put a tile's side out by
_BAND = 16_000_000  # pixels read at once for a thumbnail


class Resolution(NamedTuple):
    """Micrometres per pixel of the finest level, how they are known (file, given, forced), what contradicts them."""

    mpp: MicronsPerPixel
    known: str
    note: str = ""


class Slide:
    """An open slide; close it or use it in a `with`. Positions are pixels of its finest level; QuPath counts them from
    `origin` on.
    """

    def __init__(self, reader: Reader, *, resolution: Resolution) -> None:
        self._reader = reader
        width, height = reader.sizes[0]
        self.size = (SlidePixels(width), SlidePixels(height))
        self.mpp, self.mpp_known, self.note = resolution
        self.levels = reader.sizes
        self.origin = reader.origin
        self.identity = reader.identity

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def thumbnail(self, *, longest: int, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
        """The whole slide, or a `box` of it (left, top, width, height), (h w 3) uint8, its longer side `longest` pixels
        or the slide's own if that is less.

        Read in bands, so that a huge slide without a pyramid needs time but little memory.
        """
        left, above, *size = box or (0, 0, *self.size)
        scale = max(1.0, max(size) / longest)
        width, height = (max(1, round(side / scale)) for side in size)
        step = size[1] / height
        rows = max(1, int(_BAND / (size[0] * step)))
        bands = []
        for top in range(0, height, rows):
            count = min(rows, height - top)
            part = (float(left), above + top * step, float(size[0]), count * step)
            bands.append(self._resample(part, width=width, height=count))
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


def open_slide(path: Path, *, mpp: MicronsPerPixel | None = None, force: bool = False, fast: bool = True) -> Slide:
    """Open any slide OpenSlide reads, or a plain TIFF, PNG or JPEG.

    `mpp` is used where the file does not say, or says what cannot be; with `force` it overrides the file. `fast` is
    that of `open_reader`. SpecimenError when the file is no slide, is damaged, or its resolution is absent,
    implausible, unequal in x and y, or not what its objective gives.
    """
    reader = open_reader(path, fast=fast)
    try:
        return Slide(reader, resolution=_resolution(reader, given=mpp, force=force))
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


def _resolution(reader: Reader, *, given: MicronsPerPixel | None, force: bool) -> Resolution:
    own, doubt = _own(reader)
    if given is None:
        if doubt:
            raise SpecimenError(f"{doubt}; {_REMEDY}")
        return Resolution(own, "file")
    if wrong := _implausible(given):
        raise SpecimenError(f"{wrong}; {_REMEDY}")
    differs = reader.resolution is not None and (bool(doubt) or abs(given / own - 1) > CONTRADICTION)
    file = doubt or f"the file has {own:.4g} micrometres per pixel"
    if force:
        return Resolution(given, "forced", f"{given:.4g} was forced, although {file}" if differs else "")
    if not doubt:
        return Resolution(own, "file", f"{file}, which is used, not the {given:.4g} given" if differs else "")
    if wrong := _unlike_objective(given, reader.power):
        raise SpecimenError(f"got {wrong}; correct it, or force it with force_mpp or --force-mpp")
    return Resolution(given, "given", f"{given:.4g} was given, since {file}" if differs else "")


def _own(reader: Reader) -> tuple[MicronsPerPixel, str]:
    """What the file says, and why that cannot be used; "" where it can."""
    if reader.resolution is None:
        return MicronsPerPixel(math.nan), "the file does not state its micrometres per pixel"
    x, y = reader.resolution
    mpp = MicronsPerPixel((x + y) / 2)
    if abs(x / y - 1) > SAME_MPP:
        return mpp, f"the file has {x:.4g} micrometres per pixel horizontally but {y:.4g} vertically"
    odd = _unlike_objective(mpp, reader.power)
    return mpp, _implausible(mpp) or (odd and f"the file has {odd}")


def _implausible(mpp: MicronsPerPixel) -> str:
    low, high = PLAUSIBLE_MPP
    screen = f" ({25400 / mpp:.0f} dpi, a screen's or printer's)" if mpp > high else ""
    return "" if low <= mpp <= high else f"got {mpp:.4g} micrometres per pixel{screen}, wanted {low} to {high}"


def _unlike_objective(mpp: MicronsPerPixel, power: float | None) -> str:
    low, high = MPP_TIMES_POWER
    if power is None or low <= mpp * power <= high:
        return ""
    return (
        f"{mpp:.4g} micrometres per pixel under a {power:g}x objective, which gives {10 / power:.2g} or somewhat less"
    )
