"""Emphasis: the sixteen features that run lengths (GLRLM) and zone sizes (GLSZM) have in common."""

from collections.abc import Sequence

import numpy as np

from hepatica.radiology.radiomics.aggregation import Counts, Floats, averaged, combined, entropy


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
