"""Integer tables: which counts of true and false positives and negatives can lie behind rates as printed."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Booleans, Floats
from hepatica.evaluate.intervals import Z
from hepatica.evaluate.readers.multi_reader import RATES, Statistic

NUMBER = r"(-?\d*\.?\d+) ?%?"
FIGURE = re.compile(rf"{NUMBER} ?(?:[(\[]{NUMBER} ?(?:-|,|;|to) ?{NUMBER}[)\]])?")
DASHES = {0x2013: "-", 0x2014: "-", 0x2212: "-", 0xB7: "."}
"""En dash, em dash and minus sign, and the decimal point of British journals."""

SLACK = 1e-9
"""Room for the rounding of computers: halves may have been rounded up or down, both are allowed."""


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A value, its interval where one is printed, and half of the last digit: what lies within rounds to it."""

    value: float
    half: float
    low: float | None = None
    high: float | None = None

    @property
    def outside_its_interval(self) -> bool:
        """Whether the value cannot be that of its own interval."""
        if self.low is None or self.high is None:
            return False
        return not self.low - 2 * self.half - SLACK <= self.value <= self.high + 2 * self.half + SLACK


def read_printed(text: str) -> Printed:
    """Read a cell such as 0.927 (0.686-0.907), 92.7% (68.6 to 90.7) or 0.63; percentages are turned into shares.

    Digits matter: 0.50 may be anything from 0.495 to 0.505, 0.5 from 0.45 to 0.55. The coarsest of value and limits
    counts for all three. Raises EvaluationError on anything else.
    """
    found = FIGURE.fullmatch(" ".join(text.translate(DASHES).split()))
    if found is None:
        raise EvaluationError(f"got {text!r}, wanted a number as printed, such as 0.927 (0.686-0.907) or 92.7%")
    words = [word for word in found.groups() if word]
    scale = 100 if "%" in text else 1
    half = 0.5 / scale * 10.0 ** -min(len(word.partition(".")[2]) for word in words)
    value, *limits = (float(word) / scale for word in words)
    low, high = limits or (None, None)
    return Printed(value=value, half=half, low=low, high=high)


Counts = NDArray[np.int64]
Numbers = NDArray[Any]

SHARES = {
    "accuracy": ((0, 3), (0, 1, 2, 3)),
    "sensitivity": ((0,), (0, 2)),
    "specificity": ((3,), (1, 3)),
    "ppv": ((0,), (0, 1)),
    "npv": ((3,), (2, 3)),
}
"""Rates that are shares: the cells above and below the fraction line; cells are TP, FP, FN, TN."""

PREDICTIVE = ("ppv", "npv")


FIGURES: dict[str, Statistic] = RATES | {"f1_of_the_negative": lambda tp, fp, fn, tn: 2 * tn / (2 * tn + fp + fn)}
"""What may be printed, and F1 of the wrong class, which may be printed for F1."""

MOST_TABLES = 20_000_000
"""More tables than this are not looked through. Ours."""


def possible_tables(printed: Mapping[str, Printed], *, n: int, positives: int | None = None) -> Counts:
    """All (k, 4) counts TP, FP, FN, TN of n patients whose rates, rounded, are the printed ones.

    `printed` has any of FIGURES; `positives` is the number with the disease, all from 1 to n - 1 when not known. Where
    an interval is printed (not for kappa and F1), see `rounding_to`. Each rate narrows a row of counts before the next,
    so thousands of patients are no matter. Raises EvaluationError when the figures narrow them so little that more than
    MOST_TABLES are left.
    """
    diseased = np.arange(1, n) if positives is None else np.array([positives])
    low, high = _bounds(printed.get("sensitivity"))
    tp, row = _integers(diseased * low, diseased * high, least=0, most=diseased)
    diseased, healthy = diseased[row], n - diseased[row]
    least, most = _false_positives(printed, tp, diseased, healthy)
    fp, row = _integers(least, most, least=0, most=healthy)
    tp, diseased, healthy = tp[row], diseased[row], healthy[row]
    return rounding_to(np.stack([tp, fp, diseased - tp, healthy - fp], axis=1), printed)


