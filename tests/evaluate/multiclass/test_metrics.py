import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, cohen_kappa_score, precision_score, recall_score, roc_auc_score
from statsmodels.stats.inter_rater import cohens_kappa

from hepatica.evaluate import multiclass_metrics
from hepatica.evaluate.binary.confusion import Confusion, kappa
from hepatica.evaluate.multiclass.metrics import Classified, classified, weighted_kappa

GRADES = ["low", "middle", "high"]
RNG = np.random.default_rng(2)
OF = RNG.integers(3, size=80)
SCORE = np.eye(3)[OF] + RNG.standard_normal((80, 3))
LABEL = np.array(GRADES)[OF]


def test_every_number_agrees_with_scikit_learn() -> None:
    found, called = multiclass_metrics(LABEL, score=SCORE, classes=GRADES, ordered=True), SCORE.argmax(axis=1)
    assert found["accuracy"].value == pytest.approx(accuracy_score(OF, called))
    for which, name in enumerate(GRADES):
        of, to = which == OF, called == which
        assert found[f"auroc[{name}]"].value == pytest.approx(roc_auc_score(of, SCORE[:, which]))
        assert found[f"sensitivity[{name}]"].value == pytest.approx(recall_score(of, to))
        assert found[f"specificity[{name}]"].value == pytest.approx(recall_score(~of, ~to))
        assert found[f"ppv[{name}]"].value == pytest.approx(precision_score(of, to))
    macro = np.mean([found[f"f1[{name}]"].value for name in GRADES])
    assert found["f1_macro"].value == pytest.approx(macro)
    assert found["auroc_macro"].value == pytest.approx(np.mean([found[f"auroc[{name}]"].value for name in GRADES]))


def test_weighted_kappas_are_of_ordered_classes_only() -> None:
    plain = multiclass_metrics(LABEL, score=SCORE, classes=GRADES)
    graded = multiclass_metrics(LABEL, score=SCORE, classes=GRADES, ordered=True)
    assert set(graded) - set(plain) == {"kappa_weighted", "kappa_weighted_linear"}
    assert all(graded[name] == each for name, each in plain.items())


def test_every_number_has_an_interval_and_counts_patients() -> None:
    found = multiclass_metrics(LABEL, score=SCORE, classes=GRADES, ordered=True, group=np.arange(80) % 40)
    for name, each in found.items():
        assert each.low is not None, name
        assert each.high is not None, name
        assert each.low < each.value < each.high
        assert each.n <= 40
        assert "cluster" in each.method
    assert found["accuracy"].n == 40


def test_a_class_without_rows_has_no_statistics_and_the_means_say_so() -> None:
    four = np.column_stack([SCORE, np.full(80, -9.0)])
    found = multiclass_metrics(LABEL, score=four, classes=[*GRADES, "highest"])
    absent = {name: each for name, each in found.items() if name.endswith("[highest]")}
    assert len(absent) == 5
    assert {each.method for each in absent.values()} == {"not computable: no row is of class highest"}
    assert "over low, middle, high" in found["auroc_macro"].method
    assert found["f1_macro"].value == pytest.approx(
        multiclass_metrics(LABEL, score=SCORE, classes=GRADES)["f1_macro"].value
    )


def test_rows_of_one_class_leave_what_needs_two_undefined() -> None:
    found = multiclass_metrics(["low", "low"], score=[[1, 0, 0], [0, 1, 0]], classes=GRADES)
    assert found["sensitivity[low]"].value == 0.5
    assert found["auroc[low]"].method == "not computable: every row is of class low"
    assert np.isnan(found["auroc_macro"].value)
    assert np.isnan(found["specificity[low]"].value)


def test_perfect_scores_give_1() -> None:
    found = multiclass_metrics(LABEL, score=np.eye(3)[OF], classes=GRADES, ordered=True)
    assert {each.value for each in found.values()} == {1.0}


TABLES = st.lists(st.integers(1, 12), min_size=9, max_size=9).map(lambda cells: np.reshape(cells, (3, 3)))
FLEISS_1969 = np.array([[53, 5, 2], [11, 14, 5], [1, 6, 3]])
"""Two judges, in hundredths of 200 subjects (Fleiss, Cohen and Everitt 1969, doi 10.1037/h0028106)."""


