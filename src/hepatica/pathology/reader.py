"""Reader: the pixels of a slide file, level by level, through OpenSlide or, for plain images, libvips."""

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import openslide
import pyvips
from einops import rearrange
from PIL import Image
from tifffile import TiffFile

from hepatica.cohort.errors import HepaticaError, SpecimenError, miscoded
from hepatica.pathology.slide_files import (
    VENDOR_SUFFIXES,
    file_of,
    head_of,
    names_series,
    parts_of,
    refuse_absurd,
    refuse_wrong_offsets,
    why_not,
)

LARGEST_PLAIN = 200_000_000
"""Pixels above which an image without a pyramid is refused (ours): most such files are bombs or exported by mistake."""

LEAST_KNOWN = 64
"""Longer side of the smallest level, in pixels, below which it does not tell one slide from another (ours)."""

_PLAIN = {
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
}
_FAST_VENDORS = {"aperio", "generic-tiff"}  # whose first TIFF page is the finest level, tile by tile
_PROOFS = 4  # regions both libraries must read alike before libvips is trusted with a file
_PROOF_PIXELS = 1_000_000
_VIPS_DEFAULT_RESOLUTION = 1.0  # pixels per mm; libvips says this where a file says nothing


logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it finds wrong is not for the terminal


class Box(NamedTuple):
    """A rectangle of pixels of one level: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int


class Reader(Protocol):
    """One open file: level sizes and how far each is scaled down, and its pixels, with what it says of itself.

    `resolution` is its own mpp for x and y, `power` its objective's magnification, None where it does not say.
    `identity` is the same for every copy of one scan, whatever it is called, resaved or split into; None where no such
    thing is known.
    """

    sizes: tuple[tuple[int, int], ...]
    downsamples: tuple[float, ...]
    resolution: tuple[float, float] | None
    power: float | None
    identity: str | None

    def region(self, box: Box, *, level: int) -> np.ndarray:
        """(h w 3) uint8 on white; the box lies inside the level. SpecimenError when the pixels are damaged."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_reader(path: Path) -> Reader:
    """Open a slide with OpenSlide, or else a plain TIFF, PNG or JPEG; SpecimenError when it is neither or damaged.

    A TIFF of two channels is of two photons: the second (SHG, collagen) is shown red, the first (TPEF) green, no blue.

    `path` may be the folder of a MIRAX slide, or one that holds a single slide, such as the instances of a DICOM
    series. Messages never hold the file's name, which may be a patient's.
    """
    with as_specimen_error(path):
        path = file_of(path)
        if not path.is_file():
            raise SpecimenError("there is no such file")
        if path.stat().st_size == 0:
            raise SpecimenError("the file is empty (0 bytes); copy it again")
        if not os.access(path, os.R_OK):
            raise SpecimenError("the file cannot be read without permission; change its permissions, or leave it out")
        try:
            return OpenSlideReader(openslide.OpenSlide(path), path=path)
        except openslide.OpenSlideUnsupportedFormatError:
            return _open_plain(path)


@contextmanager
def as_specimen_error(path: Path) -> Iterator[None]:
    """Make a SpecimenError, in one line without the file's name, of whatever a library raises while it reads `path`."""
    try:
        yield
    except HepaticaError:
        raise
    except Exception as error:  # libraries raise anything on a damaged header: TypeError, MemoryError, struct.error
        if miscoded(error):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        reason = reason.replace(str(path), "the file").replace(path.name, "the file")
        raise SpecimenError(
            f"the slide cannot be read and is damaged or incomplete ({reason}); copy it again"
        ) from error


class OpenSlideReader:
    """Any format OpenSlide knows. At the finest level of a TIFF, libvips where it gives the same pixels faster."""

    def __init__(self, slide: openslide.OpenSlide, *, path: Path) -> None:
        self._slide = slide
        self._path = path
        self._proofs = 0
        self.sizes = slide.level_dimensions
        self.downsamples = slide.level_downsamples
        properties = slide.properties
        series = properties.get("dicom.SeriesInstanceUID")
        tile = "openslide.level[{}].tile-{}".format
        stored = [
            [int(properties.get(tile(k, name), 0)) for name in ("width", "height")] for k in range(len(self.sizes))
        ]
        if series:  # whose pixels lie in any file of the folder that names the series
            there = [each for each in path.parent.iterdir() if each.is_file() and names_series(each, series)]
            refuse_wrong_offsets(there)
        else:
            there = [each for part in parts_of(path) for each in (part, *part.rglob("*"))]
        refuse_absurd(self.sizes, stored=stored, files=there)
        x, y, self.power = (
            _number(properties.get(f"openslide.{name}")) for name in ("mpp-x", "mpp-y", "objective-power")
        )
        self.resolution = (x, y) if x and y else None
        known = max(self.sizes[-1]) >= LEAST_KNOWN
        self.identity = series or (properties.get("openslide.quickhash-1") if known else None)
        self._fast = _fast_region(slide, path)

    def region(self, box: Box, *, level: int) -> np.ndarray:
        """Read through libvips once its first regions have proved identical to OpenSlide's, else through OpenSlide."""
        proven = self._proofs >= _PROOFS
        if level or self._fast is None or not (proven or box.width * box.height <= _PROOF_PIXELS):
            return self._slow(box, level=level)
        try:
            fast = _fetch(self._fast, box)
        except pyvips.Error:
            self._fast = None
            return self._slow(box, level=level)
        if proven:
            return fast
        slow = self._slow(box, level=level)
        self._proofs += 1
        self._fast = self._fast if np.array_equal(fast, slow) else None
        return slow

    def close(self) -> None:
        """Let go of the file."""
        self._fast = None
        self._slide.close()

    def _slow(self, box: Box, *, level: int) -> np.ndarray:
        scale = self.downsamples[level]
        corner = (round(box.x * scale), round(box.y * scale))
        with as_specimen_error(self._path):
            image = self._slide.read_region(corner, level, (box.width, box.height))
        if image.getchannel("A").getextrema() == (255, 255):
            return np.asarray(image.convert("RGB"))
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        return np.asarray(white.convert("RGB"))