def rounding_to(counts: Counts, printed: Mapping[str, Printed]) -> Counts:
    """Those of the (k, 4) counts TP, FP, FN, TN whose rates, rounded, are the printed ones, and whose intervals, by any
    method of `limits_of`; where there are none, those whose intervals are as near as a bootstrap's.
    """
    for name, figure in printed.items():
        counts = counts[_rounds_to(FIGURES[name], counts, figure)]
    ranks = [_interval_rank(counts, name, each) for name, each in printed.items() if _has_limits(name, each)]
    if not ranks or not len(counts):
        return counts
    total = np.where(np.min(ranks, axis=0) > 0, np.sum(ranks, axis=0), 0)
    return np.asarray(counts[(total > 0) & (total == total.max())])


def _has_limits(name: str, figure: Printed) -> bool:
    return figure.low is not None and name in SHARES


def interval_notes(counts: Counts, printed: Mapping[str, Printed]) -> list[str]:
    """By which method the printed intervals come out of one set of counts (4,): a line a method."""
    fitting = {
        name: [method for method, fits in _fits(counts[None], name, figure).items() if fits[0]]
        for name, figure in printed.items()
        if _has_limits(name, figure)
    }
    often = Counter(method for methods in fitting.values() for method in methods)
    chosen: dict[str, list[str]] = {}
    for name, methods in fitting.items():
        chosen.setdefault(max(methods, key=often.__getitem__, default=NO_METHOD), []).append(name)
    return [f"interval of {', '.join(names)}: {method}" for method, names in chosen.items()]


def _bounds(figure: Printed | None) -> tuple[float, float]:
    if figure is None:
        return 0.0, 1.0
    return max(figure.value - figure.half, 0.0), min(figure.value + figure.half, 1.0)


def _integers(low: Numbers, high: Numbers, *, least: int, most: Counts) -> tuple[Counts, Counts]:
    """All whole numbers between two bounds, row by row, and the row of each."""
    first = np.ceil(np.maximum(low, least) - 1e-6).astype(np.int64)
    last = np.floor(np.minimum(high, most) + 1e-6).astype(np.int64)
    many = np.maximum(last - first + 1, 0)
    if many.sum() > MOST_TABLES:
        raise EvaluationError(
            f"{many.sum()} tables are too many; give the positives, or print sensitivity or another share"
        )
    row = np.repeat(np.arange(many.size), many)
    step = np.arange(row.size) - np.repeat(np.cumsum(many) - many, many)
    return first[row] + step, row


def _false_positives(
    printed: Mapping[str, Printed], tp: Counts, diseased: Counts, healthy: Counts
) -> tuple[Numbers, Numbers]:
    """Bounds of the false positives that specificity, accuracy, PPV and NPV leave, given the true positives."""
    fn, n = diseased - tp, diseased + healthy
    (spec_low, spec_high), (right_low, right_high), ppv, npv = (
        _bounds(printed.get(name)) for name in ("specificity", "accuracy", "ppv", "npv")
    )
    (fp_least, fp_most), (tn_least, tn_most) = _complements(tp, ppv), _complements(fn, tuple(1 - each for each in npv))
    least = [healthy * (1 - spec_high), healthy + tp - right_high * n, fp_least, healthy - tn_most]
    most = [healthy * (1 - spec_low), healthy + tp - right_low * n, fp_most, healthy - tn_least]
    return np.max(least, axis=0), np.min(most, axis=0)


def _complements(part: Counts, shares: tuple[float, ...]) -> tuple[Numbers, Numbers]:
    """Bounds of what is added to `part` where that is between two shares of the sum."""
    lower, upper = sorted(shares)
    most = part * (1 - lower) / lower if lower else np.full(part.shape, np.inf)
    return part * (1 - upper) / upper, most


def _rounds_to(rate: Statistic, counts: Counts, figure: Printed) -> Booleans:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = rate(*counts.T.astype(np.float64))
    return np.asarray(np.abs(value - figure.value) <= figure.half + SLACK)


