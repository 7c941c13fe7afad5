"""Reader: the pixels of a slide file, level by level, through OpenSlide or, for plain images, libvips."""

import logging
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import openslide
import pyvips
from einops import rearrange
from PIL import Image
from tifffile import TiffFile

from hepatica.cohort.errors import HepaticaError, SpecimenError

LARGEST_PLAIN = 200_000_000
"""Pixels above which an image without a pyramid is refused (ours): most such files are bombs or exported by mistake."""

LARGEST_TILE = 64_000_000
"""Pixels of a stored tile above which a slide is refused (ours): a damaged header asks for all the memory there is."""

LONGEST_SIDE = 2**20
"""Pixels of the longer side above which a header is damaged (ours): 75 mm under the finest objective have 700,000."""

MOST_PIXELS_A_BYTE = 1000
"""Pixels a byte of the file, of the level that an overview of 4096 pixels is read from, above which a header is damaged
(ours): blank glass as JPEG has about 100."""

LEAST_KNOWN = 64
"""Longer side of the smallest level, in pixels, below which it does not tell one slide from another (ours)."""

VENDOR_SUFFIXES = frozenset(
    {".bif", ".czi", ".dcm", ".isyntax", ".i2syntax", ".mds", ".mdsx", ".mrxs", ".ndpi", ".qptiff", ".scn", ".svs"}
    | {".svslide", ".vms", ".vmu", ".vsi", ".zvi"}
)
"""Names of scanners' formats (ours). What OpenSlide does not read under one is a slide with a part missing, or another
thing than it says: the picture inside is its overview or label."""

_PLAIN = {
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
}
_MIRAX_DATA = "Slidedat.ini"
_FRAMES = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff\xfe\xff\0\xe0"  # compressed pixel data, its first item
_FAR = 2**26  # bytes within which they begin, and of their offsets
_HEAD = 65536  # bytes in which a DICOM file names its series, and more than a list of images has
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

    `path` may be the folder of a MIRAX slide, or one that holds a single slide, such as the instances of a DICOM
    series. Messages never hold the file's name, which may be a patient's.
    """
    with as_specimen_error(path):
        path = _file_of(path)
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
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        reason = reason.replace(str(path), "the file").replace(path.name, "the file")
        raise SpecimenError(
            f"the slide cannot be read and is damaged or incomplete ({reason}); copy it again"
        ) from error


def parts_of(path: Path) -> list[Path]:
    """The files and folders that one slide consists of: itself first, then what MIRAX and Hamamatsu keep beside it."""
    suffix = path.suffix.lower()
    if suffix == ".mrxs":
        return [path, *(each for each in [path.with_suffix("")] if each.is_dir())]
    if suffix in (".vms", ".vmu") and path.is_file():
        named = _head(path).decode(errors="replace")
        return [path, *(each for each in sorted(path.parent.iterdir()) if f"={each.name}" in named)]
    return [path]


def _file_of(path: Path) -> Path:
    """The file by which OpenSlide opens what a specimen names; the path itself where that is a file."""
    if not path.is_dir():
        return path
    if (path / _MIRAX_DATA).is_file():
        beside = path.with_name(f"{path.name}.mrxs")
        if not beside.is_file():
            raise SpecimenError(
                "the folder of a MIRAX slide is there, but not the .mrxs file of the same name beside it"
            )
        return beside
    files = sorted(each for each in path.iterdir() if each.is_file())
    found = [each for each in files if openslide.OpenSlide.detect_format(each)]
    if not found:
        raise SpecimenError(f"the folder has {len(files)} files, none of them a slide that OpenSlide reads")
    with openslide.OpenSlide(found[0]) as first:
        series = first.properties.get("dicom.SeriesInstanceUID")
    others = [each for each in found[1:] if not series or not _names_series(each, series)]
    if others:
        raise SpecimenError(
            f"the folder has at least two slides, {len(others)} of its {len(found)} files are none of the first's;"
            " give each slide a row of its own"
        )
    return found[0]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _names_series(path: Path, series: str) -> bool:
    """Whether a DICOM file, with explicit or implicit kinds of value, has this SeriesInstanceUID."""
    head, uid = _head(path), series.encode() + b"\0" * (len(series) % 2)
    lengths = (b"UI" + len(uid).to_bytes(2, "little"), len(uid).to_bytes(4, "little"))
    return any(b"\x20\0\x0e\0" + length + uid in head for length in lengths)


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
            there = [each for each in path.parent.iterdir() if each.is_file() and _names_series(each, series)]
            _refuse_wrong_offsets(there)
        else:
            there = [each for part in parts_of(path) for each in (part, *part.rglob("*"))]
        _refuse_absurd(self.sizes, stored=stored, files=there)
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
        raise SpecimenError(_why_not(path))
    head = _head(path)[:132]
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
    _refuse_absurd([(image.width, image.height)], stored=[], files=[path])
    if image.format != "uchar" or image.bands - image.hasalpha() != 3:
        got = f"{image.bands} channels of {image.format} ({image.interpretation})"
        raise SpecimenError(f"the {kind.upper()} image has {got}, wanted 8-bit colour (RGB); export it again in colour")
    return PlainReader(image.flatten(background=255) if image.hasalpha() else image, path=path)


def _why_not(path: Path) -> str:
    """Why a file of a scanner's name is no slide: the part of it that is missing, where that is known."""
    suffix = path.suffix.lower()
    if suffix == ".mrxs":
        return (
            f"the .mrxs file is only the overview of a MIRAX slide: the folder of the same name beside it, with"
            f" {_MIRAX_DATA} and Data*.dat, is missing; copy that too"
        )
    if suffix in (".vms", ".vmu"):
        return f"the {suffix} file only lists the images of a Hamamatsu slide; copy the files it names beside it"
    return (
        f"the file is not a slide: it ends in {suffix}, but OpenSlide finds no slide in it: it is incomplete, or"
        " another image with that ending; copy the whole slide again, or convert it to a pyramidal TIFF"
    )


def _refuse_absurd(sizes: Sequence[tuple[int, int]], *, stored: Iterable[Sequence[int]], files: Iterable[Path]) -> None:
    """Bound the work by the data, not by what a header claims: of the slide, of the overview, of each level's tiles."""
    there = sum(each.stat().st_size for each in files)
    width, height = ([each for each in sizes if max(each) >= 4096] or sizes[:1])[-1]
    if max(sizes[0]) > LONGEST_SIDE or width * height > MOST_PIXELS_A_BYTE * there:
        raise SpecimenError(
            f"the header declares {sizes[0][0]} x {sizes[0][1]} pixels in {there} bytes: it is damaged; copy it again"
        )
    for width, height in stored:
        if width * height > LARGEST_TILE:
            raise SpecimenError(
                f"the header declares tiles of {width} x {height} pixels, at most {LARGEST_TILE:.0e} are read: it is"
                " damaged, or to be converted to a pyramidal TIFF"
            )


def _refuse_wrong_offsets(instances: Iterable[Path]) -> None:
    """Refuse DICOM whose table of frames does not ascend within the file, on which libdicom ends the whole process."""
    for instance in instances:
        with instance.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            start = content.find(_FRAMES, 0, _FAR) + len(_FRAMES)
            if start < len(_FRAMES):
                continue
            end = start + 4 + min(int.from_bytes(content[start : start + 4], "little"), _FAR) // 4 * 4
            offsets = np.frombuffer(content[start + 4 : end], "<u4").astype(np.int64)
            if (np.diff(offsets) <= 0).any() or offsets.max(initial=0) >= len(content):
                raise SpecimenError("the table of frames of a DICOM instance is damaged; copy the series again")


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
