import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import auroc, compare_auroc
from hepatica.evaluate.readers.multi_reader import (
    RATES,
    Readings,
    auroc_readings,
    mean_of_readers,
    over_readers,
    rate_readings,
)

# Van Dyke's 114 patients, 45 of them with dissection, read by five readers with two kinds of MRI. Each reader's area
# counts pairs of the 45 x 69; the covariances, both means, F, its degrees of freedom and P are MRMCaov's as printed in
# specs/clinical.md, section 0.9. The variance of a single area plays no part.
AREAS = np.array([[2855.5, 2666.5, 2806.5, 3021.5, 2576.5], [2943, 2811, 2862, 3103, 2887.5]]) / (45 * 69)
COV_1, COV_2, COV_3, VAR = 0.000342009, 0.0003395265, 0.0002358497, 0.0008


def test_van_dyke() -> None:
    same_reader, same_arm = np.tile(np.eye(5), (2, 2)) == 1, np.kron(np.eye(2), np.ones((5, 5))) == 1
    covariance = np.select([same_reader & same_arm, same_reader, same_arm], [VAR, COV_1, COV_2], COV_3)
    both = Readings(values=np.ravel(AREAS), covariance=covariance, cases=114)
    means = [mean_of_readers(both.weighed(np.eye(10)[rows]))[0] for rows in (slice(5), slice(5, 10))]
    assert means == pytest.approx([0.8970370, 0.9408374], abs=1e-7)
    difference = both.weighed(np.hstack([-np.eye(5), np.eye(5)]))
    mean, error, degrees = mean_of_readers(difference)
    assert (mean / error) ** 2 == pytest.approx(4.484854, abs=5e-6)
    assert degrees == pytest.approx(15.06611, abs=2e-5)
    assert over_readers(difference).p == pytest.approx(0.05123303, abs=2e-7)


@pytest.fixture
def read() -> tuple[np.ndarray, np.ndarray]:
    """80 cases with and without disease and scores of four readers that know something of it, ties and all."""
    rng = np.random.default_rng(0)
    label = np.arange(80) % 2
    return label, np.round(2 * (label + rng.normal(size=80) + rng.normal(size=(4, 80))))


def test_the_covariance_is_delongs(read: tuple[np.ndarray, np.ndarray]) -> None:
    label, scores = read
    found = auroc_readings(label, scores=scores)
    assert found.values == pytest.approx([auroc(label, score=row).value for row in scores])
    apart = found.weighed([[1, -1, 0, 0]])
    pair = compare_auroc(label, score_a=scores[0], score_b=scores[1])
    assert apart.values[0] == pytest.approx(pair.difference.value)
    assert pair.difference.high is not None
    margin = 1.959964 * np.sqrt(apart.covariance[0, 0])
    assert pair.difference.value + margin == pytest.approx(pair.difference.high, abs=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_the_covariance_of_rates_is_the_jackknifes(read: tuple[np.ndarray, np.ndarray], rate: str) -> None:
    label, scores = read
    found = rate_readings(label, called=scores > 1, rate=rate)
    left = np.array(
        [
            rate_readings(np.delete(label, i), called=np.delete(scores > 1, i, axis=1), rate=rate).values
            for i in range(80)
        ]
    ).T
    assert found.covariance == pytest.approx(np.cov(left, ddof=0) * 79)


def test_rates_one_can_count() -> None:
    label = np.repeat([1, 1, 0, 0], [6, 2, 3, 1])
    called = np.repeat([[True, False, False, True]], 1, axis=0).repeat([6, 2, 3, 1], axis=1)
    wanted = {"accuracy": 9 / 12, "sensitivity": 6 / 8, "specificity": 3 / 4, "ppv": 6 / 7, "npv": 3 / 5, "f1": 12 / 15}
    for rate, value in wanted.items():
        assert rate_readings(label, called=called, rate=rate).values == pytest.approx([value])


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(4)))
def test_the_order_of_readers_does_not_matter(order: list[int]) -> None:
    rng = np.random.default_rng(2)
    label, scores = np.arange(40) % 2, rng.normal(size=(4, 40))
    one, other = (over_readers(auroc_readings(label, scores=each)) for each in (scores, scores[order]))
    assert one.difference.low == pytest.approx(other.difference.low)


def test_two_equal_arms_differ_in_a_twentieth_of_samples() -> None:
    """Four readers, 60 cases, readers and cases both random: P < 0.05 in about 5 % of 400 studies."""
    rng = np.random.default_rng(3)
    label, below = np.repeat([0, 1], 30), 0
    weights = np.hstack([np.eye(4), -np.eye(4)])
    for _ in range(400):
        skill = np.tile(rng.normal(1.0, 0.3, 4), 2) + rng.normal(0, 0.2, 8)
        scores = label * skill[:, None] + rng.normal(size=60) + rng.normal(size=(8, 60))
        below += over_readers(auroc_readings(label, scores=scores).weighed(weights), bounds=(-1, 1)).p < 0.05
    assert 0.02 < below / 400 < 0.08


def test_readers_all_alike_leave_the_cases_only(read: tuple[np.ndarray, np.ndarray]) -> None:
    label, scores = read
    mean, error, degrees = mean_of_readers(auroc_readings(label, scores=scores[[0, 0, 0]]))
    alone = auroc_readings(label, scores=scores[:1])
    assert (mean, error, degrees) == pytest.approx((alone.values[0], np.sqrt(alone.covariance[0, 0]), np.inf))


def test_equal_arms_have_no_interval(read: tuple[np.ndarray, np.ndarray]) -> None:
    label, scores = read
    found = auroc_readings(label, scores=np.vstack([scores, scores])).weighed(np.hstack([np.eye(4), -np.eye(4)]))
    assert (over_readers(found).difference.low, over_readers(found).p) == (None, 1.0)


def test_a_reader_who_calls_nothing_has_no_ppv() -> None:
    label = np.arange(20) % 2
    found = over_readers(rate_readings(label, called=np.stack([label, np.zeros(20)]), rate="ppv"))
    assert np.isnan(found.difference.value)
    assert found.difference.method == "not computable: 0/0 in one reader"


def test_what_is_refused() -> None:
    label = np.arange(10) % 2
    with pytest.raises(EvaluationError, match="got 1, wanted two or more"):
        over_readers(rate_readings(label, called=[label], rate="accuracy"))
    with pytest.raises(EvaluationError, match=r"wanted \(readers, 10\)"):
        auroc_readings(label, scores=np.zeros((3, 9)))
    with pytest.raises(EvaluationError, match="one case of a class"):
        auroc_readings([1, 0, 0], scores=np.zeros((2, 3)))


def test_a_rate_that_hangs_on_one_case_has_no_interval() -> None:
    """Each reader calls one case positive: the PPV is 1, and 0/0 without that case."""
    label, called = np.array([1, 1, 0, 0, 0]), np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]])
    found = over_readers(rate_readings(label, called=called, rate="ppv"))
    assert (found.difference.value, found.difference.low, found.difference.high) == (1.0, None, None)
    assert found.difference.method == "no interval: a rate is 0/0 without one case"
    assert np.isnan(found.p)
