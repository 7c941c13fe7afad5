"""Heterogeneity: whether a hazard ratio differs between subgroups, judged by its difference and not by two P values."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2

from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.intervals import Z


def heterogeneity_p(ratios: Sequence[Estimate]) -> Estimate:
    """P value that a ratio is the same in subgroups of different patients: the test of interaction.

    Cochran's Q of the logarithms, weighted by the inverse of their variances, which are read off the intervals; of two
    ratios it is the z test of Altman and Bland 2003 (doi 10.1136/bmj.326.7382.219). That one subgroup has P < 0.05 and
    another has not is no sign of a difference; this is. Undefined with fewer than two ratios that have an interval.
    """
    known = [(each.value, each.low, each.high) for each in ratios if each.low and each.high and each.value > 0]
    n = sum(each.n for each in ratios)
    if len(known) < 2:
        return undefined("fewer than two subgroups have a ratio with an interval", n=n)
    value, low, high = np.log(np.array(known)).T
    weight = (2 * Z / (high - low)) ** 2
    apart = weight @ (value - np.average(value, weights=weight)) ** 2
    p = float(chi2.sf(apart, len(known) - 1))
    return Estimate(value=p, low=None, high=None, n=n, method="test of interaction (Cochran's Q), no interval")
