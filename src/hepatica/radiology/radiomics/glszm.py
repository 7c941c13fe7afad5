"""GLSZM: how large the connected zones of one grey level are (IBSI 3.8, 9SAK)."""

import numpy as np
from skimage.measure import label

from hepatica.radiology.radiomics.aggregation import Counts, is_planar
from hepatica.radiology.radiomics.emphasis import emphasis, tabulated

_NAMES = """small_zone_emphasis_P001 large_zone_emphasis_48P8 low_grey_level_zone_emphasis_XMSY
high_grey_level_zone_emphasis_5GN9 small_zone_low_grey_level_emphasis_5RAI small_zone_high_grey_level_emphasis_HW1V
large_zone_low_grey_level_emphasis_YH51 large_zone_high_grey_level_emphasis_J17V grey_level_non_uniformity_JNSA
grey_level_non_uniformity_normalised_Y1RO zone_size_non_uniformity_4JP3 zone_size_non_uniformity_normalised_VB3A
zone_percentage_P30P grey_level_variance_BYLV zone_size_variance_3NSA zone_size_entropy_GU8N"""


def glszm(levels: Counts, *, aggregation: str) -> dict[str, float]:
    """Features of zones in levels (z y x), 0 outside the lesion; corners connect."""
    planar = is_planar(aggregation)
    parted = np.zeros((2 * len(levels) - 1, *levels.shape[1:]), levels.dtype)  # an empty slice between any two
    parted[::2] = levels
    zones = label(parted, connectivity=3)[::2] if planar else label(levels, connectivity=3)
    first = np.unique(zones, return_index=True)
    place = first[1][first[0] > 0]
    level, length = levels.ravel()[place], np.bincount(zones.ravel())[1:]
    group = place // levels[0].size * planar
    counts, lengths = tabulated(
        level, length, group=group, shape=(len(levels) if planar else 1, 1), levels=int(levels.max())
    )
    return emphasis(counts, lengths, aggregation=aggregation, names=[f"szm_{name}" for name in _NAMES.split()])
