"""Censoring: how likely it was to be still followed, and what each patient adds to that estimate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepatica.evaluate.inputs import Booleans, Floats


@dataclass(frozen=True, kw_only=True)
class Censoring:
    """Kaplan-Meier curve G of staying in follow-up; of equal times, events come before censoring.

    At each distinct time `leaving` patients are censored out of `followed`; `row` (n,) is the place of each patient's
    own time, and `censored` (n,) says whether follow-up ended without the event.
    """

    row: NDArray[np.intp]
    censored: Booleans
    leaving: Floats
    followed: Floats

    @property
    def hazard(self) -> Floats:
        """Share of those followed that leave, at each distinct time."""
        return np.divide(self.leaving, np.maximum(self.followed, 1))

    def followed_until(self) -> Floats:
        """(n,) probability G(time-) of being followed up to each patient's own time."""
        still = np.concatenate([[1.0], np.cumprod(1 - self.hazard)])
        return np.asarray(still[self.row], dtype=np.float64)

    def influence(self, own: Floats) -> Floats:
        """What each patient adds, through G alone, to a sum of terms `own` (n,) that are weighted by 1 / G(time-).

        The derivative of that sum by the patient's weight: the martingale term of the influence function.
        """
        sums = np.bincount(self.row, weights=own)
        later = np.cumsum(sums[::-1])[::-1] - sums
        gain = later / np.maximum(self.followed - self.leaving, 1)
        cost = np.cumsum(gain * self.hazard)
        earlier = np.concatenate([[0.0], cost])
        return np.where(self.censored, gain[self.row] - cost[self.row], -earlier[self.row])


def censoring(time: Floats, *, event: Booleans) -> Censoring:
    """Count, at each distinct time, who leaves follow-up and out of how many."""
    row = np.unique(time, return_inverse=True)[1]
    events, leaving = (np.bincount(row, weights=each).astype(float) for each in (event, ~event))
    at_risk = np.cumsum((events + leaving)[::-1])[::-1]
    return Censoring(row=row, censored=~event, leaving=leaving, followed=at_risk - events)
