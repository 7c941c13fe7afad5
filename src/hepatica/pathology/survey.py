"""Survey: where on a slide tiles are cut, and how it looks: tissue, ink, folds, blur."""

from typing import Any, NamedTuple

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.texture import bands
from hepatica.cohort.units import MicronsPerPixel, TilePixels
from hepatica.pathology.outlines import Region
from hepatica.pathology.slide import Slide, extent
from hepatica.pathology.tiles import Tiling, grid
from hepatica.pathology.tissue import MASK_MPP, SPECK, Pieces, appearance, find_tissue

MASK_SIDES = (512, 4096)
"""Shortest and longest longer side of that thumbnail (ours)."""

COARSEST = 2.0
"""A slide more than this many times coarser than the tiles wanted is refused (ours): it would only be enlarged blur."""

BLURRED = -0.9
"""Log2 of the SD of structure of 1 pixel of 0.5 um over that of 2, below which tissue is out of focus (ours): sharp
tissue of a real slide has -0.5 to 0, and below -0.9 after a Gaussian filter of 1 um."""

FOCUS_TILES, FOCUS_SIDE, FOCUS_MPP = 16, TilePixels(128), MicronsPerPixel(0.5)
"""Places, evenly spread over the tissue, where focus is measured, and side and resolution of each (ours)."""


class Overview(NamedTuple):
    """A thumbnail (h w 3) uint8, and masks of what is on it, within the region."""

    thumbnail: np.ndarray
    pieces: Pieces


def overview(slide: Slide, region: Region | None = None) -> Overview:
    """A slide as tissue is looked for on it."""
    thumbnail = slide.thumbnail(longest=int(np.clip(max(slide.size) * slide.mpp / MASK_MPP, *MASK_SIDES)))
    pieces = find_tissue(thumbnail, mpp=slide.mpp * max(slide.size) / max(thumbnail.shape))
    if region is not None:
        region.check(slide.size)
        pieces = pieces.within(region.mask(thumbnail.shape[:2], size=slide.size))
    return Overview(thumbnail, pieces)


def survey(slide: Slide, tiling: Tiling, region: Region | None) -> tuple[np.ndarray, dict[str, Any]]:
    """Where to cut, and what is reported of the slide, or of a region; SpecimenError where there is nothing to cut."""
    _refuse_coarse_or_small(slide, tiling)
    thumbnail, pieces = overview(slide, region)
    place = "on the slide" if region is None else "in the region"
    looks = appearance(thumbnail, pieces)
    ink = f", and pen ink on {looks['ink_share']:.0%} of it" if looks["ink_share"] > SPECK else ""
    if not pieces.tissue.any():
        raise SpecimenError(f"no tissue found {place}{ink}; look at it, and leave it out if it is blank")
    corners = grid(pieces.tissue, size=slide.size, mpp=slide.mpp, tiling=tiling)
    if not len(corners):
        raise SpecimenError(
            f"no tile has enough tissue {place}: {looks['tissue_share']:.1%} of the slide is tissue{ink}, but every"
            f" tile has more than {tiling.background:.0%} of background; leave it out, or allow more background"
        )
    (width, height), side = slide.size, extent(side=tiling.side, mpp=tiling.mpp, native=slide.mpp)
    area = {"tissue_mm2": looks["tissue_share"] * width * height * slide.mpp**2 / 1e6}
    known = {"mpp": slide.mpp, "mpp_known": slide.mpp_known, "notes": slide.note}
    known |= {"place": region.place(slide.size)} if region else {}
    known |= dict(zip(("left", "top"), slide.origin, strict=True)) if any(slide.origin) else {}
    sharp = {"blur_share": blur_share(slide, pieces.tissue)}
    return corners, known | {"width": width, "height": height, "extent": side} | area | looks | sharp


def _refuse_coarse_or_small(slide: Slide, tiling: Tiling) -> None:
    if slide.mpp > COARSEST * tiling.mpp:
        raise SpecimenError(
            f"got a slide of {slide.mpp:.4g} micrometres per pixel, wanted {COARSEST * tiling.mpp:.4g} or finer to cut"
            f" tiles at {tiling.mpp:.4g}; leave it out, or cut at a coarser resolution"
        )
    if min(slide.size) < (side := extent(side=tiling.side, mpp=tiling.mpp, native=slide.mpp)):
        raise SpecimenError(
            f"got a slide of {slide.size[0]} x {slide.size[1]} pixels, wanted at least one tile's {side:.0f} each way;"
            " leave it out, or check its micrometres per pixel"
        )


def blur_share(slide: Slide, tissue: np.ndarray) -> float:
    """Share (0..1) of places, evenly spread over the `tissue` (h w) of a slide, that are out of focus; 0 of none."""
    mpp = MicronsPerPixel(max(FOCUS_MPP, slide.mpp))
    corners = grid(tissue, size=slide.size, mpp=slide.mpp, tiling=Tiling(side=FOCUS_SIDE, mpp=mpp))
    if not len(corners):
        return 0.0
    chosen = corners[np.linspace(0, len(corners) - 1, min(FOCUS_TILES, len(corners))).astype(int)]
    grey = np.stack([slide.read((x, y), side=FOCUS_SIDE, mpp=mpp).mean(axis=-1) for x, y in chosen.tolist()])
    fine, coarse = (bands(grey, scales=(1, 2))[scale].std(axis=(1, 2)) for scale in (1, 2))
    return float(np.mean(np.log2(np.maximum(fine, 1e-4) / np.maximum(coarse, 1e-4)) < BLURRED))
