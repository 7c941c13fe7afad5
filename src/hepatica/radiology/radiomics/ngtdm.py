"""NGTDM: how far grey levels differ from the mean of their neighbours (IBSI 3.10, IPET)."""

import numpy as np
from scipy.ndimage import correlate1d

from hepatica.radiology.radiomics.aggregation import Counts, Floats, averaged, combined, is_planar


def ngtdm(levels: Counts, *, aggregation: str) -> dict[str, float]:
    """Features of levels (z y x), 0 outside the lesion; of a voxel the 26 neighbours count, or the 8 in its slice."""
    planar, inside = is_planar(aggregation), levels > 0
    neighbours, total = (_around(each, planar=planar) for each in (inside.astype(np.int64), levels))
    counted = inside & (neighbours > 0)
    level = levels[counted]
    apart = np.abs(level - total[counted] / neighbours[counted])
    depth, most = (len(levels) if planar else 1), int(levels.max())
    code = np.nonzero(counted)[0] * planar * most + level - 1
    columns = [np.bincount(code, weights=each, minlength=depth * most) for each in (None, apart)]
    table = combined(np.stack(columns, axis=1).reshape(depth, 1, most, 2), aggregation)
    return averaged(_features(table[..., 0], table[..., 1]))


def _around(values: Counts, *, planar: bool) -> Counts:
    """The sum over the neighbours of each voxel."""
    found = values
    for axis in (1, 2) if planar else (0, 1, 2):
        found = correlate1d(found, [1, 1, 1], axis=axis, mode="constant")
    return found - values


def _features(count: Floats, apart: Floats) -> dict[str, Floats]:
    """Of the voxels of each level (m, levels), and of the sum of their differences."""
    total = count.sum(axis=1)
    share, there = count / total[:, None], count > 0
    grey = np.arange(1, count.shape[1] + 1, dtype=float)
    weighted, summed = (share * apart).sum(axis=1), apart.sum(axis=1)
    pairs = there[:, :, None] & there[:, None, :]
    step = np.abs(grey[:, None] - grey)
    own, other = share[:, :, None], share[:, None, :]
    present = there.sum(axis=1)

    def over(values: Floats) -> Floats:
        return np.asarray((values * pairs).sum(axis=(1, 2)))

    with np.errstate(divide="ignore", invalid="ignore"):  # of one grey level: not defined
        between = over(own * other * step**2) / (present * (present - 1))
        moved = np.nan_to_num((own * apart[:, :, None] + other * apart[:, None, :]) / (own + other))
        return {
            "ngtdm_coarseness_QCDE": 1 / weighted,
            "ngtdm_contrast_65HE": between * summed / total,
            "ngtdm_busyness_NQ30": weighted / over(np.abs(grey[:, None] * own - grey * other)),
            "ngtdm_complexity_HDEZ": over(step * moved) / total,
            "ngtdm_strength_1X9X": over((own + other) * step**2) / summed,
        }
