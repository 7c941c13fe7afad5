"""Burned in: whether the pixels of a DICOM file may identify the patient, as text or as a picture of a screen."""

from collections.abc import Sequence

import numpy as np
from pydicom import Dataset
from pydicom.uid import UID
from scipy import ndimage

BORDER = 0.25  # ours
"""Part of the height and of the width, from each side, in which burned-in text is looked for."""

CONTRAST = 0.2  # ours
"""Least step between a character and what is around it, as part of the range of values of the image."""

FLAT = 0.05  # ours
"""Part of the range within which the pixels of one character's core lie: tissue and noise vary more."""

CORE = 0.2  # ours
"""Part of a character's pixels that belong to its core; the others may be smoothed edges."""

WIDEST_STROKE = 15  # ours
"""Pixels; what is wider is no stroke of a character."""

HEIGHTS = (5, 48)  # ours
"""Pixels a character is high."""

LINE = 4  # ours
"""Characters of one height on one line that count as text."""

PRINTED = 0.6  # ours
"""Part of the range from which on a character that lies on tissue differs from its speckle."""

GAP = 2.5  # ours
"""Heights between the middles of neighbouring characters of a line at most."""

_MODALITIES = {"US", "IVUS", "ES", "XC", "GM", "OT", "DOC"}
_SCREENS = {"SCREEN SAVE", "DOSE INFO", "SECONDARY_CAPTURE", "SCREENSHOT"}


def suspect_header(dataset: Dataset) -> tuple[str, ...]:
    """Why a file's header makes burned-in text likely; nothing where it does not.

    Ultrasound, photographs, secondary captures, screen saves and colour pictures are suspect whatever else they say;
    `BurnedInAnnotation` and `RecognizableVisualFeatures` (PS3.3 C.7.6.1) count when they are YES.
    """
    kind = [str(each).upper() for each in dataset.get("ImageType") or ()]
    modality = str(dataset.get("Modality") or "")
    reasons = {
        "the header says that text is burned in": _is_yes(dataset, "BurnedInAnnotation"),
        "the header says that the patient can be recognised": _is_yes(dataset, "RecognizableVisualFeatures"),
        f"modality {modality}, which usually has text burned in": modality in _MODALITIES,
        "a secondary capture": "SecondaryCapture" in UID(dataset.get("SOPClassUID") or "").keyword,
        "a screen save": bool(_SCREENS & set(kind)),
        "an overlay lies in unused bits of its pixels": _has_overlay_in_pixels(dataset),
        "a colour image": int(dataset.get("SamplesPerPixel") or 1) > 1,
    }
    return tuple(reason for reason, applies in reasons.items() if applies)


def _is_yes(dataset: Dataset, keyword: str) -> bool:
    return str(dataset.get(keyword) or "").upper() == "YES"


def _has_overlay_in_pixels(dataset: Dataset) -> bool:
    """OverlayBitPosition (60xx,0102) beyond 0 (PS3.3 C.9.2, retired): removing the attributes would not remove it."""
    places = [dataset.get((group, 0x0102)) for group in range(0x6000, 0x6100, 2)]
    return any(int(each.value or 0) > 0 for each in places if each is not None)


def text_like(image: np.ndarray) -> bool:
    """Whether something near the border of an image (y x) or (y x 3) looks like a line of text (ours).

    That is LINE pieces and more of equal brightness, sharply set off, equally high and side by side. It finds printed
    characters on a plain background, brighter or darker; it does not read, and small or faint text escapes it.
    """
    return any(_longest(_glyphs(each)) >= LINE for each in _both_ways(image))


def text_places(image: np.ndarray, *, border: float = BORDER) -> np.ndarray:
    """Where `text_like` finds lines of text as bright as printed, within a share `border` of each side: (y x) bool,
    each character with its neighbours.
    """
    found = np.zeros(np.shape(image)[:2], bool)
    for grey in _both_ways(image)[:1]:
        glyphs = _glyphs(grey, border=border, least=PRINTED)
        for y, x, high, _ in (each for each in glyphs if _beside(each, glyphs) >= LINE):
            top, left = max(int(y - high), 0), max(int(x - GAP * high), 0)
            found[top : int(y + high) + 1, left : int(x + GAP * high) + 1] = True
    return found


def _both_ways(image: np.ndarray) -> list[np.ndarray]:
    """The image on 0..1, bright on dark and dark on bright; none where it is of one value."""
    grey = np.asarray(image, np.float32)
    grey = grey.max(axis=-1) if grey.ndim == 3 else grey
    low, high = float(grey.min()), float(grey.max())
    if high <= low:
        return []
    grey = (grey - low) / (high - low)
    return [grey, 1 - grey]


def _glyphs(grey: np.ndarray, *, border: float = BORDER, least: float = 0.0) -> list["Glyph"]:
    """The pieces near the border that contrast with their surroundings and may be characters."""
    stands_out = (ndimage.white_tophat(grey, size=WIDEST_STROKE) > CONTRAST) & (grey >= least)
    down, across = (round(border * side) for side in grey.shape)
    stands_out[down : grey.shape[0] - down, across : grey.shape[1] - across] = False
    labels, _ = ndimage.label(stands_out, structure=np.ones((3, 3)))
    found = (_glyph(grey, labels, k, box) for k, box in enumerate(ndimage.find_objects(labels), start=1))
    return [each for each in found if each is not None]


def _glyph(grey: np.ndarray, labels: np.ndarray, label: int, box: tuple[slice, slice]) -> "Glyph | None":
    """A piece as a character, None where it is none."""
    high, wide = (part.stop - part.start for part in box)
    if not (HEIGHTS[0] <= high <= HEIGHTS[1] and 1 <= wide <= 1.5 * high):
        return None
    inside = grey[box][labels[box] == label]
    bright = float(np.percentile(inside, 90))
    if np.mean(inside > bright - FLAT) < CORE:
        return None
    y, x = ((part.start + part.stop) / 2 for part in box)
    return y, x, high, bright


Glyph = tuple[float, float, int, float]
"""Middle (y, x), height and brightness."""


def _longest(glyphs: Sequence[Glyph]) -> int:
    """Characters of the longest line."""
    return max((_beside(each, glyphs) for each in glyphs), default=0)


def _beside(glyph: Glyph, glyphs: Sequence[Glyph]) -> int:
    """Characters of the line that a glyph is of."""
    y, x, high, bright = glyph
    line = sorted(
        other[1]
        for other in glyphs
        if abs(other[0] - y) <= 0.35 * high and 0.6 <= other[2] / high <= 1.67 and abs(other[3] - bright) <= 2 * FLAT
    )
    runs = np.split(line, np.flatnonzero(np.diff(line) > GAP * high) + 1)
    return max(len(run) for run in runs if run[0] <= x <= run[-1])
