"""Experts: which phantom patients have had their nodules outlined, for a network such as NoduleNet to learn from.

Wang 2021 (doi 10.1038/s41416-021-01511-w) had four radiologists tell images with nodules from those without in part of
its training set. That these outline the nodules, and the share of patients, are ours.
"""

import numpy as np

from hepatica.cohort.streams import generator


def outlined(hcc: np.ndarray, *, share: float, seed: int, hospital: str) -> np.ndarray:
    """(patients) bool: who was read, `share` of those with HCC (True in `hcc`) and of those without, rounded up each.

    So there is one of each at least, unless the share or the cohort has none.
    """
    rng = generator(seed, hospital, "experts")
    read = np.zeros(len(hcc), dtype=bool)
    for group in (np.flatnonzero(hcc), np.flatnonzero(~hcc)):
        count = int(np.ceil(share * len(group)))
        read[rng.permutation(group)[:count]] = True
    return read
