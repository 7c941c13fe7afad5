import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score, roc_auc_score

from hepatica.evaluate import multiclass_metrics

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
