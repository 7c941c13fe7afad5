import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from hepatica.evaluate.binary.discrimination import auroc
from hepatica.evaluate.intervals import clopper_pearson
from hepatica.evaluate.multiclass import metrics
from hepatica.evaluate.multiclass.metrics import Classified, _satterthwaite, classified, macro_auroc, macro_f1

CLASSES = ["a", "b", "c"]
SEEDS = st.integers(0, 10_000)


def sample(seed: int, *, n: int, classes: int = 3, groups: int | None = None) -> Classified:
    """Probabilities that know the class in part; every class has two rows at least."""
    rng = np.random.default_rng(seed)
    group = None if groups is None else np.arange(n) % groups
    shared = rng.standard_normal((n if groups is None else groups, classes))[np.arange(n) if group is None else group]
    of = np.concatenate([np.repeat(np.arange(classes), 2), rng.integers(classes, size=n - 2 * classes)])
    score = np.exp(np.eye(classes)[of] + 0.7 * shared + 0.7 * rng.standard_normal((n, classes)))
    score /= score.sum(axis=1, keepdims=True)
    return classified(np.array(list("abcd"))[of], score=score, classes=list("abcd")[:classes], group=group)


def half_width(found: object) -> float:
    """Of the interval on the logit scale."""
    low, high = found.low, found.high  # type: ignore[attr-defined]
    return float(np.log(high / (1 - high)) - np.log(low / (1 - low))) / 2 / 1.959964


def jackknife(rows: Classified, statistic: object) -> float:
    """Standard error on the logit scale, each patient left out in turn: the independent witness."""
    values = []
    for patient in range(rows.patients.count):
        left = rows.patients.of_row != patient
        label = np.array(rows.classes)[rows.of[left]]
        value = statistic(classified(label, score=rows.score[left], classes=rows.classes)).value  # type: ignore[operator]
        values.append(np.log(value / (1 - value)))
    k = rows.patients.count
    return float(np.sqrt((k - 1) / k * np.square(values - np.mean(values)).sum()))


def test_macro_auroc_of_pairs_one_can_count() -> None:
    """Class a: its 3 against 1, 2 right; b: its 2 against 1, 3 one of two; c: its 1 against 2, 0 one of two."""
    score = [[3, 1, 2], [1, 2, 0], [2, 3, 1]]
    assert macro_auroc(classified(CLASSES, score=score, classes=CLASSES)).value == pytest.approx((1 + 0.5 + 0.5) / 3)


def test_macro_f1_one_can_count() -> None:
    """Confusion 2 1 / 1 1, third class 1 right: F1 of 4/6, 2/4 and 1."""
    score = np.eye(3)[[0, 0, 1, 0, 1, 2]]
    found = macro_f1(classified(list("aaabbc"), score=score, classes=CLASSES))
    assert found.value == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_both_agree_with_scikit_learn(seed: int) -> None:
    rows = sample(seed, n=30)
    assert macro_auroc(rows).value == pytest.approx(roc_auc_score(rows.of, rows.score, multi_class="ovr"))
    assert macro_f1(rows).value == pytest.approx(f1_score(rows.of, rows.called, average="macro"))


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_for_two_classes_macro_auroc_is_the_auroc_of_either(seed: int) -> None:
    rows = sample(seed, n=20, classes=2)
    found, either = macro_auroc(rows), auroc(rows.of == 0, score=rows.score[:, 0])
    assert (found.value, found.low, found.high) == pytest.approx((either.value, either.low, either.high))


@pytest.mark.parametrize("statistic", [macro_auroc, macro_f1])
def test_the_interval_is_that_of_a_jackknife_over_patients(statistic: object) -> None:
    rows = sample(5, n=180, groups=60)
    assert half_width(statistic(rows)) == pytest.approx(jackknife(rows, statistic), rel=0.06)  # type: ignore[operator]


