"""GLCM: which grey levels lie side by side (IBSI 3.6, LFYI), and NGTDM: how far they differ there (IBSI 3.10, IPET)."""

import numpy as np
from scipy.ndimage import correlate1d

from hepatica.radiology.radiomics.aggregation import (
    Counts,
    Floats,
    Place,
    averaged,
    combined,
    directions,
    entropy,
    is_planar,
)


def glcm(levels: Counts, *, aggregation: str) -> dict[str, float]:
    """Features of neighbouring pairs in levels (z y x), 0 outside the lesion; distance 1, symmetric."""
    planar = is_planar(aggregation)
    counts = np.stack([_pairs(levels, step, planar=planar) for step in directions(aggregation)], axis=1)
    table = combined(counts + counts.swapaxes(2, 3), aggregation)
    share = table / table.sum(axis=(1, 2), keepdims=True)
    return averaged({**_of_differences(share), **_of_sums(share), **_of_both(share)})


def _pairs(levels: Counts, step: Place, *, planar: bool) -> Counts:
    """Pairs of levels (slices, levels, levels), the second a step from the first."""
    there = {1: slice(1, None), 0: slice(None), -1: slice(None, -1)}
    first, second = levels[tuple(there[-k] for k in step)], levels[tuple(there[k] for k in step)]
    width, depth = int(levels.max()) + 1, len(levels) if planar else 1
    code = first * width + second
    if planar:
        code = code + np.arange(depth)[:, None, None] * width**2
    return np.bincount(code.ravel(), minlength=depth * width**2).reshape(depth, width, width)[:, 1:, 1:]


def _along(share: Floats, number: Counts) -> Floats:
    """Shares (m, levels, levels) added up where `number` (levels, levels) is the same: (m, numbers from 0)."""
    found = np.zeros((len(share), int(number.max()) + 1))
    for row, each in zip(found, share, strict=True):
        row[:] = np.bincount(number.ravel(), weights=each.ravel())
    return found


def _moments(share: Floats, *powers: int) -> list[Floats]:
    """Mean, then central moments, of numbers from 0 with these shares (m, n)."""
    numbers = np.arange(share.shape[1], dtype=float)
    mean = share @ numbers
    return [mean, *((share * (numbers - mean[:, None]) ** power).sum(axis=1) for power in powers)]


def _of_differences(share: Floats) -> dict[str, Floats]:
    grey = np.arange(share.shape[1])
    apart = _along(share, np.abs(grey[:, None] - grey))
    mean, variance = _moments(apart, 2)
    step = np.arange(len(grey), dtype=float)
    return {
        "cm_difference_average_TF7R": mean,
        "cm_difference_variance_D3YU": variance,
        "cm_difference_entropy_NTRS": entropy(apart),
        "cm_contrast_ACUI": apart @ step**2,
        "cm_dissimilarity_8S9J": mean,
        "cm_inverse_difference_IB1Z": apart @ (1 / (1 + step)),
        "cm_inverse_difference_normalised_NDRX": apart @ (1 / (1 + step / len(grey))),
        "cm_inverse_difference_moment_WF0Z": apart @ (1 / (1 + step**2)),
        "cm_inverse_difference_moment_normalised_1QCO": apart @ (1 / (1 + (step / len(grey)) ** 2)),
        "cm_inverse_variance_E8JP": apart[:, 1:] @ step[1:] ** -2.0,
    }


def _of_sums(share: Floats) -> dict[str, Floats]:
    grey = np.arange(1, share.shape[1] + 1)
    together = _along(share, grey[:, None] + grey)
    mean, variance, shade, prominence = _moments(together, 2, 3, 4)
    return {
        "cm_sum_average_ZGXS": mean,
        "cm_sum_variance_OEEB": variance,
        "cm_sum_entropy_P6QZ": entropy(together),
        "cm_cluster_tendency_DG8W": variance,
        "cm_cluster_shade_7NFM": shade,
        "cm_cluster_prominence_AE86": prominence,
    }


def _of_both(share: Floats) -> dict[str, Floats]:
    grey = np.arange(1, share.shape[1] + 1, dtype=float)
    alone = share.sum(axis=2)
    mean = alone @ grey
    variance = (alone * (grey - mean[:, None]) ** 2).sum(axis=1)
    product = (share * np.outer(grey, grey)).sum(axis=(1, 2))
    joint, single = entropy(share.reshape(-1, len(grey) ** 2)), entropy(alone)
    with np.errstate(divide="ignore", invalid="ignore"):  # of one grey level: not defined
        return {
            "cm_joint_maximum_GYBY": share.max(axis=(1, 2)),
            "cm_joint_average_60VM": mean,
            "cm_joint_variance_UR99": variance,
            "cm_joint_entropy_TU9B": joint,
            "cm_uniformity_8ZQL": (share**2).sum(axis=(1, 2)),
            "cm_correlation_NI2N": (product - mean**2) / variance,
            "cm_autocorrelation_QWB0": product,
            # The pair is symmetric: both of HXY1 and HXY2 are twice the entropy of one of its levels.
            "cm_information_corr_1_R8DG": (joint - 2 * single) / single,
            "cm_information_corr_2_JN9H": np.sqrt(np.maximum(1 - np.exp(-2 * (2 * single - joint)), 0)),
        }


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
