"""Instances: single nuclei out of a map of where nuclei are; and the classical way to find them, the baseline."""

from dataclasses import dataclass

import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import h_maxima, remove_small_objects
from skimage.segmentation import find_boundaries, relabel_sequential, watershed

from hepatica.pathology.stain import DENSITY, RUIFROK, StainSettings, concentrations

Labels = NDArray[np.int32]
"""A number for each nucleus, 0 outside: (h, w)."""


GLASS = 0.15
"""Concentration of both stains together up to which a pixel is glass, of which no threshold is learnt (ours)."""


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How maps become single nuclei; all ours."""

    inside: float = 0.5  # probability from which a pixel is nucleus
    border: float = 0.3  # share of the depth of a nucleus that is not counted where there is a border for certain
    least_area: int = 30  # pixels below which a piece is no nucleus; 7.5 um2 at 0.5 um per pixel
    least_peak: float = 1.0  # pixels by which a nucleus is thicker than the neck to the next one


def targets(labels: Labels) -> NDArray[np.float32]:
    """What a network learns of a label map: (2, h, w), 1 in nuclei, and 1 on their borders, two to three pixels wide.

    Borders are all edges of nuclei, of which those between touching ones matter, widened by one pixel to the inside.
    """
    edge = find_boundaries(labels, mode="inner")
    border = ndimage.binary_dilation(edge) & (labels > 0)
    return np.stack([labels > 0, border]).astype(np.float32)


def part(maps: NDArray[np.floating], *, how: Separation | None = None) -> Labels:
    """Probabilities (2, h, w) of nucleus and border to nuclei; where borders are not seen, they part where they narrow.

    Seeds are where the distance to the edge, less at borders, has a peak, at least `least_peak` pixels above the way to
    a higher one; they grow until they fill the nucleus map (watershed). Borders are not taken for certain, since at
    another scale than that of training a network sees them within nuclei.
    """
    how = how or Separation()
    inside = _solid(ndimage.binary_opening(maps[0] >= how.inside), how)
    return _parted(inside, 1 - how.border * maps[1], how=how)


def baseline(image: NDArray[np.uint8], *, how: Separation | None = None) -> Labels:
    """Nuclei of an image (h, w, 3) uint8 without learning: Otsu's threshold of haematoxylin, parted where they narrow.

    Haematoxylin by the vectors of Ruifrok and Johnston, smoothed by one pixel, in what is not glass. What every learnt
    segmentation is to be compared with.
    """
    how = how or Separation()
    both = stains(image)
    tissue = both.sum(axis=-1) > GLASS
    if not tissue.any():
        return np.zeros(tissue.shape, np.int32)
    strength = ndimage.gaussian_filter(both[..., 0], 1.0)
    inside = _solid(ndimage.binary_opening(strength > threshold_otsu(strength[tissue])), how)
    return _parted(inside, np.ones(inside.shape), how=how)


def _solid(mask: NDArray[np.bool_], how: Separation) -> NDArray[np.bool_]:
    return np.asarray(remove_small_objects(ndimage.binary_fill_holes(mask), max_size=how.least_area - 1))


def _parted(inside: NDArray[np.bool_], counted: NDArray[np.floating], *, how: Separation) -> Labels:
    """Nuclei that fill `inside`, numbered from 1: one a peak of the distance to its edge, where counted, or a piece."""
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(inside) * counted, 1.0)
    seeds = label(h_maxima(depth, how.least_peak).astype(bool) & inside)
    pieces = label(inside)
    bare = ~np.isin(pieces, pieces[seeds > 0]) & inside
    grown = watershed(-depth, np.where(bare, pieces + seeds.max(initial=0), seeds), mask=inside)
    large = np.bincount(grown.ravel()) >= how.least_area
    return np.asarray(relabel_sequential(np.where(large[grown], grown, 0))[0], np.int32)


def stains(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Concentrations of haematoxylin and eosin (h, w, 2), by the vectors of Ruifrok and Johnston."""
    density = DENSITY.astype(np.float32)[rearrange(image, "h w c -> (h w) c")]
    found = concentrations(density, RUIFROK, sparsity=StainSettings().applied_sparsity)
    return np.asarray(rearrange(found, "(h w) stain -> h w stain", h=len(image)))
