from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.audit import audit, audit_rates
from hepatica.evaluate.audit.integer_tables import FIGURES, read_printed
from hepatica.evaluate.audit.rate_rows import RateRow

PUBLISHED = Path(__file__).parent / "published"


def row(**figures: str) -> RateRow:
    return RateRow(name="row", n=95, positives=54, printed={name: read_printed(text) for name, text in figures.items()})


def test_table_4_of_paper_004_is_possible_in_one_way() -> None:
    """Counts TP, FP, FN, TN of specs/clinical.md, section 0.1."""
    found = audit(PUBLISHED / "wang_2021_table_4.csv")
    assert [each.contradictions for each in found] == [()] * 8
    counts = [each.possible.tolist() for each in found if each.possible is not None]
    assert counts == [
        [[39, 3, 15, 38]], [[42, 3, 12, 38]], [[41, 6, 13, 35]], [[44, 4, 10, 37]],
        [[35, 10, 11, 26]], [[39, 8, 7, 28]], [[38, 7, 8, 29]], [[34, 4, 12, 32]],
    ]  # fmt: skip


def test_table_5_of_paper_004_has_swapped_rows() -> None:
    """All six radiologists: specs/radiology.md, section 2.4, has the true counts, found here from the printed table."""
    found = audit(PUBLISHED / "wang_2021_table_5.csv")
    for each in found:
        assert "give these values" in each.contradictions[-1]
        assert (
            "sensitivity and specificity swapped, their intervals in place; ppv and npv swapped, their intervals in "
            "place; F1 is that of the other class"
        ) in each.repairs
    counts = [each.repaired.tolist() for each in found if each.repaired is not None]
    assert counts == [
        [[44, 3, 10, 38]], [[46, 3, 8, 38]], [[48, 6, 6, 35]], [[38, 9, 8, 27]], [[42, 6, 4, 30]], [[41, 4, 5, 32]],
    ]  # fmt: skip
    outside = [any("outside its own interval" in said for said in each.contradictions) for each in found]
    assert outside[0]


def test_table_3_of_paper_001_is_of_57_patients() -> None:
    """Of up to 113 patients, only 57 do; 114 and so on do when all counts are doubled."""
    found = audit(PUBLISHED / "li_2025_table_3.csv", most=113)
    assert [each.contradictions for each in found] == [()] * 6
    counts = [each.possible.tolist() for each in found if each.possible is not None]
    assert counts == [
        [[12, 7, 10, 28]], [[11, 9, 11, 26]], [[14, 8, 10, 25]],
        [[13, 7, 11, 26]], [[21, 11, 7, 18]], [[15, 8, 13, 21]],
    ]  # fmt: skip


def test_one_row_of_it_alone_says_less() -> None:
    rows = [RateRow(name="row", printed={"sensitivity": read_printed("0.545"), "ppv": read_printed("0.632")})]
    (found,) = audit_rates(rows, most=113)
    assert found.possible is not None
    assert len(found.possible) > 10


def test_whole_cells_swapped() -> None:
    (found,) = audit_rates([row(accuracy="0.853", sensitivity="0.902", specificity="0.815")])
    assert found.repairs == ("sensitivity and specificity swapped",)
    assert found.repaired is not None
    assert found.repaired.tolist() == [[44, 4, 10, 37]]


def test_a_single_misprint_is_named() -> None:
    (found,) = audit_rates([row(accuracy="0.835", sensitivity="0.815", specificity="0.902", kappa="0.705")])
    assert found.repairs == ("possible if the accuracy is a misprint",)


def test_counts_that_are_not_of_all_patients() -> None:
    counted = RateRow(name="row", n=79, positives=48, counts=(45, 28, 13, 3), printed={})
    (found,) = audit_rates([counted])
    assert found.contradictions == (
        "the counts sum to 89, printed are 79 patients", "TP and FN sum to 58, printed are 48 positives",
    )  # fmt: skip


def test_rows_of_the_same_patients_that_cannot_be() -> None:
    rows = [
        RateRow(name=str(n), n=n, patients="one hospital", printed={"accuracy": read_printed("0.80")}) for n in (95, 90)
    ]
    for found in audit_rates(rows):
        assert found.contradictions == (
            "possible alone, but with no number of patients that the other rows of one hospital allow",
        )
        assert found.possible is not None
        assert len(found.possible) == 0


def test_rows_without_an_outcome_may_have_other_positives() -> None:
    rows = [
        RateRow(
            name=str(diseased), n=95, positives=diseased, patients="one", printed={"accuracy": read_printed("0.80")}
        )
        for diseased in (54, 40)
    ]
    assert [each.contradictions for each in audit_rates(rows)] == [(), ()]


def test_more_positives_than_patients_looked_for() -> None:
    (found,) = audit_rates([RateRow(name="row", positives=300, printed={"sensitivity": read_printed("0.5")})])
    assert found.contradictions == ("no counts of up to 200 patients give these values",)


def test_figures_that_leave_too_many_tables(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("row,n,f1\na,2000,0.5\n")
    with pytest.raises(EvaluationError, match="are too many"):
        audit(path)


def test_no_file() -> None:
    with pytest.raises(EvaluationError, match="is not a file"):
        audit(Path("nowhere.csv"))


def test_thousands_of_patients() -> None:
    counts = np.array([812, 97, 188, 903])
    (found,) = audit_rates([row_of(counts)])
    assert found.possible is not None
    assert counts.tolist() in found.possible.tolist()


def row_of(counts: np.ndarray) -> RateRow:
    tp, fp, fn, tn = counts
    shares = {"accuracy": (tp + tn) / counts.sum(), "sensitivity": tp / (tp + fn), "ppv": tp / (tp + fp)}
    printed = {name: read_printed(f"{share:.3f}") for name, share in shares.items()}
    return RateRow(name="row", n=int(counts.sum()), printed=printed)


def test_the_nearest_counts_of_an_impossible_row_are_named() -> None:
    """Of 55 patients with 34 positives: 22 of 34 are 64.7 %, not 66 %; all other tables miss by more."""
    printed = {"sensitivity": "66%", "specificity": "62%", "ppv": "72%", "npv": "54%", "accuracy": "64%"}
    row = RateRow(name="MR", printed={name: read_printed(cell) for name, cell in printed.items()}, n=55, positives=34)
    (found,) = audit_rates([row])
    assert found.contradictions == ("no counts of 55 patients give these values",)
    assert found.notes[0].startswith("nearest counts: TP 22, FP 8, FN 12, TN 13, with sensitivity 0.6471 for 0.66")
    others = np.array([[tp, fp, 34 - tp, 21 - fp] for tp in range(35) for fp in range(22)], float)
    with np.errstate(divide="ignore", invalid="ignore"):
        misses = [np.abs(FIGURES[name](*others.T) - row.printed[name].value) for name in printed]
    assert others[np.nanargmin(np.max(misses, axis=0))].tolist() == [22, 8, 12, 13]


def test_nothing_is_near_what_is_far_off() -> None:
    printed = {name: read_printed(cell) for name, cell in (("sensitivity", "0.100"), ("accuracy", "0.900"))}
    (found,) = audit_rates([RateRow(name="far", printed=printed, n=20, positives=18)])
    assert found.contradictions
    assert found.notes == ()
