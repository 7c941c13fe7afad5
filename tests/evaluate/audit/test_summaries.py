"""Summaries: the figures of An 2020 (doi 10.3389/fonc.2020.573316) by hand, and figures that go together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.summaries import audit_summaries, least_sd


def judged(**cells: str):
    (found,) = audit_summaries(pd.DataFrame([{"row": "a", **cells}]), name="t.csv")
    return found.contradictions


def test_one_margin_of_16_mm_forbids_the_printed_standard_deviation() -> None:
    # (16 - 3.4) sqrt(141) / 140 = 1.07; with 0 mm too, more
    assert least_sd(3.4, ends=[16], n=141) == pytest.approx(12.6 * np.sqrt(141) / 140)
    assert "at least 1.0" in judged(n="141", mean="3.4", sd="0.7", maximum="16")[0]
    assert "at least 1.0" in judged(n="141", mean="3.4", sd="0.7", minimum="0", maximum="16")[0]
    assert judged(n="141", mean="3.4", sd="1.2", minimum="0", maximum="16") == ()


def test_nineteen_of_141_give_20_6_percent_only_where_many_were_censored() -> None:
    (said,) = judged(n="141", events="19", cumulative="20.6%")
    assert "13.5%" in said
    assert "83 patients or fewer" in said  # (1 - 1/83)^19 = 0.794
    assert judged(n="141", events="19", cumulative="9.9%") == ()


@given(values=st.lists(st.floats(0, 100), min_size=4, max_size=30))
def test_true_summaries_are_never_accused(values) -> None:
    of = np.array(values)
    cells = {"mean": of.mean(), "sd": of.std(ddof=1), "minimum": of.min(), "maximum": of.max()}
    assert judged(n=str(len(of)), **{name: f"{each:.2f}" for name, each in cells.items()}) == ()


def test_other_columns_and_too_few_patients_are_named() -> None:
    with pytest.raises(EvaluationError, match="wanted row, n"):
        audit_summaries(pd.DataFrame([{"row": "a", "median": "3"}]), name="t.csv")
    assert "too few" in judged(n="1", mean="3", sd="1", maximum="3")[0]
    assert "no shares" in judged(n="9", events="12", cumulative="20%")[0]
