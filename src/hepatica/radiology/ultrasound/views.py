"""Views: what a network reads of an ultrasound image: squares of tissue at one or several resolutions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image
from scipy import ndimage

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.ultrasound.clips import Clip

ASSUMED_DEPTH_MM = 150.0
"""Height of the tissue of a picture whose file does not say how long its pixels are (ours)."""

WHOLE = 0.95
"""Share of a square that is tissue at least (ours)."""

LIVER, FIRST_LESION = 1, 2
"""Numbers of a mask: the liver, and from this one on its lesions."""


@dataclass(frozen=True, kw_only=True)
class Viewing:
    """Which views are cut: `side` pixels of `pixel_mm`, a square every `step_mm`, at `scales` times the width."""

    kind: Literal["patches"]
    side: int
    pixel_mm: float
    step_mm: float
    scales: tuple[float, ...]
    images: int


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """`values` (y x c) uint8 and what is known of it: the number of its image from 1, its centre in mm from the image's
    upper left corner, and the share that a mask calls lesion (none: no mask).
    """

    values: np.ndarray
    row: dict[str, Any]


def views(clips: Sequence[Clip], masks: np.ndarray | None, *, viewing: Viewing) -> list[View]:
    """The views of a study, whose `masks` (image y x) are in the order of its clips; SpecimenError without any."""
    still = [k for k, each in enumerate(clips) if each.kind == "b-mode"][: viewing.images]
    if not still:
        kinds = ", ".join(sorted({each.kind for each in clips}))
        raise SpecimenError(f"got ultrasound of the kinds {kinds}, wanted a B-mode image; send one")
    found = [
        each for k in still for each in _patches(clips[k], _plane(masks, k, clips[k]), number=k + 1, viewing=viewing)
    ]
    if not found:
        raise SpecimenError(f"no square of {viewing.side * viewing.pixel_mm:.0f} mm of the image shows tissue alone")
    return found


def _plane(masks: np.ndarray | None, number: int, clip: Clip) -> np.ndarray | None:
    if masks is None or number >= len(masks):
        return None
    if masks[number].shape != clip.seen.shape:
        raise SpecimenError(
            f"got a mask of {masks[number].shape} for image {number + 1} of {clip.seen.shape} pixels, wanted the same"
        )
    return np.asarray(masks[number])


def millimetres(clip: Clip) -> tuple[float, float]:
    """Height and width of a clip's pixels; where it does not say, its tissue is taken to be ASSUMED_DEPTH_MM high."""
    if clip.mm is not None:
        return clip.mm
    rows = np.flatnonzero(clip.seen.any(axis=1))
    each = ASSUMED_DEPTH_MM / max(np.ptp(rows) + 1 if rows.size else 1, 1)
    return float(each), float(each)


def resized(picture: np.ndarray, *, mm: tuple[float, float], to_mm: float, smooth: bool = True) -> np.ndarray:
    """A picture (y x) uint8 on pixels of `to_mm`, averaged over those it joins; or, unless `smooth`, the nearest."""
    rows, columns = (max(round(side * each / to_mm), 1) for side, each in zip(picture.shape, mm, strict=True))
    how = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(picture).resize((columns, rows), how))


def _patches(clip: Clip, mask: np.ndarray | None, *, number: int, viewing: Viewing) -> Iterator[View]:
    """Squares in rows and columns, wherever they lie in tissue, whatever a mask says."""
    mm, fine, side = millimetres(clip), viewing.pixel_mm, viewing.side
    seen = resized(clip.seen.astype(np.uint8), mm=mm, to_mm=fine, smooth=False)
    levels = [resized(clip.grey[0], mm=mm, to_mm=fine * scale) for scale in viewing.scales]
    lesion = None if mask is None else resized(mask, mm=mm, to_mm=fine, smooth=False) >= FIRST_LESION
    whole = ndimage.uniform_filter(seen.astype(np.float32), side, mode="constant")
    step = max(round(viewing.step_mm / fine), 1)
    for y in range(side // 2, seen.shape[0] - side // 2, step):
        for x in range(side // 2, seen.shape[1] - side // 2, step):
            if whole[y, x] < WHOLE:
                continue
            cuts = [
                _cut(level, round(y / scale), round(x / scale), side)
                for level, scale in zip(levels, viewing.scales, strict=True)
            ]
            share = np.nan if lesion is None else float(_cut(lesion, y, x, side).mean())
            place = {"x_mm": round(x * fine, 2), "y_mm": round(y * fine, 2)}
            yield View(values=np.stack(cuts, axis=-1), row={"image": number, **place, "lesion": share})


def _cut(picture: np.ndarray, y: int, x: int, side: int) -> np.ndarray:
    """A square of a picture, 0 beyond it."""
    half = side // 2
    top, left = max(half - y, 0), max(half - x, 0)
    inside = picture[max(y - half, 0) : y - half + side, max(x - half, 0) : x - half + side]
    made = np.zeros((side, side), picture.dtype)
    made[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return made
