import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.utils import concordance_index
from lifelines.utils.concordance import _concordance_summary_statistics

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import auroc, auroc_variance, placements
from hepatica.evaluate.inputs import Risk, risk_of_survival
from hepatica.evaluate.intervals import clopper_pearson, sum_variance
from hepatica.evaluate.patients import Patients
from hepatica.evaluate.survival.concordance import c_index, c_index_of_samples, comparable_pairs, compare_c_index


def followed(*, times: int, scores: int) -> st.SearchStrategy[list[tuple[int, bool, int]]]:
    """Times, events and scores of patients of whom two at least can be compared."""
    patient = st.tuples(st.integers(0, times), st.booleans(), st.integers(-scores, scores))
    return st.lists(patient, min_size=2, max_size=40).filter(
        lambda rows: any(a[0] < b[0] and a[1] for a in rows for b in rows)
    )


FOLLOWED, SCATTERED = followed(times=6, scores=3), followed(times=1000, scores=1000)
"""With many ties, and with few."""


def columns(rows: list[tuple[int, bool, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time, event, score = zip(*rows, strict=True)
    return np.array(time, dtype=float), np.array(event), np.array(score, dtype=float)


def pairs(time: list[float], event: list[int], score: list[float]) -> tuple[float, float]:
    """Comparable and concordant pairs, each once."""
    found = comparable_pairs(np.array(time), event=np.array(event) == 1, score=np.array(score))
    return found.comparable.sum() / 2, found.concordant.sum() / 2


def weighted_c_index(time: np.ndarray, event: np.ndarray, score: np.ndarray, weight: np.ndarray) -> float:
    """The C-index of patients that count `weight` times, pair by pair."""
    earlier = time[:, None] < time[None, :]
    level = (time[:, None] == time[None, :]) & ~event[None, :]
    comparable = (event[:, None] & (earlier | level)) * weight[:, None] * weight[None, :]
    kernel = np.sign(score[:, None] - score[None, :]) / 2 + 0.5
    return float((comparable * kernel).sum() / comparable.sum())


@pytest.mark.parametrize(
    ("time", "event", "score", "comparable", "concordant"),
    [
        pytest.param([1, 2, 3], [1, 1, 1], [3, 2, 1], 3, 3, id="all events, risks in order"),
        pytest.param([1, 2, 3], [1, 1, 1], [1, 2, 3], 3, 0, id="all events, risks the wrong way round"),
        pytest.param([1, 2, 3], [1, 1, 1], [2, 2, 1], 3, 2.5, id="equal risks count half"),
        pytest.param([1, 2, 3], [1, 1, 1], [0.0, -0.0, -1], 3, 2.5, id="a negative zero is zero"),
        pytest.param(range(1, 16), [1] * 15, [0.0, -0.0] * 5 + [-1] * 5, 105, 77.5, id="so it is among many ties"),
        pytest.param([1, 2, 3], [0, 1, 1], [1, 3, 2], 1, 1, id="who is censored first compares with nobody"),
        pytest.param([1, 2, 3], [1, 0, 1], [3, 2, 1], 2, 2, id="a censored patient is no earlier event"),
        pytest.param([2, 2, 3], [1, 1, 0], [3, 1, 2], 2, 1, id="two events at one time are not comparable"),
        pytest.param(
            [2, 2, 3], [1, 0, 0], [3, 1, 4], 2, 1, id="of an event and a censoring at one time, the event is first"
        ),
        pytest.param([0, 0, 0], [1, 0, 0], [2, 1, 2], 2, 1.5, id="time zero counts"),
    ],
)
def test_pairs_one_can_count(
    time: list[float], event: list[int], score: list[float], comparable: float, concordant: float
) -> None:
    assert pairs(time, event, score) == (comparable, concordant)


def test_each_patient_has_the_pairs_it_is_a_member_of() -> None:
    """Pairs: 1-2 right, 1-3 wrong, 1-4 right, 3-4 right; patient 2 is censored before 3 and 4."""
    found = comparable_pairs(
        np.array([1.0, 2, 3, 4]), event=np.array([True, False, True, False]), score=np.array([3.0, 1, 4, 2])
    )
    assert found.comparable.tolist() == [3, 1, 2, 2]
    assert found.concordant.tolist() == [2, 1, 1, 2]


@settings(deadline=None, max_examples=60)
@given(FOLLOWED | SCATTERED)
def test_each_patients_pairs_are_those_of_the_plain_definition(rows: list[tuple[int, bool, int]]) -> None:
    time, event, score = columns(rows)
    earlier = event[:, None] & ((time[:, None] < time) | ((time[:, None] == time) & ~event))
    right = earlier * ((score[:, None] > score) + (score[:, None] == score) / 2)
    found = comparable_pairs(time, event=event, score=score)
    assert found.comparable.tolist() == (earlier + earlier.T).sum(axis=1).tolist()
    assert found.concordant.tolist() == (right + right.T).sum(axis=1).tolist()


@settings(deadline=None, max_examples=60)
@given(FOLLOWED)
def test_pairs_agree_with_lifelines(rows: list[tuple[int, bool, int]]) -> None:
    time, event, score = columns(rows)
    correct, tied, comparable = _concordance_summary_statistics(time, -score, event)
    found = comparable_pairs(time, event=event, score=score)
    assert found.comparable.sum() == 2 * comparable
    assert found.concordant.sum() == 2 * correct + tied
    assert c_index(time, event=event, score=Risk(score)).value == pytest.approx(concordance_index(time, -score, event))


def test_a_perfect_risk_is_exactly_one_and_a_perfect_survival_time_must_be_turned() -> None:
    time, event = [1.0, 2, 3, 4], [1, 1, 0, 1]
    assert c_index(time, event=event, score=Risk(np.array([0.9, 0.5, 0.4, 0.1]))).value == 1
    predicted_months = [2.0, 5, 9, 20]
    assert c_index(time, event=event, score=risk_of_survival(predicted_months)).value == 1
    assert c_index(time, event=event, score=Risk(np.array(predicted_months))).value == 0


@settings(deadline=None, max_examples=30)
@given(FOLLOWED)
def test_c_index_does_not_mind_scale_unit_order_or_side(rows: list[tuple[int, bool, int]]) -> None:
    time, event, score = columns(rows)
    found = c_index(time, event=event, score=Risk(score))
    assert c_index(time * 30.4375, event=event, score=Risk(np.exp(score) + 2)) == found
    shuffled = np.random.default_rng(len(rows)).permutation(time.size)
    permuted = c_index(time[shuffled], event=event[shuffled], score=Risk(score[shuffled]))
    assert (permuted.value, permuted.low, permuted.high) == pytest.approx((found.value, found.low, found.high))
    assert c_index(time, event=event, score=Risk(-score)).value == pytest.approx(1 - found.value)
    assert 0 <= (found.low or 0) <= found.value <= (found.high or 0) <= 1


def test_the_influence_is_the_derivative_by_a_patients_weight() -> None:
    rng = np.random.default_rng(2)
    time, event, score = rng.integers(0, 8, 25) + 0.0, rng.random(25) < 0.6, rng.integers(0, 5, 25) + 0.0
    influence = comparable_pairs(time, event=event, score=score).influence
    for patient in range(25):
        step = np.zeros(25)
        step[patient] = 1e-5
        up, down = (weighted_c_index(time, event, score, 1 + sign * step) for sign in (1, -1))
        assert influence[patient] == pytest.approx((up - down) / 2e-5, abs=1e-8)


def test_events_at_one_time_and_censoring_at_a_later_make_it_the_auroc() -> None:
    """The value is the same; the variance is DeLong's up to n - 1 in each class against n - 1 over both."""
    rng = np.random.default_rng(3)
    label, score = rng.random(400) < 0.5, rng.normal(size=400)
    time = np.where(label, 1.0, 2.0)
    found = comparable_pairs(time, event=label, score=score)
    assert found.c_index == pytest.approx(auroc(label, score=score).value)
    theirs = auroc_variance(label, placements(label, score), Patients(count=400))
    assert sum_variance(found.influence) == pytest.approx(theirs, rel=0.005)


def test_a_perfect_risk_of_few_events_keeps_a_wide_interval() -> None:
    found = c_index([1, 2, 3, 4, 5], event=[1, 1, 1, 0, 0], score=Risk(np.array([5.0, 4, 3, 2, 1])))
    assert (found.low, found.high) == clopper_pearson(3, 3)


def test_copied_rows_add_no_knowledge_when_grouped_by_patient() -> None:
    rng = np.random.default_rng(7)
    time, event, score = rng.exponential(size=50), rng.random(50) < 0.7, rng.normal(size=50)
    alone = c_index(time, event=event, score=Risk(score))
    copied = c_index(
        np.tile(time, 2), event=np.tile(event, 2), score=Risk(np.tile(score, 2)), group=np.tile(np.arange(50), 2)
    )
    assert copied.n == 50
    # A copy of an event at the very time of the event is not comparable with it, hence not quite the same.
    assert (copied.value, copied.low, copied.high) == pytest.approx((alone.value, alone.low, alone.high), abs=0.01)


def test_the_paired_test() -> None:
    rng = np.random.default_rng(8)
    truth = rng.normal(size=300)
    time, event = rng.exponential(np.exp(-truth)), rng.random(300) < 0.7
    good, poor = Risk(truth + 0.3 * rng.normal(size=300)), Risk(truth + 3 * rng.normal(size=300))
    found = compare_c_index(time, event=event, score_a=good, score_b=poor)
    a, b = (c_index(time, event=event, score=each) for each in (good, poor))
    assert found.difference.value == pytest.approx(a.value - b.value)
    assert found.p < 0.001
    assert (found.difference.low or 0) > 0
    back = compare_c_index(time, event=event, score_a=poor, score_b=good)
    assert (back.difference.value, back.p) == pytest.approx((-found.difference.value, found.p))


def test_the_paired_interval_is_narrower_than_that_of_strangers() -> None:
    rng = np.random.default_rng(9)
    truth = rng.normal(size=300)
    time, event = rng.exponential(np.exp(-truth)), rng.random(300) < 0.7
    a = comparable_pairs(time, event=event, score=truth)
    b = comparable_pairs(time, event=event, score=truth + 0.5 * rng.normal(size=300))
    found = compare_c_index(time, event=event, score_a=Risk(truth), score_b=Risk(truth)).difference
    assert (found.value, found.low) == (0, None)
    assert sum_variance(a.influence - b.influence) < sum_variance(a.influence) + sum_variance(b.influence)


def test_the_interval_of_a_difference_is_students() -> None:
    time, event = np.array([1.0, 2, 3, 4, 5]), np.array([1, 1, 1, 1, 0])
    a, b = np.array([5.0, 4, 2, 3, 1]), np.array([3.0, 5, 1, 2, 4])
    influence = [comparable_pairs(time, event=event == 1, score=each).influence for each in (a, b)]
    found = compare_c_index(time, event=event, score_a=Risk(a), score_b=Risk(b)).difference
    margin = 3.182446 * np.sqrt(sum_variance(influence[0] - influence[1]))  # four events, three degrees of freedom
    assert found.value == pytest.approx(0.9 - 0.5)
    assert found.low == pytest.approx(max(found.value - margin, -1))


@pytest.mark.parametrize(("time", "event"), [([1.0, 2.0], [0, 0]), ([1.0, 2.0], [0, 1]), ([1.0, 1.0], [1, 1])])
def test_nobody_to_compare_is_refused(time: list[float], event: list[int]) -> None:
    with pytest.raises(EvaluationError, match="wanted two patients that can be compared"):
        c_index(time, event=event, score=Risk(np.array([0.1, 0.2])))


def test_samples_with_replacement_are_those_of_the_repeated_rows() -> None:
    rng = np.random.default_rng(4)
    time, event, score = rng.integers(0, 9, 40) + 0.0, rng.random(40) < 0.5, rng.integers(0, 6, 40) + 0.0
    rows = [np.arange(40), *(rng.integers(40, size=40) for _ in range(20))]
    counts = np.array([np.bincount(each, minlength=40) for each in rows])
    found = c_index_of_samples(time, event=event, score=Risk(score), counts=counts)
    assert found.tolist() == [c_index(time[each], event=event[each], score=Risk(score[each])).value for each in rows]
    nobody = c_index_of_samples(time, event=event, score=Risk(score), counts=np.zeros((1, 40), dtype=int))
    assert np.isnan(nobody).all()


def test_limits_are_students_with_one_degree_fewer_than_events() -> None:
    time, event = np.array([1.0, 2, 3, 4, 5]), np.array([1, 1, 1, 0, 0])
    score = np.array([5.0, 1, 4, 2, 3])
    pairs = comparable_pairs(time, event=event == 1, score=score)
    found = c_index(time, event=event, score=Risk(score))
    margin = 4.302653 * np.sqrt(sum_variance(pairs.influence)) / (found.value * (1 - found.value))
    odds = found.value / (1 - found.value) * np.exp(margin)
    assert found.high == pytest.approx(odds / (1 + odds), abs=1e-6)
    assert found.method == "infinitesimal jackknife, logit scale, t"


def test_one_event_shows_no_variation() -> None:
    found = c_index([1.0, 2, 3, 4], event=[1, 0, 0, 0], score=Risk(np.array([3.0, 2, 4, 1])))
    assert found.value == pytest.approx(2 / 3)
    assert found.high - found.low > 0.9
    assert found.method.startswith("Clopper-Pearson")
