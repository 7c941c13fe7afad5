"""Importance: how much worse scores are without a variable, how they change with it, and integrated gradients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hepatica.saliency.grad_cam import evaluating

STEPS = 64
"""Of the path from the baseline to the patient."""


def integrated_gradients(
    network: nn.Module,
    values: np.ndarray,
    *,
    baseline: np.ndarray,
    target: Callable[[Any], Tensor],
    steps: int = STEPS,
) -> np.ndarray:
    """What each value (n, …) adds to the outputs of patients, from that of one at the `baseline` (…) on: (n, …).

    `target` makes one number a patient, such as the log-odds, of what the network returns. The sum over a patient's
    values is target(values) - target(baseline), but for the coarseness of the path. A value that is missing (NaN) is
    missing all along the path and adds nothing. Sundararajan, Taly and Yan 2017, arXiv 1703.01365, midpoint rule.
    """
    end = torch.from_numpy(np.asarray(values, np.float32))
    begin = torch.where(end.isnan(), end, torch.from_numpy(np.asarray(baseline, np.float32)).expand_as(end))
    total = torch.zeros_like(end)
    with torch.inference_mode(False), torch.enable_grad(), evaluating(network):
        for step in range(steps):
            point = (begin + (step + 0.5) / steps * (end - begin)).requires_grad_()
            total += torch.autograd.grad(target(network(point)).sum(), point)[0]
    return (total / steps * (end - begin)).nan_to_num(0.0).detach().numpy()


Floats = NDArray[np.float64]

Score = Callable[[np.ndarray], Floats]
"""Scores (n,) of the values (n, …, d) that a network reads."""

REPEATS, RESAMPLES = 5, 200


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Decrease in a statistic when one variable is permuted among patients, with its 95 % interval."""

    value: float
    low: float
    high: float


def permutation_importance(
    score: Score,
    values: np.ndarray,
    *,
    columns: list[int],
    statistic: Callable[[Floats, NDArray[np.int64]], Floats],
    repeats: int = REPEATS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Drop]:
    """The drop of each of these places on the last axis of `values` (n, …, d), a patient each.

    `statistic(scores, counts)` says how good the scores (n,) are in samples of the patients, such as the C-index (r,):
    `counts` (r, n) is how often each patient is in each sample; NaN where it cannot be computed. It is permuted between
    patients `repeats` times, over which the drop is averaged; the interval is that of `resamples` samples of patients
    drawn with replacement (percentiles). A variable that goes with another, which stays, drops little however much it
    says. Breiman 2001, doi 10.1023/A:1010933404324.
    """
    rng, n = np.random.default_rng(seed), len(values)
    drawn = (np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(resamples))
    counts = np.array([np.ones(n, dtype=np.int64), *drawn])
    base = statistic(score(values), counts)
    drops = []
    for column in columns:
        permuted = []
        for _ in range(repeats):
            changed = values.copy()
            changed[..., column] = values[rng.permutation(n)][..., column]
            permuted.append(statistic(score(changed), counts))
        found = base - np.mean(permuted, axis=0)
        low, high = np.nanpercentile(found[1:], [2.5, 97.5])
        drops.append(Drop(value=float(found[0]), low=float(low), high=float(high)))
    return drops


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """Mean score of all patients (m,) if one variable were `at` (m,) for all, with the 95 % limits of the mean."""

    at: Floats
    score: Floats
    low: Floats
    high: Floats


def partial_dependence(score: Score, values: np.ndarray, *, column: int, points: int = 11) -> Dependence:
    """Partial dependence of the score on the variable at this place on the last axis, from its 5th to its 95th centile.

    Points that are alike are taken once. Values that were missing are replaced too, so that all patients count. It
    mixes values that no patient has together where variables go together. Friedman 2001, doi 10.1214/aos/1013203451.
    """
    known = values[..., column]
    at = np.unique(np.nanpercentile(known, np.linspace(5, 95, points)))
    rows = []
    for each in at:
        changed = values.copy()
        changed[..., column] = np.where(_there(values), each, np.nan)
        found = score(changed)
        error = found.std(ddof=1) / np.sqrt(found.size)
        rows.append((found.mean(), found.mean() - 1.96 * error, found.mean() + 1.96 * error))
    mean, low, high = np.array(rows).T
    return Dependence(at=at, score=mean, low=low, high=high)


def _there(values: np.ndarray) -> NDArray[np.bool_]:
    """Whether there is anything at each place (n, …): visits are padded with rows of nothing."""
    return np.asarray(np.isfinite(values).any(axis=-1))
