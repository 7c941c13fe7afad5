"""Picture: one CT study for a reader: the risk from slice to slice, and what excited the network in the highest."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from scipy.special import expit

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.radiology.slices import SliceStore

SHOWN = 4
"""Slices drawn: those most likely to show carcinoma, each from another place (ours)."""

APART_MM = 10.0
"""Slices of one series nearer than this to one already drawn would show the same (ours)."""

PHASE_COLOURS = {
    "plain": "#767676", "arterial": "#c1272d", "portal venous": "#2a5fa5", "delayed": "#2e8b57", "unknown": "#8e6bb0",
}  # fmt: skip
"""A colour for each contrast phase, distinct for colour-blind readers too; line styles separate series."""

_LINES = ("-", "--", ":", "-.")


def draw_study(
    specimen: Specimen,
    *,
    material: SliceStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write what the networks say of each slice (`_profile.png`) and the highest slices with their saliency.

    `regions` are the slices of this study (series, slice, z_mm, phase, score; nodule_log_odds where there is one), in
    the order of `material`, which holds their pixels; the names of the files begin with `stem`; `note` is printed on
    each picture, `meaning` says what is scored. Returns the files.
    """
    profile, highest = (stem.with_name(stem.name + end) for end in ("_profile.png", "_saliency.png"))
    own = material.select(specimen_ids=[specimen.specimen_id])
    rows = regions.reset_index(drop=True)
    _draw_profile(rows, path=profile, note=note, meaning=meaning, unit=_unit(own))
    chosen = highest_slices(rows)
    images = own.read(chosen)
    draw_highest(rows.loc[chosen], images, saliency(images), path=highest, note=note, meaning=meaning)
    return [profile, highest]


def highest_slices(regions: pd.DataFrame, *, count: int = SHOWN) -> np.ndarray:
    """Rows (n,) of the slices with the highest scores, none within APART_MM of another one of its series."""
    series, heights = regions["series"].to_numpy(), regions["z_mm"].to_numpy(float)
    chosen: list[int] = []
    for row in np.argsort(-regions["score"].to_numpy(float), kind="stable").tolist():
        near = (series[chosen] == series[row]) & (np.abs(heights[chosen] - heights[row]) < APART_MM)
        if not near.any():
            chosen.append(row)
        if len(chosen) == count:
            break
    return np.array(chosen)


def _unit(slices: SliceStore) -> str:
    """What the places of slices are counted in."""
    lost = (slices.specimens["units"] == "grey").any()
    return "number of the picture, from 0" if lost else "place of the slice, mm, feet to head"


def _draw_profile(regions: pd.DataFrame, *, path: Path, note: str, meaning: str, unit: str) -> None:
    figure = Figure(figsize=(7.2, 4.2), dpi=150, layout="constrained")
    drawn = {meaning: regions["score"]}
    if "nodule_log_odds" in regions:
        drawn["nodule"] = pd.Series(expit(regions["nodule_log_odds"].to_numpy(float)), index=regions.index)
    panels = figure.subplots(len(drawn), 1, sharex=True, squeeze=False)[:, 0]
    for number, (series, own) in enumerate(regions.groupby("series", sort=True)):
        phase = str(own["phase"].iloc[0])
        style: dict[str, Any] = {"marker": "o", "markersize": 2.5, "linewidth": 1.2}
        style |= {
            "color": PHASE_COLOURS.get(phase, PHASE_COLOURS["unknown"]),
            "linestyle": _LINES[number % len(_LINES)],
        }
        for axes, values in zip(panels, drawn.values(), strict=True):
            axes.plot(own["z_mm"], values[own.index], label=f"series {series}, {phase}", **style)
    for axes, what in zip(panels, drawn, strict=True):
        axes.set_ylim(-0.03, 1.03)
        axes.set_ylabel(f"probability of a slice:\n{what}", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel(f"{unit}\n{note}", fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), fontsize=7, loc="outside upper center", ncols=4, frameon=False
    )
    with replacing(path) as temporary:
        figure.savefig(temporary)


def draw_highest(
    slices: pd.DataFrame,
    images: np.ndarray,
    maps: np.ndarray,
    *,
    path: Path,
    note: str,
    meaning: str,
    contours: Sequence[Mapping[str, np.ndarray]] = (),
    aspect: float = 1.0,
) -> None:
    """Two rows, slices and their saliency, the highest score on the left; the patient's right is on the left.

    `contours` of each slice are those of masks (y x) by colour; `aspect` is the height of a pixel over its width.
    """
    figure = Figure(figsize=(2.3 * len(slices) + 0.3, 5.6), dpi=150, layout="constrained")
    panels = figure.subplots(2, len(slices), squeeze=False)
    for upper, lower, image, seen, (_, row) in zip(*panels, images, maps, slices.iterrows(), strict=True):
        upper.imshow(image, aspect=aspect)
        upper.set_title(
            f"{row['score']:.2f}   {row['phase']}\nslice {row['slice'] + 1}, {row['z_mm']:.0f} mm", fontsize=8
        )
        lower.imshow(glowing(image, seen), aspect=aspect)
        for panel in (upper, lower):
            panel.set_axis_off()
    for upper, drawn in zip(panels[0], contours, strict=False):
        for colour, mask in drawn.items():
            if mask.any() and not mask.all():
                upper.contour(mask, levels=[0.5], colors=colour, linewidths=0.9)
    figure.suptitle(f"{meaning}: the slices most likely to show it", fontsize=9)
    figure.supxlabel(f"below: where the network finds the evidence\n{note}", fontsize=7)
    with replacing(path) as temporary:
        figure.savefig(temporary)


def glowing(image: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """A map (h w) in 0..1 laid over a slice (h w 3) uint8: clear where it is low, glowing where high; (h w 3) uint8."""
    opacity = np.clip(1.5 * (seen - 0.5), 0, 0.7)[..., None]
    colours = 255 * colormaps["inferno"](seen)[..., :3]
    return np.asarray(np.rint((1 - opacity) * image + opacity * colours), np.uint8)