def rows_of(table: np.ndarray, *, copies: int = 0) -> Classified:
    """Rows with those counts; with `copies`, so many of each patient."""
    k = len(table)
    of, called = (np.repeat(each.ravel(), table.ravel()) for each in np.indices((k, k)))
    group = np.tile(np.arange(of.size), copies) if copies else None
    of, called = (np.tile(each, max(copies, 1)) for each in (of, called))
    return classified(np.array(list("abcde"))[of], score=np.eye(k)[called], classes=list("abcde")[:k], group=group)


def limits(found: object) -> tuple[float, float, float]:
    return found.value, found.low, found.high  # type: ignore[attr-defined]


def test_kappa_of_fleiss_cohen_and_everitt_one_can_count() -> None:
    """70 in 100 agree; margins 60, 30, 10 and 65, 25, 10 give 47.5 by chance: 22.5 / 52.5."""
    assert weighted_kappa(rows_of(FLEISS_1969), weights="none").value == pytest.approx(3 / 7)


def test_weighted_kappa_one_can_count() -> None:
    """Linear: 70 + 27 / 2 agree, by chance 47.5 + 0.5 x (15 + 19.5 + 3 + 2.5); two apart loses all."""
    found = weighted_kappa(rows_of(FLEISS_1969), weights="linear")
    chance = 0.475 + 0.5 * (0.60 * 0.25 + 0.30 * 0.65 + 0.30 * 0.10 + 0.10 * 0.25)
    assert found.value == pytest.approx((0.70 + 0.5 * 0.27 - chance) / (1 - chance))
    assert found.method == "linear weights, large-sample"


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
@settings(deadline=None, max_examples=20)
@given(TABLES)
def test_values_and_intervals_agree_with_scikit_learn_and_statsmodels(weights: str, table: np.ndarray) -> None:
    rows, named = rows_of(table), None if weights == "none" else weights
    found = weighted_kappa(rows, weights=weights)  # type: ignore[arg-type]
    assert found.value == pytest.approx(cohen_kappa_score(rows.of, rows.called, weights=named))
    theirs = cohens_kappa(table, wt=named)
    widened = np.sqrt(table.sum() / (table.sum() - 1))  # ours divides by n - 1, theirs by n
    margin = 1.959964 * theirs.std_kappa * widened
    expected = max(theirs.kappa - margin, -1), min(theirs.kappa + margin, 1)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-6)


@settings(deadline=None, max_examples=15)
@given(st.tuples(*[st.integers(1, 30)] * 4))
def test_of_two_classes_it_is_the_kappa_of_a_binary_outcome(counts: tuple[int, int, int, int]) -> None:
    tp, fp, fn, tn = counts
    found = weighted_kappa(rows_of(np.array([[tp, fn], [fp, tn]])), weights="quadratic")
    assert limits(found) == pytest.approx(limits(kappa(Confusion(tp=tp, fp=fp, fn=fn, tn=tn))))


@settings(deadline=None, max_examples=15)
@given(TABLES)
def test_classes_may_be_turned_round_and_where_unordered_take_any_order(table: np.ndarray) -> None:
    for weights in ("none", "linear", "quadratic"):
        found = weighted_kappa(rows_of(table), weights=weights)
        assert limits(weighted_kappa(rows_of(table[::-1, ::-1]), weights=weights)) == pytest.approx(limits(found))
    order = np.ix_([1, 2, 0], [1, 2, 0])
    plain = [limits(weighted_kappa(rows_of(each), weights="none")) for each in (table, table[order])]
    assert plain[1] == pytest.approx(plain[0])


@settings(deadline=None, max_examples=15)
@given(TABLES)
def test_copied_rows_add_no_knowledge_when_grouped_by_patient(table: np.ndarray) -> None:
    few, many = (weighted_kappa(rows_of(table, copies=copies), weights="linear") for copies in (0, 3))
    assert limits(many) == pytest.approx(limits(few))
    assert many.n == few.n
    assert many.method == "linear weights, large-sample, clustered by patient"


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_perfect_calls_give_1_with_an_honest_interval(weights: str) -> None:
    found = weighted_kappa(rows_of(np.diag([4, 3, 3])), weights=weights)  # type: ignore[arg-type]
    assert (found.value, found.high) == (1, 1)
    assert found.low is not None
    assert found.low < 0.6


def test_one_class_called_always_is_not_a_kappa() -> None:
    found = weighted_kappa(rows_of(np.diag([4, 0, 0])), weights="none")
    assert found.method == "not computable: 0/0, all rows are of one class and are called so"
