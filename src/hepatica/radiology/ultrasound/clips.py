"""Clips: the images and cines of an ultrasound study: frames without text, their times, regions and spacing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels.processing import apply_color_lut

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import LARGEST, is_available, read_frames, tolerant
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.scans import SUFFIXES, visible
from hepatica.radiology.dicom.sources import Source, find_sources, identity, patients
from hepatica.radiology.ultrasound.masking import MARKED, coloured, shown
from hepatica.radiology.ultrasound.regions import Box, Region, read_regions

CINE = 8  # ours
"""Frames from which on a clip is a cine."""

MOST_PIXELS = 2**31  # ours
"""Of all frames of a clip together."""

_SEEN = 12  # ours: frames by which the outline of the image is found
_TOGETHER = 16  # frames a task
_WORKERS = 2
_MOST_CHANNELS = 3


@dataclass(frozen=True, kw_only=True)
class ClipFile:
    """One image or cine before a pixel is decoded; `dataset` has identifiers and is never printed."""

    source: Source = field(repr=False)
    dataset: pydicom.Dataset | None = field(repr=False)
    count: int
    regions: tuple[Region, ...]

    @property
    def seconds(self) -> np.ndarray:
        """When each frame was taken, from the first: (t,); NaN where a cine does not say."""
        return _seconds(self.dataset, self.count)

    def read(self) -> "Clip":
        """Decode and mask it; SpecimenError where its pixels are damaged."""
        with reading("an ultrasound image"):
            frames = _frames(self)
            boxes = [each.box for each in self.regions if each.kind in ("tissue", "colour flow")]
            some = frames[np.unique(np.linspace(0, len(frames) - 1, _SEEN).astype(int))]
            aside = [each.box for each in self.regions if each.kind not in ("tissue", "colour flow")]
            seen = shown(some, boxes=boxes, without=aside)
            bars = [(each, frames[0][each.box].copy()) for each in self.regions if each.kind == "colour bar"]
            np.multiply(frames, seen if frames.ndim == 3 else seen[..., None], out=frames)
            return Clip(file=self, frames=frames, seen=seen, bars=tuple(bars), boxes=tuple(boxes))


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """`frames` (t y x) grey, or (t y x 3) where any pixel is coloured, uint8, black but where `seen` (y x) bool.

    `bars` has the pixels of colour bars, which are masked like everything printed; `boxes` where tissue is shown.
    """

    file: ClipFile
    frames: np.ndarray = field(repr=False)
    seen: np.ndarray = field(repr=False)
    bars: tuple[tuple[Region, np.ndarray], ...] = field(repr=False)
    boxes: tuple[Box, ...]

    @property
    def kind(self) -> str:
        """b-mode, cine, elastogram (tissue in colours of a bar) or colour (flow, or colours without a bar)."""
        if any(each.kind == "colour flow" for each in self.file.regions):
            return "colour"
        if len(self.frames) >= CINE:
            return "cine"
        if coloured(self.frames[:1]).sum() < MARKED * max(self.seen.sum(), 1):
            return "b-mode"
        return "elastogram" if self.bars else "colour"

    @property
    def mm(self) -> tuple[float, float] | None:
        """Height and width of a pixel, None where unknown."""
        stated = (each.mm for each in self.file.regions if each.kind == "tissue" and each.mm)
        spacing = self.file.dataset.get("PixelSpacing") if self.file.dataset is not None else None
        return next(stated, (float(spacing[0]), float(spacing[1])) if spacing else None)

    @property
    def grey(self) -> np.ndarray:
        """(t y x) uint8: of colours the brightest channel, as contrast is tinted."""
        return self.frames if self.frames.ndim == 3 else self.frames.max(axis=-1)


def find_clips(path: Path) -> tuple[ClipFile, ...]:
    """The images of a file, folder or archive in the order of their numbers; pictures in the order of their names.

    SpecimenError where a file is of another modality, they are of several patients, or there is none.
    """
    pictures = [path] if path.is_file() else visible(path) if path.is_dir() else []
    if pictures and {each.suffix.lower() for each in pictures} <= set(SUFFIXES):
        return tuple(ClipFile(source=Source(path=each), dataset=None, count=1, regions=()) for each in sorted(pictures))
    found, refused = [], []
    with reading("the study"):
        for source in find_sources(path):
            try:
                found.append(_clip_file(source))
            except SpecimenError as error:
                refused.append(str(error))
    if not found:
        raise SpecimenError(f"got no ultrasound image ({'; '.join(dict.fromkeys(refused))}); wanted one or more")
    who = set(patients({identity(each.dataset) for each in found if each.dataset is not None}).values())
    if len(who) > 1:
        raise SpecimenError(f"got ultrasound of {len(who)} patients in one study, wanted one; separate them by patient")
    return tuple(sorted(found, key=_order))


def _order(clip: ClipFile) -> tuple[int, int, str]:
    numbers = [clip.dataset.get(name) for name in ("SeriesNumber", "InstanceNumber")] if clip.dataset else []
    series, instance = (int(each or 0) for each in numbers)
    return series, instance, str(clip.dataset.get("SOPInstanceUID")) if clip.dataset else ""


def _clip_file(source: Source) -> ClipFile:
    dataset = read_dataset(source)
    modality = str(dataset.get("Modality") or "unnamed")
    if modality != "US":
        raise SpecimenError(f"modality {modality}, not US")
    with tolerant():
        count, rows, columns = (int(dataset.get(name) or 0) for name in ("NumberOfFrames", "Rows", "Columns"))
        count = max(count, 1)
        if not 0 < rows * columns <= LARGEST or count * rows * columns > MOST_PIXELS:
            raise SpecimenError(f"got {count} frames of {rows} x {columns} pixels, not an ultrasound image")
        return ClipFile(source=source, dataset=dataset, count=count, regions=read_regions(dataset))


def _seconds(dataset: Any, count: int) -> np.ndarray:
    if count == 1:
        return np.zeros(1)
    vector = dataset.get("FrameTimeVector")
    if vector is not None and len(vector) == count:
        return np.cumsum(np.array(vector, float)) / 1000 - float(vector[0]) / 1000
    rate = dataset.get("CineRate") or dataset.get("RecommendedDisplayFrameRate")
    step = float(dataset.get("FrameTime") or (1000 / float(rate) if rate else np.nan))
    return np.asarray(step / 1000 * np.arange(count))


def _frames(clip: ClipFile) -> np.ndarray:
    """(t y x), or (t y x 3) where any of the first, middle and last frame is coloured, uint8."""
    if clip.dataset is None:
        with Image.open(clip.source.path) as image:
            if image.width * image.height > LARGEST:
                raise SpecimenError(f"got a picture of {image.width} x {image.height} pixels; leave it out")
            pixels = np.asarray(image.convert("RGB"))[None]
        return _thin(pixels)
    made: np.ndarray | None = None
    for start, part in _parts(clip):
        made = np.empty((clip.count, *part.shape[1:]), np.uint8) if made is None else made
        made[start : start + len(part)] = part
    assert made is not None
    return _thin(made)


def _thin(frames: np.ndarray) -> np.ndarray:
    """One channel where the three are alike; a copy that can be written to."""
    if frames.ndim == 4 and not coloured(frames[[0, len(frames) // 2, len(frames) - 1]]).any():
        return frames[..., 0].copy()
    return frames if frames.flags.writeable else frames.copy()


def _parts(clip: ClipFile) -> Iterator[tuple[int, np.ndarray]]:
    """Runs of decoded frames, each with the number of its first; on several threads where the decoder lets them run."""
    assert clip.dataset is not None
    syntax, dataset = str(clip.dataset.file_meta.get("TransferSyntaxUID") or ""), clip.dataset
    starts = range(0, clip.count, _TOGETHER)

    def read(start: int) -> np.ndarray:
        numbers = range(start, min(start + _TOGETHER, clip.count))
        found = read_frames(
            clip.source.path, member=clip.source.member, frames=numbers, transfer_syntax=syntax, raw=False
        )
        if any(each is None for each in found):
            raise SpecimenError("frames are damaged or cannot be decoded; send the file again")
        return _as_bytes(np.stack([each for each in found if each is not None]), dataset)

    with tolerant(), ThreadPoolExecutor(_WORKERS if is_available(syntax) else 1) as pool:
        yield from zip(starts, pool.map(read, starts), strict=True)


def _as_bytes(pixels: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    """Stored pixels as grey levels or red, green and blue of 0 to 255."""
    photometric = str(dataset.get("PhotometricInterpretation") or "")
    if photometric == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    bits = 8 * pixels.itemsize if pixels.ndim > _MOST_CHANNELS else int(dataset.get("BitsStored") or 8)
    if pixels.dtype != np.uint8:
        pixels = (pixels.astype(np.int64) >> max(bits - 8, 0)).clip(0, 255).astype(np.uint8)
    return np.asarray(255 - pixels if photometric == "MONOCHROME1" else pixels)
