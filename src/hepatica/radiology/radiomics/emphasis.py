"""Emphasis: run lengths (GLRLM, IBSI 3.7, TP0I) and zone sizes (GLSZM, IBSI 3.8, 9SAK), sixteen features of each."""

from collections.abc import Sequence

import numpy as np
from skimage.measure import label

from hepatica.radiology.radiomics.aggregation import Counts, Floats, averaged, combined, directions, entropy, is_planar


def tabulated(
    level: Counts, length: Counts, *, group: Counts, shape: tuple[int, int], levels: int
) -> tuple[Counts, Floats]:
    """How many runs or zones there are of each grey level and length: counts (*shape, levels, lengths), and the lengths
    that occur. `group` (n,) is the place in `shape` of each, counted row by row.
    """
    seen = np.bincount(length) > 0
    column = (np.cumsum(seen) - 1)[length]
    width = int(seen.sum())
    code = (group * levels + level - 1) * width + column
    counts = np.bincount(code, minlength=shape[0] * shape[1] * levels * width).reshape(*shape, levels, width)
    return counts, np.flatnonzero(seen).astype(float)


def emphasis(counts: Counts, lengths: Floats, *, aggregation: str, names: Sequence[str]) -> dict[str, float]:
    """Features by the sixteen `names`, in the order of IBSI 3.7 and 3.8, of `tabulated` runs or zones."""
    table = combined(counts, aggregation)
    total = table.sum(axis=(1, 2))
    grey = np.arange(1, table.shape[1] + 1)[:, None].astype(float)
    of_level, of_length = table.sum(axis=2), table.sum(axis=1)

    def mean(weight: Floats) -> Floats:
        return np.asarray((table * weight).sum(axis=(1, 2)) / total)

    weights = (lengths**-2, lengths**2, grey**-2, grey**2)
    both = (grey**-2 * lengths**-2, grey**2 * lengths**-2, grey**-2 * lengths**2, grey**2 * lengths**2)
    one = np.ones_like(table[0])
    found = [mean(each * one) for each in (*weights, *both)]
    found += [(marginal**2).sum(axis=1) / total**power for marginal in (of_level, of_length) for power in (1, 2)]
    found += [1 / mean(lengths * one)]
    found += [mean(axis**2 * one) - mean(axis * one) ** 2 for axis in (grey, lengths)]
    found += [entropy((table / total[:, None, None]).reshape(len(table), -1))]
    return averaged(dict(zip(names, found, strict=True)))


_ZONES = """small_zone_emphasis_P001 large_zone_emphasis_48P8 low_grey_level_zone_emphasis_XMSY
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
    return emphasis(counts, lengths, aggregation=aggregation, names=[f"szm_{name}" for name in _ZONES.split()])


_RUNS = """short_runs_emphasis_22OV long_runs_emphasis_W4KF low_grey_level_run_emphasis_V3SW
high_grey_level_run_emphasis_G3QZ short_run_low_grey_level_emphasis_HTZT short_run_high_grey_level_emphasis_GD3A
long_run_low_grey_level_emphasis_IVPO long_run_high_grey_level_emphasis_3KUM grey_level_non_uniformity_R5YN
grey_level_non_uniformity_normalised_OVBL run_length_non_uniformity_W92Y run_length_non_uniformity_normalised_IC23
run_percentage_9ZK5 grey_level_variance_8CE5 run_length_variance_SXLW run_entropy_HJ9O"""


def glrlm(levels: Counts, *, aggregation: str) -> dict[str, float]:
    """Features of runs in levels (z y x), 0 outside the lesion."""
    planar, steps = is_planar(aggregation), directions(aggregation)
    padded = np.pad(levels, ((0, 1), (0, 1), (1, 1)))
    plane = padded.shape[1] * padded.shape[2]
    runs = [_runs(padded, np.dot(step, (plane, padded.shape[2], 1))) for step in steps]
    level, length, place = (np.concatenate(part) for part in zip(*runs, strict=True))
    number = np.repeat(np.arange(len(steps)), [len(each[0]) for each in runs])
    group = number + len(steps) * (place // plane) * planar
    shape = (len(levels) if planar else 1, len(steps))
    return emphasis(
        *tabulated(level, length, group=group, shape=shape, levels=int(levels.max())),
        aggregation=aggregation,
        names=[f"rlm_{name}" for name in _RUNS.split()],
    )


def _runs(padded: Counts, step: int) -> tuple[Counts, Counts, Counts]:
    """Level, length and first voxel of each run of levels above 0, `step` voxels of the flat array apart.

    Every `step`-th voxel makes one chain; the zeros around the lesion part runs that lie in different rows.
    """
    rows = -(-padded.size // step) + 1
    chains = np.zeros(rows * step, padded.dtype)
    chains[: padded.size] = padded.ravel()
    chained = chains.reshape(rows, step).T.ravel()
    ends = np.flatnonzero(chained[1:] != chained[:-1])  # the last voxel of each run, and of the zeros before the first
    start, length = ends[:-1] + 1, np.diff(ends)
    inside = chained[start] > 0
    start, length = start[inside], length[inside]
    return chained[start].astype(np.int64), length, start % rows * step + start // rows
