"""Risk capture: which share of the events the patients of highest risk have, and how many patients hold so many."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Floats, numbers
from hepatica.evaluate.observed import Outcome, observed

RESAMPLES = 1000
_AT_ONCE = 5_000_000


@dataclass(frozen=True, kw_only=True)
class RiskCapture:
    """From the highest risk down: `patients` and `events` (m,), shares from 0 to 1 at each distinct score.

    `resampled_patients` and `resampled_events` (b, m) are the same of patients drawn with replacement.
    """

    patients: Floats
    events: Floats
    resampled_patients: Floats
    resampled_events: Floats
    n: int

    def captured(self, share: float) -> Estimate:
        """Share of the events in the `share` of patients at highest risk."""
        return self._at(share, self.patients, self.events, self.resampled_patients, self.resampled_events)

    def needed(self, share: float) -> Estimate:
        """The smallest share of patients, from the highest risk down, that holds this `share` of the events."""
        below = share - 1e-12  # of patients without events after the last event that is needed, none is
        return self._at(below, self.events, self.patients, self.resampled_events, self.resampled_patients)

    def _at(self, share: float, x: Floats, y: Floats, xs: Floats, ys: Floats) -> Estimate:
        if not 0 < share < 1:
            raise EvaluationError(f"risk capture: got the share {share}, wanted more than 0 and less than 1")
        found = [float(np.interp(share, *each)) for each in zip(xs, ys, strict=True)]
        low, high = np.percentile(found, [2.5, 97.5])
        method = f"bootstrap of patients, {len(found)} samples, percentiles"
        return Estimate(value=float(np.interp(share, x, y)), low=float(low), high=float(high), n=self.n, method=method)


def risk_capture(label: Outcome, *, score: ArrayLike, resamples: int = RESAMPLES, seed: int = 0) -> RiskCapture:
    """The risk-capture curve of scores (n,) and labels (n,), 0 or 1 or of `at_horizon`; equal scores share alike.

    "80 % of the cancers were in the 51 % of patients at highest risk" (Ioannou 2020, doi
    10.1001/jamanetworkopen.2020.15626) is `needed(0.8)` of 0.51; a score without information needs 0.8. Raises
    EvaluationError on one class or scores that are not numbers.
    """
    outcome = observed(label)
    event = outcome.event * outcome.weight
    scores = numbers(score, name="score", like=event.size)
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), event.size - 1)
    rng, n = np.random.default_rng(seed), event.size
    counts = [len(each) for each in np.array_split(np.arange(resamples), -(-resamples * n // _AT_ONCE))]
    drawn = [_shares(rng.multinomial(n, np.full(n, 1 / n), size).astype(float), event[order], ends) for size in counts]
    resampled = [np.concatenate(each) for each in zip(*drawn, strict=True)]
    (patients,), (events,) = _shares(np.ones((1, n)), event[order], ends)
    return RiskCapture(
        patients=patients, events=events, resampled_patients=resampled[0], resampled_events=resampled[1], n=n
    )


def _shares(times: NDArray[Any], event: np.ndarray, ends: np.ndarray) -> tuple[Floats, Floats]:
    """Shares (b, 1 + m) of patients and of events down to each distinct score, of patients taken so many `times`."""
    found = []
    for each in (times, times * event):
        sums = np.cumsum(each, axis=1)[:, ends]
        found.append(np.pad(sums / np.maximum(sums[:, -1:], 1), ((0, 0), (1, 0))))
    return found[0], found[1]
