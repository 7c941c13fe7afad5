from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hepatica.evaluate import Comparison, Estimate, at_horizon, auroc, compare_paired
from hepatica.report.chapters.compare_runs import Other, Row, rows, scored, section, verdict
from hepatica.report.page.blocks import Table
from hepatica.report.page.wording import interval
from hepatica.studies.li_2025_cnn_sasm.chapters import TABLE_3
from hepatica.studies.li_2025_cnn_sasm.found import Study

ONE = Estimate(value=0.7, low=0.6, high=0.8, n=57, method="")


def other(study: Study) -> Other:
    return Other(
        own="Signature",
        name="End to end",
        predictions=study.end_to_end,
        cutoffs=study.end_to_end_cutoffs,
        printed=TABLE_3,
    )


def row(low: float, high: float) -> Row:
    difference = Estimate(value=(low + high) / 2, low=low, high=high, n=57, method="")
    return Row(metric="auroc", cutoff="", first=ONE, second=ONE, comparison=Comparison(difference=difference, p=0.5))


def test_both_strategies_are_scored_on_the_same_patients(make_study: Callable[..., Study]) -> None:
    study = make_study()
    study = replace(study, end_to_end_cutoffs={key: cutoff - 0.1 for key, cutoff in study.run.cutoffs.items()})
    target = study.run.targets[0]
    both = scored(study.run, target, study.end_to_end)
    assert list(both.index) == list(study.run.internal.outcomes(target).index)
    followed = study.run.internal.outcomes(target)
    outcome = at_horizon(followed["time"], event=followed["cause"], horizon=target.horizon)
    found = {(each.metric, each.cutoff): each for each in rows(study.run, target, other(study))}
    assert found["auroc", ""].first == auroc(outcome, score=both["first"])
    assert found["auroc", ""].second == auroc(outcome, score=both["second"])
    for cutoff, (a, b) in {
        "0.5": (0.5, 0.5),
        "the training median": (study.run.cutoffs[target.key], study.end_to_end_cutoffs[target.key]),
    }.items():
        expected = compare_paired(outcome, score_a=both["first"], score_b=both["second"], cutoff_a=a, cutoff_b=b)
        assert found["f1", cutoff].comparison == expected["f1"]
        assert found["f1", cutoff].first.value - found["f1", cutoff].second.value == pytest.approx(
            expected["f1"].difference.value
        )
    assert found["c_index", ""].comparison.difference.n == len(both)


def test_the_table_has_every_statistic_and_the_papers_beside(
    make_study: Callable[..., Study], tmp_path: Path, sketchbook: Callable[..., Any]
) -> None:
    study = make_study()
    gallery = sketchbook(tmp_path)
    table = next(each for each in section(study.run, gallery, other=other(study)).blocks if isinstance(each, Table))
    assert len(table.rows) == 3 * (1 + 2 + 4 + 4 + 1)
    assert set(gallery.words) == {"strategies_recurrence_12", "strategies_recurrence_24", "strategies_recurrence_final"}
    told = {cells[0]: cells[1:] for cells in table.rows[:12] if len(cells) > 1}
    assert told["AUROC"][-2:] == ["0.818", "0.721"]
    assert told["F1, at 0.5"][-2:] == ["0.585", "0.524"]
    assert told["F1, at the training median"][-2:] == ["\N{EN DASH}", "\N{EN DASH}"]
    assert told["AUROC"][0] == interval(rows(study.run, study.run.targets[0], other(study))[0].first.as_dict())


def test_the_papers_table_3() -> None:
    """Means over time points by hand: AUROC .779 and .716, F1 .631 and .568."""
    for metric, means in (("auroc", (0.7793, 0.7163)), ("f1", (0.6313, 0.5677))):
        columns = zip(*(table[metric] for table in TABLE_3.values()), strict=True)
        assert [sum(each) / 3 for each in columns] == pytest.approx(means, abs=5e-4)


def test_the_verdict_counts_intervals() -> None:
    undecided = verdict({"a": [row(-0.1, 0.2), row(-0.2, 0.1)]})
    assert "Of 2 differences in 57 patients at most, 0 have an interval above 0 and 0 below." in undecided
    assert "do not show which of the two is better" in undecided
    decided = verdict({"a": [row(0.1, 0.2), row(-0.2, -0.1), row(-0.1, 0.1)]})
    assert "1 have an interval above 0 and 1 below" in decided
    assert "by chance alone" in decided
    assert "nothing is shown" in verdict({"a": []})


def test_one_outcome_only(make_study: Callable[..., Study], tmp_path: Path, sketchbook: Callable[..., Any]) -> None:
    study = make_study(events=False)
    found = section(study.run, sketchbook(tmp_path), other=other(study))
    assert "Not computable" in str(found.blocks)
    assert "nothing is shown" in str(found.blocks[-1])


def test_patients_only_one_strategy_scored_are_left_out(make_study: Callable[..., Study]) -> None:
    study = make_study()
    target, table = study.run.targets[0], study.end_to_end
    both = scored(study.run, target, table)
    kept = table[table["patient_id"] != both.index[0]]
    assert len(scored(study.run, target, kept)) == len(both) - 1
