"""Scores: seconds of each score for 1e6 patients, from a table to columns.

    .venv/bin/python benchmarks/scores.py

Prints the best of ROUNDS and fails where a score takes longer than LIMIT_S. Values are uniform in what is usual;
categories are text, as a file has them.
"""

import time

import numpy as np
import pandas as pd

from hepatica.clinical.quantities import COLUMNS, QUANTITIES, Array
from hepatica.clinical.scores import SCORES, score

ROWS, ROUNDS, LIMIT_S = 1_000_000, 3, 1.0


def column(name: str, rng: np.random.Generator) -> Array | np.ndarray:
    """Random values of a column."""
    quantity, unit = COLUMNS[name]
    known = QUANTITIES[quantity]
    if known.levels:
        return rng.choice(np.array(known.levels, dtype=object), ROWS)
    low, high = known.range(known.typical, unit=unit) if known.units else known.possible
    if not np.isfinite(high):
        low, high = max(low, 1), 100
    return rng.uniform(low, high, ROWS)


def seconds(name: str, rng: np.random.Generator) -> float:
    """The best time of one score."""
    table = pd.DataFrame({each: column(each, rng) for each in SCORES[name].inputs})
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        score(name, table)
        times.append(time.perf_counter() - begin)
    return min(times)


if __name__ == "__main__":
    found = {name: seconds(name, np.random.default_rng(0)) for name in SCORES}
    for name, took in found.items():
        print(f"{name:32s}{took:8.3f} s")
    assert max(found.values()) < LIMIT_S, max(found, key=lambda name: found[name])
