"""Few events: coverage of 95 % intervals, and what leaving out the censored does; by simulation.

    python benchmarks/few_events.py [replicates]

Each cell draws cohorts of four times as many patients as events are expected, with a marker whose log odds ratio a
standard deviation is `STRENGTHS`; scores are true risks, or too extreme by a factor of two. About a third of the
patients is lost before the horizon. Truths are those of a large sample. Prints the tables of
docs/studies/few_events.md.
"""

import sys
from collections.abc import Callable, Iterator
from functools import cache
from math import isnan

import numpy as np
from scipy.special import expit

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import (
    Estimate,
    Observed,
    at_horizon,
    auroc,
    brier,
    c_index,
    calibration_intercept,
    calibration_slope,
    confusion,
    observed_to_expected,
    ppv,
    sensitivity,
)
from hepatica.evaluate.inputs import Risk

EVENTS = (5, 10, 20, 50, 100)
STRENGTHS = (0.0, 1.0, 2.0)
SHARE, LOST, LARGE, SEED = 0.25, 2.2, 200_000, 20261129

Cohort = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Time, event and true risk by time 1."""


@cache
def shift(strength: float) -> float:
    """The intercept at which a quarter of all have the event."""
    grid, marker = np.linspace(-9, 3, 200), np.random.default_rng(0).normal(size=20_000)
    return float(np.interp(SHARE, [expit(each + strength * marker).mean() for each in grid], grid))


def draw(rng: np.random.Generator, n: int, strength: float) -> Cohort:
    """n patients followed at random."""
    risk = expit(shift(strength) + strength * rng.normal(size=n))
    happens, ends = rng.exponential(-1 / np.log1p(-risk)), rng.exponential(LOST, n)
    return np.minimum(happens, ends), happens <= ends, risk


def scored(cohort: Cohort, *, extreme: float) -> tuple[Observed, np.ndarray]:
    """The weighted outcome at 1, and scores `extreme` times as far from even odds as they should be."""
    time, event, risk = cohort
    return at_horizon(time, event=event, horizon=1), expit(extreme * np.log(risk / (1 - risk)))


def ranked(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    """Risks; of a marker without strength, chance."""
    return cohort[2] if np.ptp(cohort[2]) > 1e-9 else rng.normal(size=cohort[2].size)


def statistics(cohort: Cohort, rng: np.random.Generator) -> Iterator[tuple[str, Callable[[], Estimate]]]:
    """Every statistic of one cohort, by name."""
    time, event, risk = cohort
    score = ranked(cohort, rng)
    yield "C-index", lambda: c_index(time, event=event, score=Risk(score))
    yield "AUROC (all followed)", lambda: auroc(rng_label(cohort, rng), score=score)
    if np.ptp(risk) < 1e-9:
        return
    yield "AUROC at a horizon", lambda: auroc(at_horizon(time, event=event, horizon=1), score=risk)
    for name, extreme in (("", 1.0), (", extreme scores", 2.0)):
        outcome = scored(cohort, extreme=extreme) if _both(cohort) else None
        if outcome is not None:
            yield f"intercept{name}", lambda o=outcome: calibration_intercept(o[0], score=o[1])
            yield f"slope{name}", lambda o=outcome: calibration_slope(o[0], score=o[1])
            yield f"O/E{name}", lambda o=outcome: observed_to_expected(o[0], score=o[1])
    if _both(cohort):
        yield "Brier", lambda o=outcome: brier(o[0], score=risk)
        counted = confusion(outcome[0], score=risk, cutoff=SHARE)
        yield "sensitivity", lambda: sensitivity(counted)
        yield "PPV", lambda: ppv(counted)


def rng_label(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    """Outcomes by the true risks, none lost."""
    return rng.random(cohort[2].size) < cohort[2]


def _both(cohort: Cohort) -> bool:
    time, event, _ = cohort
    return bool((event & (time <= 1)).any() and (time >= 1).any())


def coverage(replicates: int) -> None:
    """Share of the intervals that hold the truth, of replicates that have one; a row a statistic and strength."""
    print("| statistic | log odds ratio | " + " | ".join(f"{each} events" for each in EVENTS) + " |")
    print("|---|---|" + "---|" * len(EVENTS))
    for strength in STRENGTHS:
        rng = np.random.default_rng(SEED)
        large = dict(statistics(draw(rng, LARGE, strength), rng))
        truth = {name: statistic().value for name, statistic in large.items()}
        held: dict[str, list[str]] = {name: [] for name in truth}
        for events in EVENTS:
            inside: dict[str, list[bool]] = {name: [] for name in truth}
            for _ in range(replicates):
                for name, statistic in statistics(draw(rng, round(events / SHARE), strength), rng):
                    found = _or_none(statistic)
                    if found is not None and found.low is not None and found.high is not None:
                        inside[name].append(found.low <= truth[name] <= found.high)
            for name, each in inside.items():
                held[name].append(f"{100 * np.mean(each):.1f}")
        for name, cells in held.items():
            print(f"| {name} | {strength:g} | {' | '.join(cells)} |", flush=True)


def _or_none(statistic: Callable[[], Estimate]) -> Estimate | None:
    try:
        found = statistic()
    except EvaluationError:
        return None
    return None if isnan(found.value) else found


def dropped(n: int = 100_000) -> None:
    """A calibrated model by the weighted statistics, by those of the patients of known outcome, and in truth."""
    rng = np.random.default_rng(SEED)
    print("\n| censored before the horizon | method | intercept | slope | O/E | Brier | sensitivity | PPV |")
    print("|---|---|---|---|---|---|---|---|")
    for lost in (8.0, 2.2, 1.2):
        risk = expit(shift(1.0) + rng.normal(size=n))
        happens, ends = rng.exponential(-1 / np.log1p(-risk)), rng.exponential(lost, n)
        time, event = np.minimum(happens, ends), happens <= ends
        known = event | (time >= 1)
        outcomes = {
            "nobody lost": (happens <= 1, risk),
            "weighted": (at_horizon(time, event=event, horizon=1), risk),
            "censored left out": ((happens <= 1)[known], risk[known]),
        }
        for name, (label, score) in outcomes.items():
            counted = confusion(label, score=score, cutoff=SHARE)
            found = [each(label, score=score) for each in (calibration_intercept, calibration_slope)]
            found += [observed_to_expected(label, score=score), brier(label, score=score)]
            values = " | ".join(f"{each.value:.3f}" for each in (*found, sensitivity(counted), ppv(counted)))
            print(f"| {1 - known.mean():.0%} | {name} | {values} |", flush=True)


if __name__ == "__main__":
    coverage(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
    dropped()
