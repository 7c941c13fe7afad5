"""Outlines: what a pathologist outlined on a slide, in QuPath's GeoJSON, in pixels of the slide's finest level."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from hepatica.cohort.atomic import write_text

COLOURS = {
    "Tumor": (200, 0, 0),
    "Stroma": (150, 200, 150),
    "Necrosis": (50, 50, 50),
    "Immune cells": (160, 90, 160),
    "Normal": (90, 160, 220),
}
"""RGB, 0..255, of classes: QuPath's own, but for Normal, which it lacks."""

_LEAST = 12  # pixels of a map below which a piece is not outlined


def write_outlines(path: Path, numbers: np.ndarray, *, classes: Sequence[str], pixel: float) -> None:
    """Write a map (h w) as a FeatureCollection: one Polygon with its holes for each piece of a class.

    `numbers` are those of the classes from 1, 0 for none; `pixel` is the side of one of them in the slide's own.
    """
    features = [
        _feature(name, mask, pixel=pixel)
        for number, name in enumerate(classes, start=1)
        for mask in _pieces(numbers == number)
    ]
    write_text(path, json.dumps({"type": "FeatureCollection", "features": features}))


def _pieces(mask: np.ndarray) -> list[np.ndarray]:
    found, count = ndimage.label(mask)
    return [found == piece for piece in range(1, count + 1) if (found == piece).sum() >= _LEAST]


def _feature(name: str, mask: np.ndarray, *, pixel: float) -> dict[str, Any]:
    rings = [approximate_polygon(each, 0.5) for each in find_contours(np.pad(mask, 1).astype(float), 0.5)]
    rings = [each for each in rings if len(each) >= 4]
    rings.sort(key=lambda ring: -np.ptp(ring[:, 0]) * np.ptp(ring[:, 1]))  # the outermost first
    corners = [np.rint((ring[:, ::-1] - 0.5) * pixel).astype(int).tolist() for ring in rings]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": corners},
        "properties": {"objectType": "annotation", "classification": {"name": name, "color": list(COLOURS[name])}},
    }
