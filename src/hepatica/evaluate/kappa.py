"""Kappa: agreement of class and call beyond what the margins give by chance, with its interval."""

from collections.abc import Callable

from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.intervals import NO_SPREAD, Z, clopper_pearson, sum_variance


def kappa_of(
    shares: Floats, *, weight: Floats, by_patient: Callable[[Floats], Floats], n: int, clustered: str, named: str = ""
) -> Estimate:
    """Kappa of the (k, k) shares of rows by class and call, `weight` (k, k) being how far two classes agree, 1 to 0.

    `by_patient` takes a value of each cell (k, k) and sums it over the rows of each patient, as shares of all rows:
    (n,); `named` begins the method. Large-sample interval (Fleiss, Cohen and Everitt 1969, doi 10.1037/h0028106), cut
    at -1 and 1. Where the sample shows no variation: exact limits of the weighted agreement, margins held (ours).
    """
    of, called = weight @ shares.sum(axis=0), shares.sum(axis=1) @ weight  # agreement by chance of each class
    agree, chance = float((weight * shares).sum()), float(shares.sum(axis=1) @ of)
    if chance == 1:
        return undefined("0/0, all rows are of one class and are called so", n=n)
    value = (agree - chance) / (1 - chance)
    more_chance = of[:, None] + called - 2 * chance
    variance = sum_variance(by_patient((weight - agree - (1 - value) * more_chance) / (1 - chance)))
    if variance < NO_SPREAD:
        low, high = ((limit - chance) / (1 - chance) for limit in clopper_pearson(agree * n, n))
        method = f"{named}Clopper-Pearson of the agreement, margins held"
    else:
        low, high = value - Z * variance**0.5, value + Z * variance**0.5
        method = f"{named}large-sample{clustered}"
    return Estimate(value=value, low=max(float(low), -1.0), high=min(float(high), 1.0), n=n, method=method)
