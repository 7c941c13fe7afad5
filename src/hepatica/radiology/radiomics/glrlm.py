"""GLRLM: how many voxels in a row have the same grey level (IBSI 3.7, TP0I)."""

import numpy as np

from hepatica.radiology.radiomics.aggregation import Counts, directions, is_planar
from hepatica.radiology.radiomics.emphasis import emphasis, tabulated

_NAMES = """short_runs_emphasis_22OV long_runs_emphasis_W4KF low_grey_level_run_emphasis_V3SW
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
        names=[f"rlm_{name}" for name in _NAMES.split()],
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
