"""Scale: a bar of a round length in the corner of a picture, so that a reader sees how large things are."""

import math
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SHARE = 0.25
"""Largest share of a picture's width that the bar takes (ours)."""

FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
"""It has the sign of micrometres, which Pillow's own font lacks."""


def round_length(extent: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is at most SHARE of an extent above 0."""
    power = 10.0 ** math.floor(math.log10(SHARE * extent))
    return next(each * power for each in (5, 2, 1) if each * power <= SHARE * extent * (1 + 1e-9))


def in_units(micrometres: float) -> str:
    """A length, in mm from 1 mm on."""
    return f"{micrometres / 1000:g} mm" if micrometres >= 1000 else f"{micrometres:g} µm"


def with_bar(picture: np.ndarray, *, width: float) -> np.ndarray:
    """A copy of a picture (h w 3) uint8 that shows `width` micrometres, with a bar and its length at the lower left."""
    high, wide = picture.shape[:2]
    length = round_length(width)
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    margin, thick = max(4, wide // 40), max(3, high // 100)
    left, right, bottom = margin, margin + round(length / width * wide), high - margin
    font = ImageFont.truetype(FONT, max(11, wide // 32))
    pen.rectangle((left - 1, bottom - thick - 1, right + 1, bottom + 1), fill="black", outline="white")
    pen.text((left, bottom - thick - 3), in_units(length), fill="black", stroke_fill="white", stroke_width=2, font=font,
             anchor="ls")  # fmt: skip
    return np.asarray(image)
