import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score, roc_auc_score

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import auroc, auroc_variance, average_precision, compare_auroc, placements
from hepatica.evaluate.intervals import Z, clopper_pearson
from hepatica.evaluate.patients import patients_of

SCORED = st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=4, max_size=40).filter(
    lambda rows: 2 <= sum(label for label, _ in rows) <= len(rows) - 2
)
"""Labels and scores with many ties, two or more of each kind."""


def columns(rows: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([label for label, _ in rows]), np.array([score for _, score in rows], dtype=float)


def delong(label: np.ndarray, *scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUROCs and their covariance by DeLong's definition, pair by pair: the independent witness."""
    kernels = np.stack(
        [np.sign(score[label][:, None] - score[~label][None, :]) / 2 + 0.5 for score in scores]
    )  # (scores, with the event, without)
    with_event, without = kernels.mean(axis=2), kernels.mean(axis=1)
    covariance = np.cov(with_event) / label.sum() + np.cov(without) / (~label).sum()
    return kernels.mean(axis=(1, 2)), covariance


def variance(label: np.ndarray, score: np.ndarray, group: np.ndarray | None = None) -> float:
    return auroc_variance(label, placements(label, score), patients_of(group, rows=label.size))


def test_auroc_of_pairs_one_can_count() -> None:
    """Events score 3, 2, 2 and others 2, 1: of six pairs four are right and two are ties, 5 in 6."""
    assert auroc([1, 1, 1, 0, 0], score=[3, 2, 2, 2, 1]).value == pytest.approx(5 / 6)


def test_the_sign_is_that_a_high_score_means_the_event() -> None:
    assert auroc([0, 0, 1, 1], score=[0.1, 0.2, 0.8, 0.9]).value == 1
    assert auroc([1, 1, 0, 0], score=[0.1, 0.2, 0.8, 0.9]).value == 0


@settings(deadline=None, max_examples=40)
@given(SCORED)
def test_auroc_agrees_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    label, score = columns(rows)
    found = auroc(label, score=score)
    assert found.value == pytest.approx(roc_auc_score(label, score))
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.n == label.size


@settings(deadline=None, max_examples=40)
@given(SCORED)
def test_the_variance_is_delongs(rows: list[tuple[bool, int]]) -> None:
    label, score = columns(rows)
    assert variance(label, score) == pytest.approx(delong(label, score)[1].item(), abs=1e-12)


def test_the_interval_is_normal_on_the_logit_scale() -> None:
    label, score = np.array([1, 1, 1, 0, 0, 0], dtype=bool), np.array([5.0, 3, 2, 4, 1, 0])
    value, spread = (float(each.item()) for each in delong(label, score))
    margin = Z * np.sqrt(spread) / (value * (1 - value))
    found = auroc(label, score=score)
    assert (found.low, found.high) == pytest.approx((expit(logit(value) - margin), expit(logit(value) + margin)))


def test_perfect_separation_keeps_a_wide_interval() -> None:
    found = auroc([0] * 5 + [1] * 8, score=range(13))
    assert found.value == 1
    assert (found.low, found.high) == clopper_pearson(5, 5)


def test_a_single_patient_with_the_event_leaves_nearly_everything_open() -> None:
    found = auroc([0, 0, 0, 1], score=[1, 2, 4, 3])
    assert found.value == pytest.approx(2 / 3)
    assert (found.low, found.high) == clopper_pearson(2 / 3, 1)


@settings(deadline=None, max_examples=30)
@given(SCORED, st.randoms())
def test_auroc_does_not_mind_scale_order_or_side(rows: list[tuple[bool, int]], random: object) -> None:
    label, score = columns(rows)
    found = auroc(label, score=score)
    assert auroc(label, score=np.exp(score / 3) - 7) == found
    shuffled = np.random.default_rng(len(rows)).permutation(label.size)
    permuted = auroc(label[shuffled], score=score[shuffled])
    assert (permuted.value, permuted.low, permuted.high) == pytest.approx((found.value, found.low, found.high))
    turned = auroc(~label, score=score)
    assert turned.value == pytest.approx(1 - found.value)
    assert (turned.low, turned.high) == pytest.approx((1 - (found.high or 0), 1 - (found.low or 0)), abs=1e-9)


def test_the_paired_test_is_delongs() -> None:
    rng = np.random.default_rng(4)
    label = rng.random(60) < 0.4
    score_a, score_b = label + rng.normal(size=60), rng.integers(0, 4, 60).astype(float)
    (value_a, value_b), covariance = delong(label, score_a, score_b)
    spread = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    found = compare_auroc(label, score_a=score_a, score_b=score_b)
    assert found.difference.value == pytest.approx(value_a - value_b)
    assert found.difference.high == pytest.approx(value_a - value_b + Z * np.sqrt(spread))
    back = compare_auroc(label, score_a=score_b, score_b=score_a)
    assert back.difference.value == pytest.approx(-found.difference.value)
    assert back.p == pytest.approx(found.p)


def test_a_score_does_not_differ_from_itself() -> None:
    label, score = [0, 1, 0, 1, 1], np.array([1.0, 2, 3, 4, 2])
    found = compare_auroc(label, score_a=score, score_b=3 * score)
    assert (found.difference.value, found.p, found.difference.low) == (0, 1, None)


def test_rows_as_patients_give_delongs_variance() -> None:
    rng = np.random.default_rng(5)
    label, score = rng.random(40) < 0.5, rng.normal(size=40)
    assert variance(label, score, np.arange(40)) == pytest.approx(variance(label, score))


def test_copied_rows_add_no_knowledge_when_grouped_by_patient() -> None:
    rng = np.random.default_rng(6)
    label, score = rng.random(30) < 0.4, rng.normal(size=30)
    patient = np.array([f"P{n}" for n in range(30)])
    copied = auroc(np.tile(label, 3), score=np.tile(score, 3), group=np.tile(patient, 3))
    alone = auroc(label, score=score)
    assert (copied.value, copied.low, copied.high, copied.n) == pytest.approx(
        (alone.value, alone.low, alone.high, alone.n)
    )
    naive = auroc(np.tile(label, 3), score=np.tile(score, 3))
    assert (naive.high or 0) - (naive.low or 0) < 0.7 * ((alone.high or 0) - (alone.low or 0))


def test_the_clustered_variance_is_obuchowskis_sum_by_hand() -> None:
    """Two lesions of patient a, with and without the event, and three patients of one lesion.

    Events score 4 (a), 1 (b) and others 2 (a), 0 (c), 3 (d): AUROC 4/6. Placements of events 1 and 1/3, of others
    1/2, 1, 1/2. Deviations: a 1/3 and -1/6, b -1/3, c 1/3, d -1/6. S10 = 2/1 (1/9 + 1/9) / 2 = 2/9,
    S01 = 3/2 (1/36 + 1/9 + 1/36) / 3 = 1/12, S11 = 4/3 (1/3)(-1/6) = -2/27, variance S10/2 + S01/3 + 2 S11 / 6.
    """
    label = np.array([1, 1, 0, 0, 0], dtype=bool)
    found = variance(label, np.array([4.0, 1, 2, 0, 3]), np.array(["a", "b", "a", "c", "d"]))
    assert found == pytest.approx(1 / 9 + 1 / 36 - 2 / 81)


@settings(deadline=None, max_examples=40)
@given(SCORED)
def test_average_precision_agrees_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    label, score = columns(rows)
    found = average_precision(label, score=score)
    assert found.value == pytest.approx(average_precision_score(label, score))
    assert 0 <= (found.low or 0) <= found.value <= (found.high or 0) <= 1


def test_average_precision_interval_is_boyds() -> None:
    """AP of events ranked 1st and 3rd is (1 + 2/3) / 2 = 5/6; logit 1.609, standard error (2 x 5/6 x 1/6)^-1/2."""
    found = average_precision([1, 0, 1, 0], score=[4, 3, 2, 1])
    assert found.value == pytest.approx(5 / 6)
    margin = Z * (2 * 5 / 36) ** -0.5
    assert (found.low, found.high) == pytest.approx((expit(np.log(5) - margin), expit(np.log(5) + margin)))


def test_average_precision_counts_patients_with_the_event() -> None:
    label, score = np.array([1, 0, 1, 0]), np.array([4.0, 3, 2, 1])
    alone = average_precision(label, score=score)
    copied = average_precision(np.tile(label, 2), score=np.tile(score, 2), group=np.tile([1, 2, 3, 4], 2))
    assert copied.n == alone.n == 4
    assert copied.low == pytest.approx(
        average_precision([1, 1, 0, 0, 1, 1, 0, 0], score=[4, 4, 3, 3, 2, 2, 1, 1], group=[1, 1, 2, 2, 3, 3, 4, 4]).low
    )


@pytest.mark.parametrize("statistic", [auroc, average_precision])
def test_one_class_is_refused(statistic: object) -> None:
    with pytest.raises(EvaluationError, match="all 2 are 1"):
        statistic([1, 1], score=[0.1, 0.2])  # type: ignore[operator]


def test_many_patients_do_not_overflow() -> None:
    """pROC's DeLong overflowed above 100,000 patients (xrobin/pROC#19)."""
    label = np.arange(200_000) % 2 == 1
    found = auroc(label, score=np.arange(200_000) + 0.0)
    assert found.value == pytest.approx(0.5 + 0.5 / 100_000)
