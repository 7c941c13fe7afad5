"""Thresholds: the tiles of highest and lowest risk on a slide, at ever stricter cut-off levels (TCL).

Source: Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4, Figure 3B and C.

Unclear: the paper gives neither the cut-offs nor the tiles they are taken from; the shares below are ours.

Pointing: how well the brightest part of a map lies in the lesion (pointing game, Dice).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from einops import reduce
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from scipy.ndimage import distance_transform_edt

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import EvaluationError
from hepatica.saliency.heatmap import COLORMAP, overlay


def pointing(maps: np.ndarray, masks: np.ndarray, *, tolerance: float = 0.0) -> np.ndarray:
    """Hits (b,) of maps (b, h, w) on lesion masks of that shape: 1 where the largest value lies in the lesion, else 0.

    Where several places share the largest value, the share of them that hit, so that a map without differences scores
    as a blind guess does. `tolerance`: pixels by which a place may miss the lesion and still count.

    Raises EvaluationError where shapes differ or a mask is empty: leave images without a lesion out.
    Zhang J, et al. Top-down neural attention by excitation backprop. ECCV 2016, arXiv 1608.00507, section 4.2.
    """
    masks = paired_masks(maps, masks)
    return np.array([_hit(*pair, tolerance) for pair in zip(maps, masks, strict=True)], dtype=float)


def _hit(values: np.ndarray, mask: np.ndarray, tolerance: float) -> float:
    near = distance_transform_edt(~mask) <= tolerance
    return float(near[values == values.max()].mean())


def paired_masks(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The masks as booleans; EvaluationError where they do not fit the maps (b, h, w) or one is empty."""
    masks = np.asarray(masks, dtype=bool)
    if masks.shape != maps.shape or maps.ndim != 3:
        raise EvaluationError(f"got maps {maps.shape} and masks {masks.shape}, wanted both (b, h, w)")
    if empty := int((~masks.any(axis=(1, 2))).sum()):
        raise EvaluationError(f"got {empty} masks without a lesion; leave these images out")
    if np.isnan(maps).any():
        raise EvaluationError("got maps with values that are not numbers; compute them again")
    return masks


def dice_at(maps: np.ndarray, masks: np.ndarray, *, quantile: float | None = None) -> np.ndarray:
    """Dice coefficients (b,), in 0..1, of lesion masks and the brightest pixels of maps, both (b, h, w).

    The brightest are those at or above that quantile of the map, and above its smallest value: a map without
    differences marks nothing. By default as many are taken as the lesion has pixels, so that only their places count.
    Errors are those of `pointing`.
    """
    masks = paired_masks(maps, masks)
    marked = np.zeros_like(masks)
    for brightest, values, mask in zip(marked, maps, masks, strict=True):
        level = 1 - mask.mean() if quantile is None else quantile
        brightest[:] = (values >= np.quantile(values, level, method="higher")) & (values > values.min())
    both, either = (reduce(each.astype(float), "b h w -> b", "sum") for each in (marked & masks, marked))
    return np.asarray(2 * both / (either + reduce(masks.astype(float), "b h w -> b", "sum")))


SHARES = (0.5, 0.3, 0.15, 0.05)
"""Share of the tiles that count as high risk, and as low risk, from the loosest level to the strictest (ours)."""

OPACITY = 0.65
INCHES = 3.2
"""Longer side of the slide in one panel."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """Tiles scored `high` or more are of high risk, those scored `low` or less of low risk; `share`: how many each."""

    share: float
    low: float
    high: float

    def classes(self, scores: np.ndarray) -> np.ndarray:
        """(n,) 1 for high risk, 0 for low risk, NaN for neither; a score at both cut-offs is high."""
        return np.select([scores >= self.high, scores <= self.low], [1.0, 0.0], np.nan)


def levels(scores: np.ndarray, *, shares: Sequence[float] = SHARES) -> tuple[Level, ...]:
    """Cut-offs above and below which lie these shares of the scores (n,), which may be those of many slides."""
    return tuple(
        Level(share=share, low=float(np.quantile(scores, share)), high=float(np.quantile(scores, 1 - share)))
        for share in shares
    )


def save_levels(
    path: Path,
    *,
    thumbnail: np.ndarray,
    corners: np.ndarray,
    scores: np.ndarray,
    extent: float,
    size: tuple[int, int],
    levels: Sequence[Level],
    meaning: str,
    note: str,
) -> None:
    """Write a PNG of the slide at each level, two side by side, the strictest last; tiles of neither risk stay plain.

    The slide and its scored tiles are those of `overlay`, whose errors are raised.
    """
    high, wide = thumbnail.shape[:2]
    inches = INCHES / max(high, wide)
    rows = -(-len(levels) // 2)
    figure = Figure(
        figsize=(2 * wide * inches + 0.3, rows * (high * inches + 0.5) + 0.9), dpi=180, layout="constrained"
    )
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    for number, (panel, level) in enumerate(zip(panels, levels, strict=False), start=1):
        classes = level.classes(np.asarray(scores))
        classed = ~np.isnan(classes)
        panel.imshow(overlay(thumbnail, corners[classed], classes[classed], extent=extent, size=size, opacity=OPACITY))
        _head(panel, number, level, classes)
    blue, red = colormaps[COLORMAP]([0.0, 1.0])
    keys = [Patch(color=red, alpha=OPACITY, label="high risk"), Patch(color=blue, alpha=OPACITY, label="low risk")]
    figure.suptitle(meaning, fontsize=10)
    figure.legend(
        handles=keys, loc="outside lower center", ncols=2, fontsize=8, frameon=False, title=note, title_fontsize=8
    )
    with replacing(path) as temporary:
        figure.savefig(temporary)


def _head(panel: Axes, number: int, level: Level, classes: np.ndarray) -> None:
    high, low = int((classes == 1).sum()), int((classes == 0).sum())
    panel.set_title(
        f"TCL {number}: top and bottom {level.share:.0%} of all tiles\n"
        f"here {high} high (from {level.high:.2f}), {low} low (to {level.low:.2f}) of {len(classes)}",
        fontsize=7.5,
    )
