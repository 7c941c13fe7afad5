"""Paired errors: which of two ways of measuring the same quantities errs less, target by target."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import wilcoxon

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Floats

DRAWS = 2000
"""Bootstrap draws of spectra (ours)."""

FEWEST = 6
"""Pairs below which a two-sided Wilcoxon test cannot fall below 0.05."""


@dataclass(frozen=True, kw_only=True)
class ErrorComparison:
    """One target by two methods: mean |error| of the first over that of the second, and whether that is chance.

    `p` is of Wilcoxon's two-sided signed-rank test of |error|, pair by pair, `p_holm` the same after Holm's correction
    for the number of targets.
    """

    target: str
    ratio: Estimate
    p: float
    p_holm: float


def compare_errors(
    first: ArrayLike, *, second: ArrayLike, targets: Sequence[str], seed: int = 0
) -> tuple[ErrorComparison, ...]:
    """Compare the errors (n, k) of two methods on the same n spectra and k targets.

    Ratios with percentile intervals over 2,000 bootstrap draws of spectra. Signed-rank tests as in Bae 2025 (doi
    10.2463/mrms.mp.2025-0064, which names no test; its P of .004 is what ten pairs can give), Holm's correction ours.
    Raises EvaluationError on errors that do not pair, are not finite, or are of fewer than 6 spectra.
    """
    a, b = _sizes(first, targets), _sizes(second, targets)
    if a.shape != b.shape:
        raise EvaluationError(f"errors: got {len(a)} and {len(b)} spectra, wanted the same by both methods")
    pairs = zip(a.T, b.T, strict=True)
    p = np.array([1.0 if np.array_equal(*pair) else float(wilcoxon(*pair).pvalue) for pair in pairs])
    corrected = holm(p)
    drawn = np.random.default_rng(seed).multinomial(len(a), np.full(len(a), 1 / len(a)), size=DRAWS)
    ratios = np.vstack([a.mean(axis=0) / b.mean(axis=0), (drawn @ a) / (drawn @ b)])
    return tuple(
        ErrorComparison(target=name, ratio=_ratio(ratios[:, k], n=len(a)), p=float(p[k]), p_holm=float(corrected[k]))
        for k, name in enumerate(targets)
    )


def holm(p: Floats) -> Floats:
    """Holm's step-down correction of P values (n,), within 0..1 (Scand J Stat 1979;6:65).

    As `multipletests` of statsmodels gives it, which collects the garbage of the whole process at each call.
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(stepped)
    corrected[order] = stepped.clip(max=1)
    return corrected


def in_sets(errors: ArrayLike, *, sets: int) -> Floats:
    """Mean |error| (sets, k) of errors (n, k) cut into replicate sets of equal size, the rest left out."""
    sizes = np.abs(np.asarray(errors, dtype=np.float64))
    each = len(sizes) // sets
    if not each:
        raise EvaluationError(f"errors: got {len(sizes)} spectra for {sets} sets, wanted one or more in each")
    return np.stack([part.mean(axis=0) for part in np.split(sizes[: sets * each], sets)])


@dataclass(frozen=True, kw_only=True)
class MethodComparison:
    """One target by two methods: compared spectrum by spectrum, and by the means of replicate sets.

    `share` is that of the spectra in which the first errs less.
    """

    by_spectrum: ErrorComparison
    by_set: ErrorComparison
    share: float

    @property
    def lower(self) -> bool:
        """Whether the mean |error| of the first is the lower one."""
        return self.by_spectrum.ratio.value < 1

    def better(self, level: float) -> bool:
        """Whether it is, also in most spectra, and not by chance after Holm's correction.

        A signed-rank test may find the method worse whose mean is better, where a few fits went far astray.
        """
        return self.lower and self.share > 0.5 and self.by_spectrum.p_holm <= level

    def better_in_sets(self, level: float) -> bool:
        """The same of replicate sets, without correction."""
        return self.by_set.ratio.value < 1 and self.by_set.p <= level


def compare_methods(
    first: ArrayLike, *, second: ArrayLike, targets: Sequence[str], sets: int
) -> tuple[MethodComparison, ...]:
    """Compare the errors (n, k) of two methods by spectrum and by replicate sets; raises as `compare_errors` does."""
    by_spectrum = compare_errors(first, second=second, targets=targets)
    by_set = compare_errors(in_sets(first, sets=sets), second=in_sets(second, sets=sets), targets=targets)
    shares = (_sizes(first, targets) < _sizes(second, targets)).mean(axis=0)
    return tuple(
        MethodComparison(by_spectrum=one, by_set=of_sets, share=float(share))
        for one, of_sets, share in zip(by_spectrum, by_set, shares, strict=True)
    )


def _sizes(errors: ArrayLike, targets: Sequence[str]) -> Floats:
    found = np.abs(np.asarray(errors, dtype=np.float64))
    if found.ndim != 2 or found.shape[1] != len(targets):
        raise EvaluationError(
            f"errors: got an array of shape {found.shape}, wanted a column for {len(targets)} targets"
        )
    if len(found) < FEWEST:
        raise EvaluationError(f"errors: got {len(found)} spectra, wanted {FEWEST} or more")
    if not np.isfinite(found).all():
        raise EvaluationError(
            f"errors: got {(~np.isfinite(found)).sum()} that are not numbers; leave those spectra out"
        )
    return found


def _ratio(values: Floats, *, n: int) -> Estimate:
    low, high = np.percentile(values[1:], [2.5, 97.5])
    method = f"percentile of {DRAWS} bootstrap draws of spectra"
    return Estimate(value=float(values[0]), low=float(low), high=float(high), n=n, method=method)
