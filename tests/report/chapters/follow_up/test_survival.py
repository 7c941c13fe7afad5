from types import SimpleNamespace

import numpy as np
import pandas as pd

from hepatica.cohort import Months, Target
from hepatica.evaluate import cumulative_incidence, fine_gray
from hepatica.report.chapters.follow_up.survival import _rows, competing
from hepatica.report.page.blocks import Text


def test_deaths_are_told_once_for_each_event_they_compete_with() -> None:
    drawn = [Target(endpoint="recurrence", horizon=each) for each in (Months(12.0), None)]
    [note] = competing(drawn)
    assert isinstance(note, Text)
    assert "died without recurrence" in note.text
    assert "overstate the share of patients with recurrence" in note.text


def test_deaths_do_not_compete_where_they_are_the_event() -> None:
    assert competing([Target(endpoint="overall_survival", horizon=None)]) == []


def test_competing_events_have_an_incidence_and_a_subdistribution_ratio_of_their_own() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"time": rng.exponential(30, 80), "score": rng.normal(size=80), "cause": rng.integers(0, 3, 80)}
    )
    table = table.assign(event=table["cause"] == 1, group=np.where(table["score"] > 0, "high", "low"))
    target = Target(endpoint="recurrence", task="survival")

    def rows(own: pd.DataFrame) -> dict[str, list[str]]:
        results = SimpleNamespace(title="x", outcomes=lambda target: own, metric=lambda *args, **kwargs: None)
        return {name: cells for name, *cells in _rows(SimpleNamespace(cohorts=[results], cutoffs={}), target)}

    found = rows(table)
    high = (table["group"] == "high").astype(float).to_frame("high")
    assert found["Subdistribution hazard ratio, high vs. low"] == [
        str(fine_gray(high, time=table["time"], event=table["cause"])["high"].ratio).replace(" to ", "\u00a0to\u00a0")
    ]
    by_year = cumulative_incidence(table["time"], event=table["cause"]).at(12)
    assert found["Cumulative incidence by 12 months"] == [str(by_year).replace(" to ", "\u00a0to\u00a0")]
    alone = rows(table.assign(cause=table["event"].astype(int)))
    assert not [name for name in alone if "ncidence" in name or "Subdistribution" in name]
