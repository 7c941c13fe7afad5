"""Audit alarms: how often correct tables are accused, by the method of their intervals, and wrong ones are found.

    python benchmarks/audit_alarms.py [rows]

Rows of 40 to 300 patients with sensitivity, specificity, PPV, NPV and accuracy, printed with three digits. Correct ones
carry intervals of one method each; wrong ones have one value misprinted, two values swapped, or one interval of another
share. Prints the tables of docs/studies/few_events.md.
"""

import sys

import numpy as np

from hepatica.evaluate.audit.audit import audit_rates
from hepatica.evaluate.audit.integer_tables import SHARES, limits_of, read_printed
from hepatica.evaluate.audit.rate_rows import RateRow

METHODS = (
    "Clopper-Pearson", "Wilson", "Wilson with continuity correction", "Wald", "logit", "logit (MedCalc)", "Jeffreys",
    "Agresti-Coull", "bootstrap",
)  # fmt: skip
FAULTS = ("one value misprinted", "sensitivity and specificity swapped", "interval of another rate")
SEED, DRAWS = 20261129, 2000

Cells = dict[str, tuple[float, float, float]]
"""Value and limits by rate."""


def cells(counts: np.ndarray, method: str, rng: np.random.Generator) -> Cells:
    """What a paper would print of these counts; the exact interval where a method has none."""
    found = {}
    for name, (part, whole) in SHARES.items():
        above, below = int(counts[list(part)].sum()), int(counts[list(whole)].sum())
        limits = limits_of(counts[None], name)
        if method == "bootstrap":
            low, high = np.percentile(rng.binomial(below, above / below, DRAWS) / below, [2.5, 97.5])
        else:
            (low,), (high,) = limits.get(method, limits["Clopper-Pearson"])
        if not np.isfinite([low, high]).all():
            (low,), (high,) = limits["Clopper-Pearson"]
        found[name] = (above / below, float(low), float(high))
    return found


def accused(counts: np.ndarray, printed: Cells) -> bool:
    """Whether the audit finds a contradiction in the row."""
    figures = {name: read_printed(f"{v:.3f} ({low:.3f}-{high:.3f})") for name, (v, low, high) in printed.items()}
    row = RateRow(name="row", n=int(counts.sum()), positives=int(counts[0] + counts[2]), printed=figures)
    return bool(audit_rates([row])[0].contradictions)


def spoilt(printed: Cells, fault: str, rng: np.random.Generator) -> Cells:
    """The row with one fault."""
    sensitivity, specificity = printed["sensitivity"], printed["specificity"]
    if fault == FAULTS[0]:
        step = 0.02 * (1 if sensitivity[0] < 0.5 else -1)
        return printed | {"sensitivity": (sensitivity[0] + step, *sensitivity[1:])}
    if fault == FAULTS[1]:
        return printed | {"sensitivity": specificity, "specificity": sensitivity}
    return printed | {"sensitivity": (sensitivity[0], *specificity[1:])}


def drawn(rng: np.random.Generator) -> np.ndarray:
    """Counts TP, FP, FN, TN, none of them 0."""
    n = rng.integers(40, 300)
    positives = rng.binomial(n, rng.uniform(0.3, 0.7))
    tp, tn = rng.binomial(positives, rng.uniform(0.6, 0.95)), rng.binomial(n - positives, rng.uniform(0.6, 0.95))
    counts = np.array([tp, n - positives - tn, positives - tp, tn])
    return counts if counts.min() > 0 else drawn(rng)


if __name__ == "__main__":
    rows, rng = int(sys.argv[1]) if len(sys.argv) > 1 else 200, np.random.default_rng(SEED)
    print("| correct rows, intervals by | accused |\n|---|---|")
    for method in METHODS:
        alarms = [accused(each, cells(each, method, rng)) for each in (drawn(rng) for _ in range(rows))]
        print(f"| {method} | {np.mean(alarms):.1%} |", flush=True)
    print("\n| wrong rows | found |\n|---|---|")
    for fault in FAULTS:
        hits = [accused(c, spoilt(cells(c, "Wald", rng), fault, rng)) for c in (drawn(rng) for _ in range(rows))]
        print(f"| {fault} | {np.mean(hits):.1%} |", flush=True)
