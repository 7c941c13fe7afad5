"""Outcome confidence: keep the patients whose survival agrees with their recurrence label (Li 2025, "DRL").

A relapse-free patient who lived long and a relapsed one who died early carry labels that are about the tumour; the rest
may owe theirs to surgery, care or chance. For a ratio t the subset holds the top t of the relapse-free and the bottom t
of the relapsed by overall survival (OS). Source: Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4.

Departures: the inequalities are taken as inclusive, since with the printed strict ones the subset of ratio 1 would lose
the patients at the extremes and not be everybody, as the text says it is.
Unclear: the paper takes OS of censored patients at its face value (`printed`). `censoring_aware` is ours: a patient
censored at c ranks by the expected quantile of his survival given that he outlived c, (1 + F(c)) / 2, where F is
1 - Kaplan-Meier within the class; one who died at t ranks by the middle of the step of F at t. Patients censored
between the same two deaths rank alike and are kept or left together, so a class without deaths is kept whole.
"""

from fractions import Fraction
from math import floor
from typing import Literal

import numpy as np
import pandas as pd

from hepatica.cohort.endpoints import TimeToEvent
from hepatica.cohort.errors import CohortError
from hepatica.cohort.units import Months

RATIOS = tuple(Fraction(text) for text in ("1/4", "1/3", "1/2", "2/3", "3/4", "1"))
"""The six subsets of the paper."""

Variant = Literal["printed", "censoring_aware"]


def confident_patients(
    label: pd.Series, *, patients: pd.DataFrame, survival: TimeToEvent, ratio: Fraction, variant: Variant = "printed"
) -> tuple[str, ...]:
    """Patient ids of the denoised subset at `ratio`, in the order of `label`.

    `label` maps the patient ids one may choose from (never test patients) to 1 relapsed, 0 relapse-free, NaN unknown;
    patients with an unknown label are left out. CohortError when the ratio is not in (0, 1] or a class comes out empty.
    """
    if not 0 < ratio <= 1:
        raise CohortError(f"got an outcome-confidence ratio of {ratio}, wanted more than 0 and at most 1, such as 1/2")
    kept: set[str] = set()
    for relapsed in (0, 1):
        members = patients.loc[label.index[label == relapsed]]
        if members.empty:
            raise CohortError(f"no patient with recurrence label {relapsed} to choose the denoised subset from")
        longevity = members[survival.time] if variant == "printed" else expected_quantile(members, survival=survival)
        kept |= _extreme(longevity, ratio=ratio, lowest=bool(relapsed))
    return tuple(patient for patient in label.index if patient in kept)


def _extreme(longevity: pd.Series, *, ratio: Fraction, lowest: bool) -> set[str]:
    """Those up to the quantile, ties included; by rank, as a quantile in floating point may miss the patient at it."""
    ranked = longevity.sort_values(ascending=lowest)
    bound = ranked.iloc[floor((len(ranked) - 1) * ratio)]
    return set(longevity.index[longevity <= bound if lowest else longevity >= bound])


def expected_quantile(patients: pd.DataFrame, *, survival: TimeToEvent) -> pd.Series:
    """Expected quantile in 0..1 of each patient's survival among these patients, given what their follow-up shows."""
    from lifelines import KaplanMeierFitter  # takes two seconds, which most users of a cohort need not wait

    time, event = patients[survival.time].to_numpy(), (patients[survival.event] == 1).to_numpy()
    curve = KaplanMeierFitter().fit(time, event).cumulative_density_["KM_estimate"]
    place = np.searchsorted(curve.index, time)
    after = curve.to_numpy()[place]
    before = np.concatenate([[0.0], curve])[place]
    return pd.Series(np.where(event, (before + after) / 2, (1 + after) / 2), index=patients.index)


def distinct_outcomes(patients: pd.DataFrame, *, endpoint: TimeToEvent, poor: Months, good: Months) -> pd.Series:
    """Label of each patient with a distinct outcome: 1.0 event within `poor` months, 0.0 none for `good`; else NaN.

    What lies between is left out, as in Skrede et al., Lancet 2020;395:350, doi 10.1016/S0140-6736(19)32998-8.
    CohortError where `good` is less than `poor`.
    """
    if good < poor:
        raise CohortError(
            f"got good outcomes from {good:g} months and poor ones to {poor:g}, wanted good at poor or later"
        )
    early, late = (endpoint.label(patients, horizon=each) for each in (poor, good))
    return late.where(late == 0, early.where(early == 1))
