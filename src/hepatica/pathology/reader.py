"""Reader: the pixels of a slide file, level by level, through OpenSlide or, for plain images, libvips."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import openslide
import pyvips
from einops import rearrange
from PIL import Image
from tifffile import TiffFile

from hepatica.cohort.errors import SpecimenError

LARGEST_PLAIN = 200_000_000
"""Pixels above which an image without a pyramid is refused (ours): most such files are bombs or exported by mistake."""

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


class Box(NamedTuple):
    """A rectangle of pixels of one level: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int


class Reader(Protocol):
    """One open file: level sizes and how far each is scaled down, its own mpp for x and y, and its pixels."""

    sizes: tuple[tuple[int, int], ...]
    downsamples: tuple[float, ...]
    resolution: tuple[float, float] | None

    def region(self, box: Box, *, level: int) -> np.ndarray:
        """(h w 3) uint8 on white; the box lies inside the level. SpecimenError when the pixels are damaged."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_reader(path: Path) -> Reader:
    """Open a slide with OpenSlide, or else a plain TIFF, PNG or JPEG; SpecimenError when it is neither or damaged.

    Messages never hold the file's name, which may be a patient's.
    """
    if not path.is_file():
        raise SpecimenError("there is no such file")
    if path.stat().st_size == 0:
        raise SpecimenError("the file is empty (0 bytes); copy it again")
    if not os.access(path, os.R_OK):
        raise SpecimenError("the file may not be read; give yourself the right to, or leave it out")
    try:
        return OpenSlideReader(openslide.OpenSlide(path), path=path)
    except openslide.OpenSlideUnsupportedFormatError:
        return _open_plain(path)
    except openslide.OpenSlideError as error:
        raise SpecimenError(
            f"the slide cannot be read and may be damaged or incomplete; OpenSlide says: {_anonymous(error, path)}"
        ) from None


class OpenSlideReader:
    """Any format OpenSlide knows. At the finest level of a TIFF, libvips where it gives the same pixels faster."""

    def __init__(self, slide: openslide.OpenSlide, *, path: Path) -> None:
        self._slide = slide
        self._path = path
        self._fast = _fast_region(slide, path)
        self._proofs = 0
        self.sizes = slide.level_dimensions
        self.downsamples = slide.level_downsamples
        x, y = (slide.properties.get(f"openslide.mpp-{axis}") for axis in "xy")
        self.resolution = (float(x), float(y)) if x and y else None

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
        try:
            image = self._slide.read_region(corner, level, (box.width, box.height))
        except openslide.OpenSlideError as error:
            said = _anonymous(error, self._path)
            raise SpecimenError(
                f"the slide cannot be read and may be damaged or incomplete; OpenSlide says: {said}"
            ) from None
        if image.getchannel("A").getextrema() == (255, 255):
            return np.asarray(image.convert("RGB"))
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        return np.asarray(white.convert("RGB"))


class PlainReader:
    """A TIFF, PNG or JPEG without a pyramid: one level."""

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
        try:
            return _fetch(self._region, box)
        except pyvips.Error as error:
            said = _anonymous(_last_line(error), self._path)
            raise SpecimenError(f"the image is damaged or incomplete; libvips says: {said}") from None

    def close(self) -> None:
        """Let go of the file."""
        del self._region


def _open_plain(path: Path) -> PlainReader:
    with path.open("rb") as file:
        head = file.read(132)
    kind = next((kind for magic, kind in _PLAIN.items() if head.startswith(magic)), None)
    if kind is None or head[128:] == b"DICM":  # a DICOM file may begin like a TIFF
        raise SpecimenError(
            "the file is not a slide: OpenSlide does not know its format and it is no TIFF, PNG or JPEG;"
            " remove it from specimens.csv or convert it to a pyramidal TIFF"
        )
    try:
        image = _load(path, kind)
    except pyvips.Error as error:
        said = _anonymous(_last_line(error), path)
        raise SpecimenError(f"the {kind.upper()} file is damaged or incomplete; libvips says: {said}") from None
    if image.width * image.height > LARGEST_PLAIN:
        raise SpecimenError(
            f"the {kind.upper()} image has {image.width} x {image.height} pixels and no pyramid, at most"
            f" {LARGEST_PLAIN:.0e} are read; convert it: vips tiffsave IN OUT.tif --tile --pyramid --compression jpeg"
        )
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


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()


def _anonymous(said: object, path: Path) -> str:
    return str(said).replace(str(path), "the file").replace(path.name, "the file")
