"""Handed over: the small inputs of `../shared/cases/statistics` give what their README says is right."""

import os
from pathlib import Path

import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import audit, binary_metrics, c_index, read_binary, read_readers, read_survival
from hepatica.evaluate.inputs import Risk


@pytest.fixture
def cases() -> Path:
    folder = Path(os.environ.get("HEPATICA_DATA", ""), "..", "cases", "statistics")
    if not (folder / "semi.csv").is_file():
        pytest.skip("the cases are not at hand; HEPATICA_DATA names the folder beside them")
    return folder


def test_clipped_scores_are_counted_and_what_was_not_delongs_is_not_called_so(cases: Path) -> None:
    clipped, perfect, one = (
        binary_metrics(table.label, score=table.score)
        for table in (
            read_binary(cases / f"{name}.csv", label="y", score="s") for name in ("zeros1", "perfect", "oneev")
        )
    )
    assert "60 scores kept 1e-06 from 0 and 1" in clipped["calibration_intercept"].method
    assert clipped["calibration_intercept"].low is None  # it was -156,199 to 156,199
    assert clipped["calibration_intercept"].method.endswith("no interval: the scores are too sure")
    assert "DeLong" in clipped["auroc"].method
    for found in (perfect["auroc"], perfect["average_precision"], one["auroc"]):
        assert found.method.startswith("Clopper-Pearson")
        assert "otherwise" in found.method
    assert one["auroc"].high - one["auroc"].low > 0.9


def test_one_event_says_nothing_of_the_c_index(cases: Path) -> None:
    table = read_binary(cases / "oneev.csv", label="y", score="s")
    time = [5.0 if event else 9.0 for event in table.label]
    found = c_index(time, event=table.label, score=Risk(table.score))
    assert found.high - found.low > 0.9
    assert found.method.startswith("Clopper-Pearson")


def test_repeated_rows_are_noticed_and_count_once_by_patient(cases: Path) -> None:
    named = {"time": "t", "event": "e", "score": "s"}
    (note,) = read_survival(cases / "sdup.csv", **named).notes
    assert note.startswith("120 of 180 rows repeat another")
    assert read_survival(cases / "sdup.csv", **named, group="id").score.size == 60


def test_semicolons_are_read_and_a_readers_own_word_is_named(cases: Path) -> None:
    assert read_binary(cases / "semi.csv", label="y", score="s").score[0] == 0.423
    with pytest.raises(EvaluationError, match=r"B writes 'Hcc', 'Icc' in 20 readings, wanted hcc or icc"):
        read_readers(cases / "reader_B_writes_Hcc.csv", positive="hcc")


@pytest.mark.parametrize(
    ("name", "method"), [("t1_cirrhosis_cnn", "interval of ppv, npv: logit (MedCalc)"), ("t4_esculap", "Wald")]
)
def test_correct_rows_are_not_accused_of_their_intervals(cases: Path, name: str, method: str) -> None:
    found = audit(cases / f"audit_{name}.csv")
    assert [each.contradictions for each in found] == [()] * len(found)
    assert all(method in each.notes[-1] for each in found)


def test_a_slip_of_a_decimal_is_shown_and_percentages_are_read(cases: Path) -> None:
    found = {each.row: each.contradictions for each in audit(cases / "audit_c2_wjg30_1727.csv")}
    assert found["gender"] == found["diameter"] == ()
    assert "P 0.53 is not that of any test" in found["differentiation"][0]
    assert "0.0534" in found["differentiation"][0]
    assert [each.contradictions for each in audit(cases / "audit_c4_percent.csv")] == [()]


PUBLISHED = Path(__file__).parent / "audit" / "published"


def test_twenty_four_correct_published_rows_are_not_accused(cases: Path) -> None:
    """Wang 2021 (doi 10.1038/s41416-021-01511-w), Table 4: 8; Li 2025 (doi 10.1186/s12916-025-03977-4), Table 3: 6; and
    10 rows of two papers that were handed over as correct.
    """
    tables = [PUBLISHED / "wang_2021_table_4.csv", PUBLISHED / "li_2025_table_3.csv"]
    tables += [cases / f"audit_{name}.csv" for name in ("t1_cirrhosis_cnn", "t4_esculap")]
    found = [each for table in tables for each in audit(table)]
    assert len(found) == 24
    assert [each.row for each in found if each.contradictions] == []
