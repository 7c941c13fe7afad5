"""Clusters: how far a clustering of patients comes out alike when some of the patients are left out."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_rand_score

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate

RESAMPLES = 100
SHARE = 0.8
"""Of the patients that each resample keeps (ours; Ben-Hur 2002 has it)."""


def cluster_stability(
    values: ArrayLike,
    *,
    cluster: Callable[[np.ndarray, int], ArrayLike],
    resamples: int = RESAMPLES,
    share: float = SHARE,
    seed: int = 0,
) -> Estimate:
    """Mean adjusted Rand index of the clustering of all patients with that of random parts of them, on those parts.

    `values` (n, …) has a row a patient; `cluster(values, seed)` gives the group of each row, and must itself do all
    that was chosen by these patients, such as selecting columns. 1: the same groups in every subsample; 0: as alike
    as random groups of these sizes. The limits are the 2.5th and 97.5th percentile over resamples, which share
    patients: they show the spread, not the uncertainty of the mean. Ben-Hur, Elisseeff and Guyon 2002 (Pac Symp
    Biocomput 7:6); index: Hubert and Arabie 1985 (doi 10.1007/BF01908075).

    A clustering is stable, too, where the data have no groups but one long axis: compare with `permutation_null`.
    Raises EvaluationError for fewer than two resamples, a share outside (0, 1), or parts of fewer than 3 patients.
    """
    rows = np.asarray(values)
    size = round(share * len(rows))
    if resamples < 2 or not 0 < share < 1 or size < 3:
        raise EvaluationError(
            f"cluster stability: got {resamples} resamples of a share {share} of {len(rows)} patients, wanted 2 or more"
            " of a share between 0 and 1 that is 3 patients or more"
        )
    rng = np.random.default_rng(seed)
    whole = np.asarray(cluster(rows, seed))
    parts = [np.sort(rng.choice(len(rows), size, replace=False)) for _ in range(resamples)]
    found = [adjusted_rand_score(whole[part], cluster(rows[part], seed + 1 + n)) for n, part in enumerate(parts)]
    low, high = np.percentile(found, [2.5, 97.5])
    method = f"mean adjusted Rand index of {resamples} parts of {share:.0%}; limits: percentiles over parts"
    return Estimate(value=float(np.mean(found)), low=float(low), high=float(high), n=len(rows), method=method)
