"""Readers: simulated radiologists who call each phantom patient HCC or not, and experts who outline nodules of some.

Three readers call everybody, alone and with a machine's help. Their rates are those of Tables 4 and 5 of Wang 2021
(doi 10.1038/s41416-021-01511-w): hospital A reads as its internal, B as its external test set. Table 5 is printed with
its rows swapped; the counts here are those that its confidence intervals allow. Every reading is a bell curve per
class, with its threshold at 0: patients hard for one reader are hard for all (ours), and the score is how sure the
reader is of HCC.

Who tells malignant masses from others reads at the same rates (ours).

Departures: rates do not depend on the difficulty of the pictures, and the help is no network of hepatica's.

Eleven pathologists tell HCC from cholangiocarcinoma as in Kiani 2020 (doi 10.1038/s41746-020-0232-8), whose released
readings give the shares below: without and with a model's answer, which depends on the reader, by whether it is right.

Wang 2021 had four radiologists tell images with nodules from those without in part of its training set. That they
outline the nodules, for a network such as NoduleNet to learn from, and the share of patients, are ours.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from hepatica.cohort.streams import generator

ARMS = ("unaided", "aided")
"""In the order of RATES."""

RATES: Mapping[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "A": (
        ((39 / 54, 38 / 41), (42 / 54, 38 / 41), (41 / 54, 35 / 41)),
        ((44 / 54, 38 / 41), (46 / 54, 38 / 41), (48 / 54, 35 / 41)),
    ),
    "B": (
        ((35 / 46, 26 / 36), (39 / 46, 28 / 36), (38 / 46, 29 / 36)),
        ((38 / 46, 27 / 36), (42 / 46, 30 / 36), (41 / 46, 32 / 36)),
    ),
}
"""Sensitivity and specificity by hospital, arm and reader."""


def read_all(patient_ids: list[str], hcc: np.ndarray, *, seed: int, hospital: str, correlation: float) -> pd.DataFrame:
    """One row a reading: case, reader, arm, truth and call (1 HCC, 0 not), score (0 to 100, 50 and more called HCC)."""
    rng = generator(seed, hospital, "readers")
    shared = np.sqrt(correlation) * rng.standard_normal(len(hcc))
    tables = []
    for arm, rates in zip(ARMS, RATES[hospital], strict=True):
        for reader, (sensitivity, specificity) in enumerate(rates, start=1):
            own = np.sqrt(1 - correlation) * rng.standard_normal(len(hcc))
            mean = np.where(hcc == 1, stats.norm.ppf(sensitivity), -stats.norm.ppf(specificity))
            score = np.round(100 * stats.norm.cdf(mean + shared + own), 1)
            reading = {"case": patient_ids, "reader": f"R{reader}", "arm": arm, "truth": hcc}
            tables.append(pd.DataFrame({**reading, "call": (score >= 50).astype(int), "score": score}))
    return pd.concat(tables, ignore_index=True)


PATHOLOGISTS, ANSWERED_RIGHT = 11, 741 / 880
"""Readers of Kiani 2020, and the share of their readings in which the model's answer was right."""

RIGHT_CALLS = {"unaided": (685 / 741, 105 / 139), "aided": (725 / 741, 79 / 139)}
"""Share of right calls where the answer was right, and where it was wrong; without the answer those cases are hard."""


def read_assisted(patient_ids: list[str], hcc: np.ndarray, *, seed: int, hospital: str) -> pd.DataFrame:
    """One row a reading: case, reader, arm, truth and call (1 HCC, 0 not), advice (the model's call, where shown)."""
    rng = generator(seed, hospital, "pathologists")
    tables = []
    for reader in range(1, PATHOLOGISTS + 1):
        answered = rng.random(len(hcc)) < ANSWERED_RIGHT
        for arm, shares in RIGHT_CALLS.items():
            right = rng.random(len(hcc)) < np.where(answered, *shares)
            reading = {"case": patient_ids, "reader": f"R{reader}", "arm": arm, "truth": hcc}
            advice = pd.array(np.where(answered, hcc, 1 - hcc), dtype="Int64") if arm == "aided" else None
            tables.append(pd.DataFrame({**reading, "call": np.where(right, hcc, 1 - hcc), "advice": advice}))
    return pd.concat([each.astype({"advice": "Int64"}) for each in tables], ignore_index=True)


def outlined(hcc: np.ndarray, *, share: float, seed: int, hospital: str) -> np.ndarray:
    """(patients) bool: whom experts read, `share` of those with HCC (True in `hcc`) and of those without, rounded up.

    So there is one of each at least, unless the share or the cohort has none.
    """
    rng = generator(seed, hospital, "experts")
    read = np.zeros(len(hcc), dtype=bool)
    for group in (np.flatnonzero(hcc), np.flatnonzero(~hcc)):
        count = int(np.ceil(share * len(group)))
        read[rng.permutation(group)[:count]] = True
    return read
