"""Views: what a network reads of ultrasound: squares of tissue, the capsule, elastograms and cines of lesions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image
from scipy import ndimage

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.ultrasound.clips import Clip
from hepatica.radiology.ultrasound.elastogram import read_elastogram
from hepatica.radiology.ultrasound.masking import coloured
from hepatica.radiology.ultrasound.regions import Box

ASSUMED_DEPTH_MM = 150.0
"""Height of the tissue of a picture whose file does not say how long its pixels are (ours)."""

WHOLE = 0.95
"""Share of a square that is tissue at least (ours)."""

LIVER, FIRST_LESION = 1, 2
"""Numbers of a mask: the liver, and from this one on its lesions."""


MOST_KPA = 75.0
"""Stiffness that is stored as 255 (ours)."""

RELIABLE = 0.3
"""Share of an elastogram's box whose colours can be read, at least (ours)."""

MARGIN = 0.7
"""Side of a lesion's box as a share of that of the view of its cine (ours)."""

Kind = Literal["patches", "capsule", "elastogram", "cine"]


@dataclass(frozen=True, kw_only=True)
class Viewing:
    """Which views are cut, of `side` pixels. Squares are of `pixel_mm`, one every `step_mm`: at `scales` times the
    width (patches), or with the capsule above it (capsule). A cine has `times`, from its first to its last frame.
    """

    kind: Kind
    side: int
    pixel_mm: float = 0.5
    step_mm: float = 14.0
    scales: tuple[float, ...] = (1.0,)
    images: int = 4
    times: int = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """`values` (y x c) uint8, of a cine (t y x c), and what is known of it: the number of its image from 1, its centre
    in mm from the image's upper left corner, the share that a mask calls lesion (none: no mask), and more.
    """

    values: np.ndarray
    row: dict[str, Any]


