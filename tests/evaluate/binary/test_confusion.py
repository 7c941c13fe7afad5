import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from statsmodels.stats.inter_rater import cohens_kappa

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.confusion import (
    Confusion,
    accuracy,
    balanced_cutoff,
    confusion,
    f1,
    kappa,
    npv,
    ppv,
    sensitivity,
    specificity,
)
from hepatica.evaluate.intervals import clopper_pearson

EVERY = (accuracy, sensitivity, specificity, ppv, npv, f1, kappa)

COUNTS = st.tuples(*[st.integers(1, 30)] * 4)


def rows(tp: int, fp: int, fn: int, tn: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and calls as scores 0 and 1, with those counts."""
    return np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1.0, 1, 0, 0], [tp, fp, fn, tn])


def test_a_score_at_the_cutoff_is_positive() -> None:
    found = confusion([1, 0, 1, 0], score=[0.5, 0.5, 0.4, 0.4], cutoff=0.5)
    assert (found.tp, found.fp, found.fn, found.tn) == (1, 1, 1, 1)


@pytest.mark.parametrize("cutoff", [math.nan, math.inf])
def test_a_cutoff_is_a_number(cutoff: float) -> None:
    with pytest.raises(EvaluationError, match="cut-off: got"):
        confusion([0, 1], score=[0.1, 0.2], cutoff=cutoff)


@settings(deadline=None, max_examples=30)
@given(COUNTS)
def test_shares_agree_with_scikit_learn(counts: tuple[int, int, int, int]) -> None:
    label, called = rows(*counts)
    found = confusion(label, score=called, cutoff=0.5)
    assert (found.tp, found.fp, found.fn, found.tn) == counts
    assert accuracy(found).value == pytest.approx(metrics.accuracy_score(label, called))
    assert sensitivity(found).value == pytest.approx(metrics.recall_score(label, called))
    assert specificity(found).value == pytest.approx(metrics.recall_score(label, called, pos_label=0))
    assert ppv(found).value == pytest.approx(metrics.precision_score(label, called))
    assert npv(found).value == pytest.approx(metrics.precision_score(label, called, pos_label=0))
    assert f1(found).value == pytest.approx(metrics.f1_score(label, called))
    assert kappa(found).value == pytest.approx(metrics.cohen_kappa_score(label, called))


@settings(deadline=None, max_examples=30)
@given(COUNTS)
def test_kappa_interval_agrees_with_statsmodels(counts: tuple[int, int, int, int]) -> None:
    tp, fp, fn, tn = counts
    found, theirs = kappa(Confusion(tp=tp, fp=fp, fn=fn, tn=tn)), cohens_kappa([[tp, fn], [fp, tn]])
    widened = math.sqrt(sum(counts) / (sum(counts) - 1))  # ours divides by n - 1, theirs by n
    margin = 1.959964 * theirs.std_kappa * widened
    expected = max(theirs.kappa - margin, -1), min(theirs.kappa + margin, 1)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("statistic", "counts", "why"),
    [
        (sensitivity, (0, 2, 0, 3), "no row has the event"),
        (specificity, (2, 0, 3, 0), "every row has the event"),
        (ppv, (0, 0, 2, 3), "no score reaches the cut-off"),
        (npv, (2, 3, 0, 0), "every score reaches the cut-off"),
        (f1, (0, 0, 0, 3), "no row has the event and none is called positive"),
        (kappa, (0, 0, 0, 3), "all rows are of one class and are called so"),
        (accuracy, (0, 0, 0, 0), "no rows"),
    ],
)
def test_nothing_to_take_a_share_of_is_not_a_zero(statistic: object, counts: tuple[int, ...], why: str) -> None:
    found = statistic(Confusion(**dict(zip(("tp", "fp", "fn", "tn"), counts, strict=True))))  # type: ignore[operator]
    assert math.isnan(found.value)
    assert (found.low, found.high) == (None, None)
    assert found.method == f"not computable: 0/0, {why}"


def test_intervals_are_exact_and_count_what_they_rest_on() -> None:
    found = Confusion(tp=12, fp=7, fn=10, tn=28)
    assert (sensitivity(found).low, sensitivity(found).high) == clopper_pearson(12, 22)
    assert [each(found).n for each in EVERY] == [57, 22, 35, 19, 38, 29, 57]


def test_f1_limits_are_those_of_the_share_it_is_a_function_of() -> None:
    found = f1(Confusion(tp=12, fp=7, fn=10, tn=28))
    low, high = clopper_pearson(12, 29)
    assert found.value == pytest.approx(24 / 41)
    assert (found.low, found.high) == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))


@pytest.mark.parametrize("counts", [(5, 0, 0, 6), (0, 5, 6, 0), (4, 5, 0, 0), (0, 0, 4, 5)])
def test_extreme_tables_keep_an_honest_interval(counts: tuple[int, int, int, int]) -> None:
    found = Confusion(**dict(zip(("tp", "fp", "fn", "tn"), counts, strict=True)))
    for statistic in EVERY:
        each = statistic(found)
        if not math.isnan(each.value):
            assert each.low is not None
            assert each.high is not None
            assert -1 <= each.low <= each.value <= each.high <= 1
            assert each.high - each.low > 0.1


@settings(deadline=None, max_examples=20)
@given(COUNTS)
def test_copied_rows_add_no_knowledge_when_grouped_by_patient(counts: tuple[int, int, int, int]) -> None:
    label, called = rows(*counts)
    alone = confusion(label, score=called, cutoff=0.5)
    patient = np.tile(np.arange(label.size), 4)
    copied = confusion(np.tile(label, 4), score=np.tile(called, 4), cutoff=0.5, group=patient)
    for statistic in EVERY:
        few, many = statistic(alone), statistic(copied)
        assert many.value == pytest.approx(few.value)
        assert many.n == few.n
        assert many.low is not None
        assert few.low is not None
        assert many.low < few.low + 0.02  # Korn-Graubard is no narrower, up to n against n - 1
        naive = statistic(confusion(np.tile(label, 4), score=np.tile(called, 4), cutoff=0.5))
        assert naive.low is not None
        assert many.low <= naive.low + 1e-9


def test_independent_rows_of_patients_cost_little() -> None:
    rng = np.random.default_rng(0)
    label, score = rng.random(4000) < 0.5, rng.random(4000)
    plain = accuracy(confusion(label, score=score, cutoff=0.5))
    grouped = accuracy(confusion(label, score=score, cutoff=0.5, group=np.arange(4000) // 4))
    assert grouped.n == 1000
    assert (grouped.high or 0) - (grouped.low or 0) == pytest.approx((plain.high or 0) - (plain.low or 0), rel=0.08)


@settings(deadline=None, max_examples=20)
@given(COUNTS)
def test_sensitivity_and_specificity_change_places_when_outcome_and_call_are_turned(
    counts: tuple[int, int, int, int],
) -> None:
    tp, fp, fn, tn = counts
    found, turned = Confusion(tp=tp, fp=fp, fn=fn, tn=tn), Confusion(tp=tn, fp=fn, fn=fp, tn=tp)
    assert sensitivity(found) == specificity(turned)
    assert ppv(found) == npv(turned)
    assert kappa(found).value == pytest.approx(kappa(turned).value)


def lesser(label: np.ndarray, score: np.ndarray, cutoff: float) -> float:
    called = score >= cutoff
    return min(called[label == 1].mean(), (~called)[label == 0].mean())


def test_by_hand() -> None:
    # At 0.5, 2 of 3 are found and 2 of 3 cleared; at 0.25 all are found, 2 of 3 cleared,
    # at 0.75 the other way round.
    assert balanced_cutoff([0, 0, 1, 0, 1, 1], score=[0.1, 0.2, 0.3, 0.7, 0.8, 0.9]) in (0.25, 0.75)
    assert balanced_cutoff([0, 0, 0, 1, 0, 1, 1], score=[0, 0.1, 0.2, 0.3, 0.7, 0.8, 0.9]) == pytest.approx(0.25)


def test_separated_classes_are_parted_halfway() -> None:
    assert balanced_cutoff([0, 0, 1, 1], score=[1, 2, 6, 8]) == pytest.approx(4)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=25))
def test_none_is_better(rows: list[tuple[bool, int]]) -> None:
    label, score = np.array([int(each[0]) for each in rows]), np.array([each[1] for each in rows], dtype=float)
    if label.min() == label.max():
        with pytest.raises(EvaluationError, match="wanted patients with 0 and with 1"):
            balanced_cutoff(label, score=score)
        return
    found = lesser(label, score, balanced_cutoff(label, score=score))
    assert found == max(lesser(label, score, cutoff) for cutoff in np.arange(-0.5, 8, 0.5))


def test_order_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    label, score, order = rng.integers(0, 2, 40), rng.normal(size=40), rng.permutation(40)
    assert balanced_cutoff(label, score=score) == balanced_cutoff(label[order], score=score[order])
