"""Slide files: the files of one slide, and what their headers may claim."""

from collections.abc import Iterable, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import openslide

from hepatica.cohort.errors import SpecimenError

LARGEST_TILE = 64_000_000
"""Pixels of a stored tile above which a slide is refused (ours): a damaged header asks for all the memory there is."""

LONGEST_SIDE = 2**20
"""Pixels of the longer side above which a header is damaged (ours): 75 mm under the finest objective have 700,000."""

MOST_PIXELS_A_BYTE = 1000
"""Pixels a byte of the file, of the level that an overview of 4096 pixels is read from, above which a header is damaged
(ours): blank glass as JPEG has about 100."""

VENDOR_SUFFIXES = frozenset(
    {".bif", ".czi", ".dcm", ".isyntax", ".i2syntax", ".mds", ".mdsx", ".mrxs", ".ndpi", ".qptiff", ".scn", ".svs"}
    | {".svslide", ".vms", ".vmu", ".vsi", ".zvi"}
)
"""Names of scanners' formats (ours). What OpenSlide does not read under one is a slide with a part missing, or another
thing than it says: the picture inside is its overview or label."""

_MIRAX_DATA = "Slidedat.ini"
_FRAMES = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff\xfe\xff\0\xe0"  # compressed pixel data, its first item
_FAR = 2**26  # bytes within which they begin, and of their offsets
_HEAD = 65536  # bytes in which a DICOM file names its series, and more than a list of images has


def parts_of(path: Path) -> list[Path]:
    """The files and folders that one slide consists of: itself first, then what MIRAX and Hamamatsu keep beside it."""
    suffix = path.suffix.lower()
    if suffix == ".mrxs":
        return [path, *(each for each in [path.with_suffix("")] if each.is_dir())]
    if suffix in (".vms", ".vmu") and path.is_file():
        named = head_of(path).decode(errors="replace")
        return [path, *(each for each in sorted(path.parent.iterdir()) if f"={each.name}" in named)]
    return [path]


def file_of(path: Path) -> Path:
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
    others = [each for each in found[1:] if not series or not names_series(each, series)]
    if others:
        raise SpecimenError(
            f"the folder has at least two slides, {len(others)} of its {len(found)} files are none of the first's;"
            " give each slide a row of its own"
        )
    return found[0]


def head_of(path: Path) -> bytes:
    """The first bytes of a file, as many as name a DICOM series and hold a list of images."""
    with path.open("rb") as file:
        return file.read(_HEAD)


def names_series(path: Path, series: str) -> bool:
    """Whether a DICOM file, with explicit or implicit kinds of value, has this SeriesInstanceUID."""
    head, uid = head_of(path), series.encode() + b"\0" * (len(series) % 2)
    lengths = (b"UI" + len(uid).to_bytes(2, "little"), len(uid).to_bytes(4, "little"))
    return any(b"\x20\0\x0e\0" + length + uid in head for length in lengths)


def why_not(path: Path) -> str:
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


def refuse_absurd(sizes: Sequence[tuple[int, int]], *, stored: Iterable[Sequence[int]], files: Iterable[Path]) -> None:
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


def refuse_wrong_offsets(instances: Iterable[Path]) -> None:
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
