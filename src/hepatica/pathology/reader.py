"""Reader: the pixels of a slide file, level by level, through OpenSlide or, for plain images and OME-TIFF, libvips."""

import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol
from xml.etree import ElementTree

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
_MICROMETRES = {"µm": 1.0, "μm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}
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
    `origin` is the upper left corner of what was scanned, which QuPath alone shows, in pixels of the finest level.
    `identity` is the same for every copy of one scan, whatever it is called, resaved or split into; None where no such
    thing is known.
    """

    sizes: tuple[tuple[int, int], ...]
    downsamples: tuple[float, ...]
    resolution: tuple[float, float] | None
    power: float | None
    origin: tuple[int, int]
    identity: str | None

    def region(self, box: Box, *, level: int) -> np.ndarray:
        """(h w 3) uint8 on white; the box lies inside the level. SpecimenError when the pixels are damaged."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_reader(path: Path, *, fast: bool = True) -> Reader:
    """Open a slide with OpenSlide, or else a TIFF, PNG or JPEG; SpecimenError when it is neither or damaged.

    A TIFF whose pyramid lies in SubIFDs, as OME-TIFF's does, is read by libvips, for OpenSlide sees the finest level
    alone. Of a file of several images, such as the slide, its label and its overview, the slide alone is read.
    A TIFF of two channels is of two photons: the second (SHG, collagen) is shown red, the first (TPEF) green, no blue.

    Without `fast` a slide is opened sooner and takes less memory, for a few tiles at a time.

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
            slide = openslide.OpenSlide(path)
        except openslide.OpenSlideUnsupportedFormatError:
            return _open_plain(path)
        if slide.properties["openslide.vendor"] == "generic-tiff" and _has_subifds(path):
            slide.close()
            return _open_plain(path)
        return OpenSlideReader(slide, path=path, fast=fast)


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

    def __init__(self, slide: openslide.OpenSlide, *, path: Path, fast: bool = True) -> None:
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
        self.resolution = _ome_resolution(properties.get("tiff.ImageDescription", "")) or ((x, y) if x and y else None)
        left, top = (int(_number(properties.get(f"openslide.bounds-{axis}")) or 0) for axis in "xy")
        self.origin = (left, top)
        known = max(self.sizes[-1]) >= LEAST_KNOWN
        self.identity = series or (properties.get("openslide.quickhash-1") if known else None)
        self._fast = _fast_region(slide, path) if fast else None

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
    """A PNG or JPEG, of one level, or a TIFF with the `levels` of its SubIFDs."""

    power: float | None = None
    origin = (0, 0)
    identity: str | None = None

    def __init__(self, levels: Sequence[pyvips.Image], *, path: Path, description: str) -> None:
        self._path = path
        self._regions = [pyvips.Region.new(each) for each in levels]
        self.sizes: tuple[tuple[int, int], ...] = tuple((each.width, each.height) for each in levels)
        self.downsamples = tuple(levels[0].width / each.width for each in levels)
        x, y = levels[0].xres, levels[0].yres
        known = min(x, y) > 0 and _VIPS_DEFAULT_RESOLUTION not in (x, y)
        self.resolution = _ome_resolution(description) or ((1000 / x, 1000 / y) if known else None)

    def region(self, box: Box, *, level: int) -> np.ndarray:
        """Read from one level."""
        with as_specimen_error(self._path):
            return _fetch(self._regions[level], box)

    def close(self) -> None:
        """Let go of the file."""
        self._regions.clear()


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
    whole = _load(path, kind)
    levels = _levels(path, whole) if kind == "tiff" else [whole]
    image = levels[-1]
    largest = LARGEST_PLAIN // (4 if image.get_typeof("interlaced") else 1)  # which is decoded whole, in wide numbers
    if image.width * image.height > largest:
        raise SpecimenError(
            f"the {kind.upper()} image has {image.width} x {image.height} pixels and no pyramid, at most"
            f" {largest:.0e} are read; convert it: vips tiffsave IN OUT.tif --tile --pyramid --compression jpeg"
        )
    refuse_absurd([(each.width, each.height) for each in levels], stored=[], files=[path])
    description = _described(whole)
    if kind == "tiff" and (image.bands, image.format) == (2, "uchar"):
        return PlainReader([each[1].bandjoin([each[0], 0]) for each in levels], path=path, description=description)
    if image.format != "uchar" or image.bands - image.hasalpha() != 3:
        got = f"{image.bands} channels of {image.format} ({image.interpretation})"
        raise SpecimenError(f"the {kind.upper()} image has {got}, wanted 8-bit colour (RGB); export it again in colour")
    opaque = [each.flatten(background=255) if each.hasalpha() else each for each in levels]
    return PlainReader(opaque, path=path, description=description)


def _levels(path: Path, whole: pyvips.Image) -> list[pyvips.Image]:
    """The first image of a TIFF and those of its SubIFDs that are it, reduced; three grey pages of an OME-TIFF are its
    red, green and blue.
    """
    pages = range(3 if whole.bands == 1 and _ome(_described(whole)).get("SizeC") == "3" else 1)
    levels = [[_load(path, "tiff", page=page) for page in pages]]
    for level in range(whole.get("n-subifds") if whole.get_typeof("n-subifds") else 0):
        found = [_load(path, "tiff", page=page, subifd=level) for page in pages]
        ratio = whole.width / found[0].width
        if abs(whole.height / ratio - found[0].height) <= 1 and found[0].width < levels[-1][0].width:
            levels.append(found)
    return [first.bandjoin(others).copy(interpretation="srgb") if others else first for first, *others in levels]


def _described(image: pyvips.Image) -> str:
    return str(image.get("image-description")) if image.get_typeof("image-description") else ""


def _has_subifds(path: Path) -> bool:
    with TiffFile(path) as file:
        return bool(file.pages.first.subifds)


def _ome(description: str) -> Mapping[str, str]:
    """Attributes of the first image that OME-XML describes; none of any other text."""
    if "<OME" not in description[:1000]:
        return {}
    with suppress(ElementTree.ParseError):
        found = ElementTree.fromstring(description.encode()).find(".//{*}Pixels")
        return {} if found is None else found.attrib
    return {}


def _ome_resolution(description: str) -> tuple[float, float] | None:
    """Micrometres per pixel in x and y of OME-XML, where it says so."""
    pixels = _ome(description)
    sizes = [_number(pixels.get(f"PhysicalSize{axis}")) or 0 for axis in "XY"]
    units = [_MICROMETRES.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"), 0) for axis in "XY"]
    x, y = (size * unit for size, unit in zip(sizes, units, strict=True))
    return (x, y) if x and y else None


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


def _load(path: Path, kind: str, **of_tiff: int) -> pyvips.Image:
    # revalidate: libvips remembers files by name and would show a replaced one as it was
    return getattr(pyvips.Image, f"{kind}load")(str(path), fail_on="error", revalidate=True, **of_tiff)


def _fetch(region: pyvips.Region, box: Box) -> np.ndarray:
    pixels = np.frombuffer(region.fetch(*box), np.uint8)
    return rearrange(pixels, "(h w c) -> h w c", h=box.height, w=box.width)


def _number(text: str | None) -> float | None:
    """A property as a number above nought; None where it is absent or no such thing."""
    with suppress(ValueError):
        number = float(text or "")
        return number if 0 < number < math.inf else None
    return None