class PlainReader:
    """A TIFF, PNG or JPEG without a pyramid: one level."""

    power: float | None = None
    identity: str | None = None

    def __init__(self, image: pyvips.Image, *, path: Path) -> None:
        self._path = path
        self._region = pyvips.Region.new(image)
        self.sizes: tuple[tuple[int, int], ...] = ((image.width, image.height),)
        self.downsamples: tuple[float, ...] = (1.0,)
        known = min(image.xres, image.yres) > 0 and _VIPS_DEFAULT_RESOLUTION not in (image.xres, image.yres)
        self.resolution = (1000 / image.xres, 1000 / image.yres) if known else None

    def region(self, box: Box, *, level: int) -> np.ndarray:
        """Read from the only level."""
        assert level == 0
        with as_specimen_error(self._path):
            return _fetch(self._region, box)

    def close(self) -> None:
        """Let go of the file."""
        del self._region


def _open_plain(path: Path) -> PlainReader:
    if path.suffix.lower() in VENDOR_SUFFIXES:
        raise SpecimenError(why_not(path))
    head = head_of(path)[:132]
    kind = next((kind for magic, kind in _PLAIN.items() if head.startswith(magic)), None)
    if kind is None or head[128:] == b"DICM":  # a DICOM file may begin like a TIFF
        raise SpecimenError(
            "the file is not a slide: OpenSlide does not know its format and it is not a TIFF, PNG or JPEG;"
            " remove it from specimens.csv or convert it to a pyramidal TIFF"
        )
    image = _load(path, kind)
    largest = LARGEST_PLAIN // (4 if image.get_typeof("interlaced") else 1)  # which is decoded whole, in wide numbers
    if image.width * image.height > largest:
        raise SpecimenError(
            f"the {kind.upper()} image has {image.width} x {image.height} pixels and no pyramid, at most"
            f" {largest:.0e} are read; convert it: vips tiffsave IN OUT.tif --tile --pyramid --compression jpeg"
        )
    refuse_absurd([(image.width, image.height)], stored=[], files=[path])
    if kind == "tiff" and (image.bands, image.format) == (2, "uchar"):
        return PlainReader(image[1].bandjoin([image[0], 0]), path=path)
    if image.format != "uchar" or image.bands - image.hasalpha() != 3:
        got = f"{image.bands} channels of {image.format} ({image.interpretation})"
        raise SpecimenError(f"the {kind.upper()} image has {got}, wanted 8-bit colour (RGB); export it again in colour")
    return PlainReader(image.flatten(background=255) if image.hasalpha() else image, path=path)


def _fast_region(slide: openslide.OpenSlide, path: Path) -> pyvips.Region | None:
    if slide.properties["openslide.vendor"] not in _FAST_VENDORS or not _has_every_tile(path):
        return None
    with suppress(pyvips.Error):
        image = _load(path, "tiff")
        if (image.width, image.height, image.bands) == (*slide.dimensions, 3) and image.format == "uchar":
            return pyvips.Region.new(image)
    return None


def _has_every_tile(path: Path) -> bool:
    """Whether the first page is stored in tiles and none is left out, which libvips would show black, not as glass."""
    with TiffFile(path) as file:
        page = file.pages.first
        return page.is_tiled and 0 not in page.databytecounts


def _load(path: Path, kind: str) -> pyvips.Image:
    # revalidate: libvips remembers files by name and would show a replaced one as it was
    return getattr(pyvips.Image, f"{kind}load")(str(path), fail_on="error", revalidate=True)


def _fetch(region: pyvips.Region, box: Box) -> np.ndarray:
    pixels = np.frombuffer(region.fetch(*box), np.uint8)
    return rearrange(pixels, "(h w c) -> h w c", h=box.height, w=box.width)


def _number(text: str | None) -> float | None:
    """A property as a number above nought; None where it is absent or no such thing."""
    with suppress(ValueError):
        number = float(text or "")
        return number if 0 < number < math.inf else None
    return None
