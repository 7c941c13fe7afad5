"""Picture: one slide for the reader: a map of the risk, and what the network looked at in single tiles."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.ndimage import binary_erosion

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.pathology.outlines import region_of
from hepatica.pathology.slide import Slide, open_slide
from hepatica.pathology.store import TileStore
from hepatica.saliency import save_overlay, write_geojson

LONGEST = 1200
"""Pixels of the longer side of the slide's picture."""

MARGIN = 0.05
"""Of the longer side of a region, what is shown around it (ours)."""

FADED = 4
"""How many times fainter than a region its surroundings are shown (ours)."""

WORDS = 5.0
"""Inches that the words around a few tiles need."""

EACH_END = 4
"""Tiles shown of the highest and of the lowest scores."""


def draw_slide(
    specimen: Specimen,
    *,
    material: TileStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write a heatmap (PNG), the same for QuPath (GeoJSON), and the extreme tiles with their saliency (PNG).

    `regions` are the scored tiles of this slide (x, y, extent, score), `material` holds their pixels; the names of the
    three files begin with `stem`; `note` is printed on each picture, `meaning` says what is scored. Returns the files.
    """
    drawn = draw_map(specimen, regions=regions, stem=stem, note=note, meaning=meaning)
    shown = extremes(regions["score"].to_numpy())
    own = material.select(specimen_ids=[specimen.specimen_id])
    images = own.read(pd.Index(own.index["tile"]).get_indexer(regions["tile"].iloc[shown]))  # others may be unread
    scores = regions["score"].to_numpy()[shown]
    return [*drawn, draw_tiles(images, scores, maps=saliency(images), stem=stem, note=note, meaning=meaning)]


def draw_map(specimen: Specimen, *, regions: pd.DataFrame, stem: Path, note: str, meaning: str) -> list[Path]:
    """The heatmap and its objects for QuPath alone."""
    heatmap, objects = (stem.with_name(stem.name + end) for end in ("_heatmap.png", ".geojson"))
    corners, scores = regions[["x", "y"]].to_numpy(), regions["score"].to_numpy()
    extent = float(regions["extent"].iloc[0])
    with open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp) as slide:
        left, top, *size = box_of(slide, specimen)
        shown = corners - slide.origin
        save_overlay(
            heatmap,
            thumbnail=look(slide, specimen, longest=LONGEST),
            corners=corners - (left, top),
            scores=scores,
            extent=extent,
            size=(size[0], size[1]),
            mpp=slide.mpp,
            meaning=meaning,
            note=note,
        )
    write_geojson(objects, corners=shown, scores=scores, extent=extent, meaning=meaning, note=note)
    return [heatmap, objects]


def box_of(slide: Slide, specimen: Specimen) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is shown of a slide: all of it, or a region with a margin."""
    region = region_of(specimen, origin=slide.origin)
    if region is None or not region.inside:
        return (0, 0, *slide.size)
    left, top, width, height = region.box(slide.size)
    margin = round(MARGIN * max(width, height))
    left, top, right, bottom = left - margin, top - margin, left + width + margin, top + height + margin
    left, top = max(left, 0), max(top, 0)
    return left, top, min(right, slide.size[0]) - left, min(bottom, slide.size[1]) - top


def look(slide: Slide, specimen: Specimen, *, longest: int) -> np.ndarray:
    """The slide, or its region with its surroundings faded, (h w 3) uint8."""
    box, region = box_of(slide, specimen), region_of(specimen, origin=slide.origin)
    picture = slide.thumbnail(longest=longest, box=box)
    if region is not None:
        kept = region.moved(*box[:2]).mask(picture.shape[:2], size=box[2:])
        picture[~kept] = 255 - (255 - picture[~kept]) // FADED
        picture[kept ^ binary_erosion(kept, iterations=2)] = 0
    return picture


def extremes(scores: np.ndarray) -> np.ndarray:
    """Places of the highest scores, the highest first, then of the lowest, each once."""
    count = min(EACH_END, len(scores) // 2 or 1)
    order = np.argsort(-scores, kind="stable")
    return np.asarray(order[np.unique(np.concatenate([np.arange(count), np.arange(len(order) - count, len(order))]))])


def draw_tiles(
    images: np.ndarray, scores: np.ndarray, *, maps: np.ndarray | None, stem: Path, note: str, meaning: str
) -> Path:
    """Tiles, the highest scores on the left, the lowest on the right; with `maps`, in a second row their saliency."""
    count, rows = len(images), 1 if maps is None else 2
    width = max(1.1 * count + 0.6, WORDS)
    figure = Figure(figsize=(width, 1.2 * rows + 0.5), dpi=180, layout="constrained")
    panels = figure.subplots(rows, count, squeeze=False)
    for place, (image, score) in enumerate(zip(images, scores, strict=True)):
        for panel in panels[:, place]:
            panel.imshow(image)
            panel.set_axis_off()
        panels[0, place].set_title(f"{score:.2f}", fontsize=8)
        if maps is not None:
            panels[1, place].imshow(maps[place], cmap="inferno", vmin=0, vmax=1, alpha=0.65 * maps[place])
    figure.suptitle(f"{meaning}: highest tiles left, lowest right", fontsize=9)
    seen = "above: the tile as the network sees it; below: what speaks for a high score\n"
    figure.supxlabel(note if maps is None else seen + note, fontsize=7)
    path = stem.with_name(f"{stem.name}_tiles.png")
    with replacing(path) as temporary:
        figure.savefig(temporary)
    return path