@pytest.mark.parametrize(("groups", "least"), [(None, 0.92), (40, 0.92)])
def test_intervals_hold_the_truth_95_times_in_100(groups: int | None, least: float) -> None:
    """400 samples: the share has a standard error of 1.1 %. The truth is the statistic of a sample of 60,000 rows."""
    truth = {each: each(sample(99, n=60_000)).value for each in (macro_auroc, macro_f1)}
    for statistic, value in truth.items():
        found = [statistic(sample(seed, n=120, groups=groups)) for seed in range(400)]
        assert least < np.mean([each.low < value < each.high for each in found]) < 0.98


@settings(deadline=None, max_examples=10)
@given(SEEDS, st.permutations(range(3)))
def test_the_order_of_classes_and_of_rows_does_not_matter(seed: int, order: list[int]) -> None:
    rows = sample(seed, n=24)
    shuffled = np.random.default_rng(seed).permutation(24)
    label = np.array(rows.classes)[rows.of][shuffled]
    turned = classified(label, score=rows.score[shuffled][:, order], classes=[CLASSES[each] for each in order])
    for statistic in (macro_auroc, macro_f1):
        one, other = statistic(rows), statistic(turned)
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_copied_rows_add_no_knowledge_when_grouped_by_patient(seed: int) -> None:
    rows = sample(seed, n=24)
    label, group = np.tile(np.array(rows.classes)[rows.of], 3), np.tile(np.arange(24), 3)
    copied = classified(label, score=np.tile(rows.score, (3, 1)), classes=CLASSES, group=group)
    for statistic in (macro_auroc, macro_f1):
        one, other = statistic(rows), statistic(copied)
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
        assert other.n == 24


@pytest.mark.parametrize("statistic", [macro_auroc, macro_f1])
def test_perfect_scores_rest_on_the_rarest_class(statistic: object) -> None:
    of = np.repeat([0, 1, 2], [10, 8, 5])
    found = statistic(classified(np.array(CLASSES)[of], score=np.eye(3)[of], classes=CLASSES))  # type: ignore[operator]
    assert (found.value, found.low, found.high) == (1, *clopper_pearson(5, 5))


def test_a_class_of_one_patient_leaves_the_interval_wide() -> None:
    rows = sample(3, n=30)
    score = np.vstack([rows.score, [0.5, 0.3, 0.2]])
    four = np.column_stack([score, [*np.linspace(0, 0.1, 30), 0.05]])
    found = macro_auroc(classified([*np.array(CLASSES)[rows.of], "d"], score=four, classes=list("abcd")))
    assert found.low is not None
    assert found.low < 0.1


@pytest.mark.parametrize("statistic", [macro_auroc, macro_f1])
def test_a_class_without_rows_is_left_out_and_named(statistic: object) -> None:
    rows = sample(1, n=24)
    four = np.column_stack([rows.score, np.zeros(24)])
    found = statistic(classified(np.array(CLASSES)[rows.of], score=four, classes=list("abcd")))  # type: ignore[operator]
    assert found.value == pytest.approx(statistic(rows).value)  # type: ignore[operator]
    assert found.method.endswith(", over a, b, c; no row is of any other class")


def test_one_class_has_no_auroc() -> None:
    found = macro_auroc(classified(["b", "b"], score=[[0, 1, 0], [1, 0, 0]], classes=CLASSES))
    assert found.method == "not computable: every row is of class b"


def test_few_patients_of_a_class_leave_few_degrees_of_freedom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variances 4 of 3 patients and 1 of 10: 25 / (16 / 2 + 1 / 9); the interval of the mean AUROC is Student's."""
    label, rng = np.repeat(["a", "b"], [3, 10]), np.random.default_rng(0)
    rows = classified(label, score=rng.dirichlet([1, 1], 13), classes=("a", "b"))
    added = np.concatenate([[2.0, 0, 0], [1.0], np.zeros(9)])
    assert _satterthwaite(rows, added) == pytest.approx(25 / (16 / 2 + 1 / 9))
    rows = classified(np.repeat(["a", "b", "c"], [40, 17, 3]), score=rng.dirichlet([1] * 3, 60), classes="abc")
    found = macro_auroc(rows)
    monkeypatch.setattr(metrics, "_satterthwaite", lambda *_: 1e9)
    assert half_width(found) > 1.1 * half_width(macro_auroc(rows))
