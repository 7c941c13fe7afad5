"""Heatmap: the risk of each tile laid over its slide, as a picture and as objects that QuPath opens."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from hepatica.cohort.atomic import replacing, write_text
from hepatica.cohort.errors import EvaluationError
from hepatica.saliency.scale import with_bar

COLORMAP = "RdYlBu_r"
"""Blue to red over pale yellow: a ColorBrewer scale that colour-blind readers can tell apart."""

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Shares of red, green and blue in grey (ITU-R BT.709)."""

INCHES = 5.0
"""Longer side of the saved picture of the slide."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """A class of tiles in QuPath: those scored at least `low`, in 0..1, up to the next band. `color`: RGB, 0..255."""

    name: str
    low: float
    color: tuple[int, int, int]


THIRDS = (
    Band(name="low risk", low=0.0, color=(69, 117, 180)),
    Band(name="intermediate risk", low=1 / 3, color=(254, 224, 144)),
    Band(name="high risk", low=2 / 3, color=(215, 48, 39)),
)
"""Thirds of the score's range (ours), in colours of the overlay."""


def overlay(
    thumbnail: np.ndarray,
    corners: np.ndarray,
    scores: np.ndarray,
    *,
    extent: float,
    size: tuple[int, int],
    opacity: float = 0.5,
    colormap: str = COLORMAP,
    limits: tuple[float, float] = (0.0, 1.0),
) -> np.ndarray:
    """Colour the scored tiles on a thumbnail (h, w, 3) uint8, over grey tissue; the rest stays plain. A new picture.

    `corners`: (n, 2), left and top of each tile in pixels of the slide's finest level; `extent`: the tiles' side and
    `size`: the slide's width and height in the same pixels. `scores`: (n,), in 0..1. `limits`: the scores that get the
    colours at the two ends of the scale. Where tiles overlap, the mean of their scores is shown.

    Raises EvaluationError for scores that are missing or outside 0..1, or that do not match the corners.
    """
    corners, scores = _checked(corners, scores)
    mean, scored = _mean_scores(thumbnail.shape[:2], corners, scores, extent=extent, size=size)
    tint = colormaps[colormap](Normalize(*limits, clip=True)(mean[scored]))[:, :3] * 255
    grey = thumbnail[scored] @ LUMINANCE  # under the tint tissue is grey, so that pink is never taken for risk
    painted = np.array(thumbnail)
    painted[scored] = np.rint((1 - opacity) * grey[:, None] + opacity * tint).astype(np.uint8)
    return painted


def _mean_scores(
    shape: tuple[int, ...], corners: np.ndarray, scores: np.ndarray, *, extent: float, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean score of each thumbnail pixel, and which pixels have one; a tile is never less than one pixel."""
    scale = np.array([shape[1], shape[0]]) / size
    start = np.rint(corners * scale).astype(int)
    stop = np.maximum(np.rint((corners + extent) * scale).astype(int), start + 1)
    total, count = np.zeros(shape), np.zeros(shape)
    for (left, top), (right, bottom), score in zip(start.clip(0), stop.clip(0), scores, strict=True):
        total[top:bottom, left:right] += score
        count[top:bottom, left:right] += 1
    return total / np.maximum(count, 1), count > 0


def save_overlay(
    path: Path,
    *,
    thumbnail: np.ndarray,
    corners: np.ndarray,
    scores: np.ndarray,
    extent: float,
    size: tuple[int, int],
    meaning: str,
    note: str = "",
    opacity: float = 0.5,
    colormap: str = COLORMAP,
    limits: tuple[float, float] = (0.0, 1.0),
    mpp: float | None = None,
) -> None:
    """Write `overlay` to a PNG with its colour scale, headed by `meaning` ("risk of recurrence"), and `note` below.

    With the micrometres per pixel of the slide's finest level (`mpp`) it has a scale bar.

    `note` is for what a reader must not overlook, such as "phantom" or "research use only". The picture also says that
    tissue in its own colours was not scored. Raises EvaluationError as `overlay` does.
    """
    picture = overlay(
        thumbnail, corners, scores, extent=extent, size=size, opacity=opacity, colormap=colormap, limits=limits
    )
    picture = picture if mpp is None else with_bar(picture, width=size[0] * mpp)
    high, wide = picture.shape[:2]
    inches = INCHES / max(high, wide)
    figure = Figure(figsize=(wide * inches + 1.6, high * inches + 0.7), dpi=240, layout="constrained")
    axes = figure.subplots()
    axes.imshow(picture)
    axes.set_axis_off()
    scale = ScalarMappable(Normalize(*limits), colormap)
    bar = figure.colorbar(scale, ax=axes, alpha=opacity, shrink=0.6, aspect=25, pad=0.02)
    bar.set_label(f"{meaning}, {len(scores)} tiles")
    figure.supxlabel("\n".join(filter(None, [note, "Tissue in its own colours was not scored."])), fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary)


def geojson(
    corners: np.ndarray,
    scores: np.ndarray,
    *,
    extent: float,
    meaning: str = "risk score",
    bands: Sequence[Band] = THIRDS,
    note: str = "",
) -> dict[str, Any]:
    """Describe the scored tiles as a GeoJSON FeatureCollection of QuPath tile objects (QuPath 0.4 or later).

    Each tile is a closed square in pixels of the slide's finest level, with its score as the measurement `meaning` and
    its band as classification, so that QuPath can show either. Tiles below the first band are left out: one band of
    {"high risk", 0.9} keeps the hot spots only. `corners`, `scores` and errors are those of `overlay`.

    QuPath documentation, "Exporting annotations" (units and origin); SBU-BMI/wsinfer issue 178 (a tile as exported).
    """
    corners, scores = _checked(corners, scores)
    ordered = sorted(bands, key=lambda band: band.low)
    index = np.searchsorted([band.low for band in ordered], scores, side="right") - 1
    tiles = [
        _tile(corner, extent, score=float(score), meaning=meaning, band=ordered[which])
        for corner, score, which in zip(corners.tolist(), scores, index, strict=True)
        if which >= 0
    ]
    return {"type": "FeatureCollection", **({"note": note} if note else {}), "features": tiles}


def _tile(corner: list[float], extent: float, *, score: float, meaning: str, band: Band) -> dict[str, Any]:
    left, top = corner
    right, bottom = left + extent, top + extent
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "objectType": "tile",
            "classification": {"name": band.name, "color": list(band.color)},
            "measurements": {meaning: score},
        },
    }


def write_geojson(
    path: Path,
    *,
    corners: np.ndarray,
    scores: np.ndarray,
    extent: float,
    meaning: str = "risk score",
    bands: Sequence[Band] = THIRDS,
    note: str = "",
) -> None:
    """Write `geojson` to a file, whole or not at all; drop the file on the slide in QuPath to see the tiles."""
    content = geojson(corners, scores, extent=extent, meaning=meaning, bands=bands, note=note)
    write_text(path, json.dumps(content, allow_nan=False))


def _checked(corners: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    corners, scores = np.asarray(corners), np.asarray(scores, dtype=np.float64)
    if corners.shape != (len(scores), 2):
        raise EvaluationError(f"got corners {corners.shape} for {len(scores)} scores, wanted one (x, y) a score")
    if not ((scores >= 0) & (scores <= 1)).all():
        raise EvaluationError("got tile scores that are missing or outside 0 to 1; scale them before drawing")
    return corners, scores
