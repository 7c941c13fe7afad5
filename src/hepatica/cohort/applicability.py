"""Applicability: whether a specimen measures like those a system was trained on, and how far it is from them.

A score is an answer to a question about specimens like those of training. For others it may be confident and wrong, so
each prediction is `in_domain`, `unusual` (with the reason and how far) or `not_assessable` (without a score); it is
`unknown` where nothing is measured of a system's specimens.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

IN_DOMAIN, UNUSUAL, NOT_ASSESSABLE, UNKNOWN = "in_domain", "unusual", "not_assessable", "unknown"

TAIL = 0.01
"""Share of training specimens beyond each limit of a measure (ours), lest a single odd one widens it."""

MOST_REASONS = 3
"""Measures that a reason names, those farthest off first."""

Domain = Mapping[str, Mapping[str, Any]]
"""What training specimens measured: by measure low, high and tolerance, or of words the `values` that occurred."""


def learn_domain(measured: pd.DataFrame, *, tolerances: Mapping[str, float]) -> Domain:
    """The domain of specimens (rows) by measures (columns), numbers or words, in plain values.

    `tolerances` says how far beyond training specimens a measure may lie, in its unit; a measure without one may lie
    half the width of its range beyond. A measure that no specimen has is left out.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for name, values in measured.items():
        known = values.dropna()
        if known.empty:
            continue
        if not pd.api.types.is_numeric_dtype(known):
            found[str(name)] = {"values": sorted(set(known.astype(str)))}
            continue
        low, high = np.quantile(known.to_numpy(float), [TAIL, 1 - TAIL])
        tolerance = tolerances.get(str(name), (high - low) / 2)
        found[str(name)] = {"low": float(low), "high": float(high), "tolerance": float(tolerance)}
    return found


def distances(measured: pd.DataFrame, *, domain: Domain) -> pd.DataFrame:
    """How far each specimen lies beyond the training specimens, in tolerances: 0 inside, above 1 is unusual.

    Rows and columns are those of `measured` that the domain has. A word that did not occur in training is infinitely
    far; what was not measured is not counted.
    """
    found = {}
    for name in (each for each in domain if each in measured):
        known, limits = measured[name], domain[name]
        if "values" in limits:
            strange = known.notna() & ~known.astype(str).isin(limits["values"])
            found[name] = np.where(strange, np.inf, 0.0)
            continue
        values = known.to_numpy(float)
        beyond = np.maximum(np.maximum(limits["low"] - values, values - limits["high"]), 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            found[name] = np.where(beyond > 0, beyond / limits["tolerance"], 0.0)
    return pd.DataFrame(found, index=measured.index)


def judge(measured: pd.DataFrame, *, domain: Domain) -> pd.DataFrame:
    """applicability and reason of each specimen (row of `measured`), the reason missing where it is in the domain."""
    far = distances(measured, domain=domain)
    pairs = zip(measured.iterrows(), far.iterrows(), strict=True)
    reasons = [_reason(values, row[row > 1], domain) for (_, values), (_, row) in pairs]
    reason = pd.Series(reasons, index=measured.index, dtype="string")
    applicability = reason.notna().map({True: UNUSUAL, False: IN_DOMAIN})
    return pd.DataFrame({"applicability": applicability, "reason": reason}, index=measured.index)


def _reason(values: pd.Series, far: pd.Series, domain: Domain) -> str | None:
    if far.empty:
        return None
    worst = {str(name): float(each) for name, each in far.sort_values(ascending=False, kind="stable").items()}
    named = [_described(name, values[name], domain[name], distance) for name, distance in worst.items()]
    others = len(named) - MOST_REASONS
    more = f"; {others} more measure{'s' if others > 1 else ''}" if others > 0 else ""
    return f"unlike the training specimens: {'; '.join(named[:MOST_REASONS])}{more}"


def _described(name: str, value: Any, limits: Mapping[str, Any], distance: float) -> str:
    name = name.replace("_", " ")
    if "values" in limits:
        return f"{name} {value} (in training {', '.join(limits['values'])})"
    inside = f"in training {limits['low']:.3g} to {limits['high']:.3g}"
    return f"{name} {value:.3g} ({inside}; {distance:.1f} times the tolerance)"


def cautions(predictions: pd.DataFrame) -> dict[str, str]:
    """Why the score of a specimen should not be relied on, by specimen_id; those without a reason are not in it."""
    rows = predictions[predictions["specimen_id"].notna()].drop_duplicates("specimen_id").set_index("specimen_id")
    unusual = rows["applicability"] == UNUSUAL
    seen = rows["seen_in_training"].fillna(value=False).astype(bool)
    found = dict.fromkeys(rows.index[unusual], "UNUSUAL SPECIMEN, unlike those of training")
    for name in rows.index[seen]:
        found[name] = "; ".join(filter(None, (found.get(name), "SEEN IN TRAINING, no estimate for new patients")))
    return found
