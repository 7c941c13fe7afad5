"""Concordance: our C-index with its interval against lifelines' without one, on the same patients in the same run.

    .venv/bin/python benchmarks/concordance.py

Prints seconds of processor time (medians of ROUNDS) and the median of the rounds' ratios for 1e4 and 1e5 patients with
and without ties, and checks that both count the same. Aim with ties: 20.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from lifelines.utils import concordance_index

from hepatica.evaluate import Risk, c_index

ROUNDS = 9


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call, which runs on one thread."""
    begin = time.process_time()
    call()
    return time.process_time() - begin


def cohort(patients: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event and risk of proportional hazards some censored; with ties in whole months and tenths."""
    rng = np.random.default_rng(0)
    risk = rng.normal(size=patients)
    happens, ends = 24 * rng.exponential(np.exp(-risk)), 48 * rng.exponential(size=patients)
    observed = np.minimum(happens, ends)
    return (np.ceil(observed), happens <= ends, risk.round(1)) if ties else (observed, happens <= ends, risk)


def compare(patients: int, *, ties: bool) -> None:
    """Time both in turn, round by round, so that a busy machine troubles them alike."""
    months, event, risk = cohort(patients, ties=ties)
    ours, peer = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: c_index(months, event=event, score=Risk(risk))))
        peer.append(seconds(lambda: concordance_index(months, -risk, event)))
    found, theirs = c_index(months, event=event, score=Risk(risk)), concordance_index(months, -risk, event)
    if abs(found.value - theirs) > 1e-12:
        raise SystemExit(f"disagreement: ours {found.value!r}, lifelines {theirs!r}")
    mine, other = statistics.median(ours), statistics.median(peer)
    ratio = statistics.median(theirs / own for own, theirs in zip(ours, peer, strict=True))
    print(
        f"C-index, n = {patients:.0e}, {'with' if ties else 'without'} ties: ours {mine:.4f} s (with interval {found}),"
        f" peer {other:.3f} s (lifelines, no interval), ratio {ratio:.1f}"
    )


if __name__ == "__main__":
    c_index([1, 2], event=[1, 1], score=Risk(np.array([2.0, 1.0])))  # compiled, or read from numba's cache
    for number in (10_000, 100_000):
        for tied in (False, True):
            compare(number, ties=tied)