NO_METHOD = "no closed formula gives it; near enough for a bootstrap"

BOOTSTRAP = 0.5
"""How far limits may be from the exact ones, in widths of the exact interval, to be those of a bootstrap. Ours."""


def _fits(counts: Counts, name: str, figure: Printed) -> dict[str, Booleans]:
    """For each method, which (k,) of the (k, 4) counts have the printed interval."""
    wanted = np.array([[figure.low], [figure.high]], dtype=np.float64)
    return {
        method: np.asarray(np.all(np.abs(np.stack(limits) - wanted) <= figure.half + SLACK, axis=0))
        for method, limits in limits_of(counts, name).items()
    }


def _interval_rank(counts: Counts, name: str, figure: Printed) -> Counts:
    """2 where some method gives the printed interval, 1 where it is as near as that of a bootstrap, else 0."""
    named = np.any(list(_fits(counts, name, figure).values()), axis=0)
    exact, wanted = np.stack(limits_of(counts, name)["Clopper-Pearson"]), np.array([[figure.low], [figure.high]], float)
    near = np.all(np.abs(exact - wanted) <= BOOTSTRAP * (exact[1] - exact[0]) + figure.half, axis=0)
    return np.where(named, 2, near.astype(int))


def limits_of(counts: Counts, name: str) -> dict[str, tuple[Floats, Floats]]:
    """The usual 95 % intervals (k,) of a share of (k, 4) counts, by method; NaN where a method has none.

    Formulas: Newcombe 1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<857; Brown, Cai and DasGupta 2001, doi
    10.1214/ss/1009213286. MedCalc gives predictive values the logit interval of Mercaldo 2007, doi 10.1002/sim.2677.
    """
    part, whole = (counts[:, list(each)].sum(axis=1).astype(np.float64) for each in SHARES[name])
    rest, z2 = whole - part, Z**2
    with np.errstate(divide="ignore", invalid="ignore"):
        share, odds, variance = part / whole, part / rest, 1 / part + 1 / rest
        fixed = 1 / counts[:, [0, 2]].sum(axis=1) + 1 / counts[:, [1, 3]].sum(axis=1)
        spread, less = (np.exp(Z * np.sqrt(np.maximum(each, 0))) for each in (variance, variance - fixed))
        error = Z * np.sqrt(share * rest) / whole
        root = Z * np.sqrt(share * rest + z2 / 4)
        flat = (part + z2 / 2) / (whole + z2)
        wide = Z * np.sqrt(flat * (1 - flat) / (whole + z2))
        lower = Z * np.sqrt(np.maximum(z2 - 2 - 1 / whole + 4 * share * (rest + 1), 0)) / 2
        upper = Z * np.sqrt(np.maximum(z2 + 2 - 1 / whole + 4 * share * (rest - 1), 0)) / 2
        beta = (part + 0.5, rest + 0.5)
        found = {
            "Clopper-Pearson": _clopper_pearson(part, whole),
            "Wilson": (flat - root / (whole + z2), flat + root / (whole + z2)),
            "Wald": _cut(share - error, share + error),
            "Wilson with continuity correction": _cut(
                flat - (lower + 0.5) / (whole + z2), flat + (upper + 0.5) / (whole + z2)
            ),
            "logit": (odds / (odds + spread), odds * spread / (1 + odds * spread)),
            "Jeffreys": (betaincinv(*beta, 0.025), betaincinv(*beta, 0.975)),
            "Agresti-Coull": _cut(flat - wide, flat + wide),
        }
        return found | (
            {"logit (MedCalc)": (odds / (odds + less), odds * less / (1 + odds * less))} if name in PREDICTIVE else {}
        )


def _cut(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    return np.maximum(low, 0), np.minimum(high, 1)


def _clopper_pearson(part: Floats, whole: Floats) -> tuple[Floats, Floats]:
    low = np.where(part > 0, betaincinv(np.maximum(part, 1), whole - part + 1, 0.025), 0.0)
    high = np.where(part < whole, betaincinv(part + 1, np.maximum(whole - part, 1), 0.975), 1.0)
    return low, high