def views(
    clips: Sequence[Clip], masks: np.ndarray | None, *, viewing: Viewing, kpa_max: float | None = None
) -> list[View]:
    """The views of a study, whose `masks` (image y x) are in the order of its clips; SpecimenError without any."""
    wanted = {"elastogram": "elastogram", "cine": "cine"}.get(viewing.kind, "b-mode")
    own = [k for k, each in enumerate(clips) if each.kind == wanted][: viewing.images]
    if not own:
        kinds = ", ".join(sorted({each.kind for each in clips}))
        raise SpecimenError(f"got ultrasound of the kinds {kinds}, wanted {wanted}; send one")
    found: list[View] = []
    for k in own:
        how: dict[str, Any] = {"number": k + 1, "viewing": viewing}
        if wanted == "elastogram":
            found += _elastogram(clips[k], kpa_max=kpa_max, **how)
        else:
            found += (_cine if wanted == "cine" else _patches)(clips[k], _plane(masks, k, clips[k]), **how)
    if not found:
        needed = f"a square of {viewing.side * viewing.pixel_mm:.0f} mm of tissue alone"
        if wanted == "elastogram":
            needed = f"an elastogram of whose box {RELIABLE:.0%} has colours of the bar"
        raise SpecimenError(f"got no view of the {wanted}, wanted {needed}; send a better image")
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
    grey = evened(clip.grey[0], clip.seen)
    levels = [resized(grey, mm=mm, to_mm=fine * scale) for scale in viewing.scales]
    strip = capsule_strip(levels[0], seen > 0, pixel_mm=fine) if viewing.kind == "capsule" else None
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
            if strip is not None:
                beside = strip[:, x - side // 2 : x - side // 2 + side]
                cuts.append(np.asarray(Image.fromarray(beside).resize((side, side), Image.Resampling.BILINEAR)))
            share = np.nan if lesion is None else float(_cut(lesion, y, x, side).mean())
            yield View(values=np.stack(cuts, axis=-1), row=_row(number, y * fine, x * fine) | {"lesion": share})


def evened(grey: np.ndarray, seen: np.ndarray, *, mean: float = 96, spread: float = 32) -> np.ndarray:
    """A picture (y x) uint8 whose tissue has this mean and standard deviation (ours), as gain and dynamic range of
    machines differ.
    """
    own = grey[seen].astype(np.float32)
    scaled = (grey - own.mean()) / max(float(own.std()), 1.0) * spread + mean
    return np.asarray(np.where(seen, scaled.clip(1, 255), 0), np.uint8)


def _row(number: int, y_mm: float, x_mm: float) -> dict[str, Any]:
    return {"image": number, "x_mm": round(x_mm, 2), "y_mm": round(y_mm, 2), "lesion": np.nan}


def _cut(picture: np.ndarray, y: int, x: int, side: int) -> np.ndarray:
    """A square of a picture, 0 beyond it."""
    top, left = y - side // 2, x - side // 2
    return _padded(picture, (slice(top, top + side), slice(left, left + side)))


def capsule_strip(grey: np.ndarray, seen: np.ndarray, *, pixel_mm: float) -> np.ndarray:
    """A band (rows x) of a picture along the capsule's course, from ABOVE_MM above it to BELOW_MM below, straightened.

    The course is smoothed over COURSE_MM, so that what is rough about the capsule stays.
    """
    course = capsule_course(grey, seen, pixel_mm=pixel_mm)
    smooth = ndimage.gaussian_filter1d(course.astype(float), COURSE_MM / pixel_mm, mode="nearest")
    rows = np.arange(-round(ABOVE_MM / pixel_mm), round(BELOW_MM / pixel_mm))[:, None] + np.rint(smooth).astype(int)
    return np.asarray(grey[rows.clip(0, len(grey) - 1), np.arange(grey.shape[1])])


ABOVE_MM, BELOW_MM, COURSE_MM = 5.0, 11.0, 20.0
"""Of the strip along the capsule (ours)."""

CAPSULE_MM = (10.0, 42.0)
"""Depths below the skin between which the capsule is looked for (ours)."""


def capsule_course(grey: np.ndarray, seen: np.ndarray, *, pixel_mm: float) -> np.ndarray:
    """The row (x,) of the liver's capsule in each column: the brightest thin line across the image, by the path whose
    sum of brightness above what is 2 mm over and under it is largest and that moves a pixel a column at most.
    """
    top = int(np.flatnonzero(seen.any(axis=1))[:1].sum())
    first, last = (top + round(each / pixel_mm) for each in CAPSULE_MM)
    away = max(round(2 / pixel_mm), 1)
    soft = ndimage.gaussian_filter(grey.astype(np.float32), (1, 3))
    line = soft - (np.roll(soft, away, axis=0) + np.roll(soft, -away, axis=0)) / 2
    window = np.where(seen, line, 0)[first:last]
    best, steps = window[:, 0], []
    for column in window.T[1:]:
        around = np.stack([np.roll(best, 1), best, np.roll(best, -1)])
        around[0, 0] = around[2, -1] = -np.inf
        steps.append(around.argmax(axis=0) - 1)
        best = around.max(axis=0) + column
    place = [int(best.argmax())]
    for step in reversed(steps):
        place.append(place[-1] + int(step[place[-1]]))
    return first + np.array(place[::-1])


def _elastogram(clip: Clip, *, number: int, viewing: Viewing, kpa_max: float | None) -> list[View]:
    """The box in which stiffness was measured: B-mode, kPa and where it can be read, as channels; none that is not
    RELIABLE.
    """
    kpa = read_elastogram(clip, kpa_max=kpa_max)
    known = np.isfinite(kpa)
    if not known.any():
        return []
    (box,) = ndimage.find_objects(known.astype(np.uint8))
    share = float(known[box].mean())
    if share < RELIABLE:
        return []
    quality = 255.0 * known[box]
    scaled = 255 * np.clip(np.nan_to_num(kpa[box]) / MOST_KPA, 0, 1)
    weight, weighted = (_square(each, viewing.side) for each in (quality, scaled * known[box]))
    stiff = np.where(weight > 0, weighted * 255 / np.maximum(weight, 1), 0)
    grey = _square(evened(_beneath(clip, box), clip.seen[box]), viewing.side)
    values = np.stack([grey, stiff, weight], axis=-1)
    down, across = millimetres(clip)
    centre = ((each.start + each.stop) / 2 for each in box)
    row = _row(number, *(place * mm for place, mm in zip(centre, (down, across), strict=True)))
    about = {"kpa": float(np.median(kpa[known])), "quality": share}
    return [View(values=np.rint(values).clip(0, 255).astype(np.uint8), row=row | about)]


def _beneath(clip: Clip, box: Box) -> np.ndarray:
    """Grey levels at a box: of the image without colours beside it, or what is grey of the colours themselves."""
    frame = clip.frames[0]
    own = next((each for each in clip.boxes if all(_within(a, b) for a, b in zip(box, each, strict=True))), None)
    for other in () if own is None else clip.boxes:
        if own is not None and other != own and not coloured(frame[other][None]).any():
            moved = tuple(
                slice(a.start - b.start + c.start, a.stop - b.start + c.start)
                for a, b, c in zip(box, own, other, strict=True)
            )
            return np.asarray(frame[moved].max(axis=-1), np.float32)
    return np.asarray(frame[box].min(axis=-1), np.float32)


def _within(inner: slice, outer: slice) -> bool:
    return bool(outer.start <= inner.start and inner.stop <= outer.stop)


def _square(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture (y x) float as side x side, averaged over the pixels it joins."""
    made = Image.fromarray(np.asarray(picture, np.float32)).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(made)


def _cine(clip: Clip, mask: np.ndarray | None, *, number: int, viewing: Viewing) -> list[View]:
    """The largest lesion of a cine with what is around it, or all of the image without mask: contrast, B-mode and mask
    (255 lesion) as channels, at evenly spread times. Of two images side by side contrast is that which brightens more.
    """
    seconds = clip.file.seconds
    if not np.isfinite(seconds).all():
        raise SpecimenError("the cine does not say when its frames were taken; send it as the machine stored it")
    contrast, still = _by_brightening(clip)
    lesion = np.zeros(clip.seen.shape, bool) if mask is None else mask >= FIRST_LESION
    local = _largest(lesion[contrast])
    around = _around(local if local.any() else clip.seen[contrast], share=MARGIN if local.any() else 1.0)
    picked = np.abs(seconds[:, None] - np.linspace(0, seconds[-1], viewing.times)).argmin(axis=0)
    frames = clip.grey[picked]

    def cut(pictures: np.ndarray, box: Box) -> np.ndarray:
        return np.stack([_square(_padded(each[box], around), viewing.side) for each in pictures])

    marked = np.repeat(
        255.0 * (_square(_padded(local.astype(np.float32), around), viewing.side) > 0.5)[None], len(frames), axis=0
    )
    values = np.stack([cut(frames, contrast), cut(frames, still), marked], axis=-1)
    down, across = millimetres(clip)
    row = _row(
        number,
        down * (contrast[0].start + around[0].start + around[0].stop) / 2,
        across * (contrast[1].start + around[1].start),
    )
    row |= {"lesion": float(local.any()), "duration_s": float(seconds[-1])}
    return [View(values=np.rint(values).clip(0, 255).astype(np.uint8), row=row)]


def _by_brightening(clip: Clip) -> tuple[Box, Box]:
    """The box of the contrast image and that of its B-mode, which is the same where there is but one."""
    boxes = clip.boxes or ((slice(0, clip.seen.shape[0]), slice(0, clip.seen.shape[1])),)
    gains = [clip.grey[:, each[0], each[1]].reshape(len(clip.grey), -1).mean(axis=1) for each in boxes]
    order = np.argsort([-(each.max() - each[0]) for each in gains], kind="stable")
    return boxes[order[0]], boxes[order[min(1, len(boxes) - 1)]]


def _largest(marked: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(marked)
    return marked if count < 2 else np.asarray(labels == np.bincount(labels.ravel())[1:].argmax() + 1)


def _around(marked: np.ndarray, *, share: float) -> Box:
    """The square around what is marked, whose box is this share of its side; it may reach beyond the picture."""
    (box,) = ndimage.find_objects(marked.astype(np.uint8)) or ((slice(0, len(marked)), slice(0, marked.shape[1])),)
    side = int(np.ceil(max(each.stop - each.start for each in box) / share))
    starts = [(each.start + each.stop - side) // 2 for each in box]
    return slice(starts[0], starts[0] + side), slice(starts[1], starts[1] + side)


def _padded(picture: np.ndarray, box: Box) -> np.ndarray:
    """A box of a picture, 0 beyond it."""
    made = np.zeros([each.stop - each.start for each in box], picture.dtype)
    inside = tuple(
        slice(max(each.start, 0), min(each.stop, side)) for each, side in zip(box, picture.shape, strict=True)
    )
    there = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(inside, box, strict=True))
    made[there] = picture[inside]
    return made
