"""Summary: what the first page warns of, of outcomes counted by hand."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from hepatica.cohort import Months, Target
from hepatica.report.chapters.summary import _findings, _key_numbers, _limits
from hepatica.report.page.results import read_run
from hepatica.report.page.wording import interval

SURVIVAL = Target(endpoint="overall_survival", task="survival")
BINARY = Target(endpoint="overall_survival", horizon=Months(24))


def limits(target: Target, *, events: int, free: int, months: float = 30) -> list[str]:
    event = [1] * events + [0] * free
    table = pd.DataFrame({"event": event, "label": event, "time": float(months)})
    return _limits(SimpleNamespace(title="External: x", outcomes=lambda target: table), target)


def test_few_patients_with_the_event_are_named() -> None:
    assert limits(BINARY, events=3, free=120) == [
        "External: x: 3 with and 120 without death at 24 months; fewer than 100 of either leave wide intervals."
    ]
    assert limits(SURVIVAL, events=8, free=20) == [
        "External: x: 8 with the event; fewer than 100 leave wide intervals."
    ]
    assert limits(BINARY, events=100, free=100) == limits(SURVIVAL, events=100, free=0) == []


def test_a_follow_up_of_decades_may_be_in_days() -> None:
    (text,) = limits(SURVIVAL, events=100, free=100, months=730)
    assert "730 months (61 years); if these are days" in text


@pytest.mark.parametrize("task", ["quantities", "segmentation", "multi_class"])
def test_other_tasks_have_no_such_limits(task: str) -> None:
    assert _limits(SimpleNamespace(title="x"), Target(endpoint="x", task=task)) == []


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.61, 0.9, "the interval lies above chance (0.5)"),
        (0.45, 0.9, "the interval does not exclude chance (0.5), so that no discrimination is shown"),
        (0.1, 0.4, "the interval lies below chance (0.5): scores rank patients the wrong way round"),
    ],
)
def test_the_finding_comes_first_and_says_whether_there_is_one(low: float, high: float, said: str) -> None:
    row = {"metric": "auroc", "value": 0.7, "low": low, "high": high, "n": 59}

    def results(title: str, found: dict[str, object] | None) -> SimpleNamespace:
        return SimpleNamespace(title=title, metric=lambda name, target: found if name == "auroc" else None)

    run = SimpleNamespace(targets=[BINARY], cohorts=[results("Internal test: a", row), results("External: b", row)])
    first, second = _findings(run)
    number = interval(row)
    assert first == f"External: b, 59 patients: AUROC for death at 24 months is {number}; {said}."
    assert second.startswith("Internal test: a")
    without = SimpleNamespace(targets=[BINARY], cohorts=[results("x", None), results("y", row | {"low": None})])
    assert _findings(without) == []


def test_the_end_of_follow_up_is_not_quoted_beside_horizons(finished: Path) -> None:
    """That ignores how long each patient was followed."""
    run = read_run(finished)
    assert [each.horizon for each in run.targets] == [12, 24, None]
    headings = [row[0] for row in _key_numbers(run).rows if len(row) == 1]
    assert headings == ["Recurrence at 12 months", "Recurrence at 24 months"]
