import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import Confusion, accuracy, average_precision, compare_auroc, f1, ppv, sensitivity
from hepatica.evaluate.binary.confusion import confusion
from hepatica.evaluate.binary.paired import compare_paired

AT_A_CUTOFF = {"accuracy": accuracy, "ppv": ppv, "sensitivity": sensitivity, "f1": f1}

SCORED = st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 8)), min_size=8, max_size=40).filter(
    lambda rows: len({label for label, _, _ in rows}) == 2
)


def cohort(n: int = 80, *, seed: int = 0, signal: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, a score with that much signal and one without."""
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    return label, rng.normal(size=n) + signal * label, rng.normal(size=n)


@settings(deadline=None, max_examples=25)
@given(rows=SCORED)
def test_differences_are_those_of_the_statistics(rows: list[tuple[bool, int, int]]) -> None:
    label, a, b = (np.array(column) for column in zip(*rows, strict=True))
    found = compare_paired(label, score_a=a, score_b=b, cutoff_a=3, cutoff_b=5)
    first, second = confusion(label, score=a, cutoff=3), confusion(label, score=b, cutoff=5)
    for name, of in AT_A_CUTOFF.items():
        wanted = of(first).value - of(second).value
        assert found[name].difference.value == pytest.approx(wanted, nan_ok=True), name
    wanted = average_precision(label, score=a).value - average_precision(label, score=b).value
    assert found["average_precision"].difference.value == pytest.approx(wanted)
    assert found["auroc"].difference == compare_auroc(label, score_a=a, score_b=b).difference


@settings(deadline=None, max_examples=10)
@given(rows=SCORED)
def test_two_scores_may_be_swapped(rows: list[tuple[bool, int, int]]) -> None:
    label, a, b = (np.array(column) for column in zip(*rows, strict=True))
    one = compare_paired(label, score_a=a, score_b=b, cutoff_a=3, cutoff_b=5)
    other = compare_paired(label, score_a=b, score_b=a, cutoff_a=5, cutoff_b=3)
    for name in one:
        assert one[name].p == pytest.approx(other[name].p, nan_ok=True), name
        assert one[name].difference.value == pytest.approx(-other[name].difference.value, nan_ok=True, abs=1e-12)
        if one[name].difference.low is not None:
            assert one[name].difference.low == pytest.approx(-(other[name].difference.high or 0), abs=1e-12)


def test_mcnemar_by_hand() -> None:
    """First right on 8 that the second calls wrongly, second on 1: P = 2 (C(9,0) + C(9,1)) / 2^9 = 20 / 512."""
    label = np.array([1] * 10 + [0] * 10)
    right, wrong = label.astype(float), 1.0 - label
    a, b = right.copy(), right.copy()
    b[:8], a[8] = wrong[:8], wrong[8]
    found = compare_paired(label, score_a=a, score_b=b, cutoff_a=0.5, cutoff_b=0.5)
    assert found["accuracy"].p == pytest.approx(20 / 512)
    assert found["accuracy"].difference.value == pytest.approx(7 / 20)


def test_the_interval_of_accuracy_is_that_of_the_bootstrap() -> None:
    """a is right about everybody, b wrong about 20 of 100: drawn differences are binomial shares of 0.2."""
    label = np.arange(100) % 2
    b = np.where(np.arange(100) < 20, 1 - label, label)
    found = compare_paired(label, score_a=label, score_b=b, cutoff_a=0.5, cutoff_b=0.5)["accuracy"].difference
    wanted = binom.ppf([0.025, 0.975], 100, 0.2) / 100
    assert (found.low, found.high) == pytest.approx(tuple(wanted), abs=0.011)


def test_a_better_score_is_found_better() -> None:
    label, good, chance = cohort(300, signal=2.0)
    found = compare_paired(label, score_a=good, score_b=chance, cutoff_a=1, cutoff_b=0)
    for name, each in found.items():
        assert each.difference.low is not None, name
        assert each.difference.low > 0, name
        assert each.p < 0.01, name


def test_no_better_score_is_found_better_more_often_than_5_percent() -> None:
    """P below 0.05 in 40 comparisons of two scores without signal: more than 7 by chance in 1 of 1,000 tries."""
    found = []
    for seed in range(40):
        label, a, b = cohort(60, seed=seed, signal=0.0)
        found.append(compare_paired(label, score_a=a, score_b=b, cutoff_a=0, cutoff_b=0))
    for name in ("average_precision", "accuracy", "sensitivity", "f1"):
        assert sum(each[name].p < 0.05 for each in found) <= 7, name


def test_a_score_against_itself() -> None:
    label, a, _ = cohort()
    for each in compare_paired(label, score_a=a, score_b=a, cutoff_a=0, cutoff_b=0).values():
        assert (each.difference.value, each.difference.low, each.p) == (0, None, 1)


def test_the_same_seed_gives_the_same_draws() -> None:
    label, a, b = cohort()
    first, again, other = (
        compare_paired(label, score_a=a, score_b=b, cutoff_a=0, cutoff_b=0, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["f1"] != other["f1"]


def test_a_cutoff_no_score_reaches_has_no_precision() -> None:
    label, a, b = cohort()
    found = compare_paired(label, score_a=a, score_b=b, cutoff_a=99, cutoff_b=0)
    assert np.isnan(found["ppv"].difference.value)
    assert np.isnan(found["ppv"].p)
    assert found["sensitivity"].difference.value < 0


def test_table_3_at_57_patients_shows_no_difference() -> None:
    """Paper 001 at 1 year: 12, 7, 10, 28 against 11, 9, 11, 26; calls dealt so that the two agree least and most."""
    one, two = Confusion(tp=12, fp=7, fn=10, tn=28), Confusion(tp=11, fp=9, fn=11, tn=26)
    label = np.repeat([1, 0], [22, 35])
    for agree in (True, False):
        a, b = (_calls(each, turned=turn) for each, turn in ((one, False), (two, not agree)))
        found = compare_paired(label, score_a=a, score_b=b, cutoff_a=0.5, cutoff_b=0.5)
        assert found["accuracy"].difference.value == pytest.approx(3 / 57)
        assert found["accuracy"].p > 0.2
        assert found["f1"].p > 0.05


def _calls(counted: Confusion, *, turned: bool) -> np.ndarray:
    """Calls of the patients with and then of those without the event; turned, the other ones are called."""
    step = -1 if turned else 1
    with_event = np.repeat([1.0, 0.0], [counted.tp, counted.fn])[::step]
    return np.concatenate([with_event, np.repeat([1.0, 0.0], [counted.fp, counted.tn])[::step]])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"label": np.zeros(80)}, "all 80 are 0"),
        ({"score_b": np.zeros(79)}, "score_b: got 79 values for 80 patients"),
        ({"cutoff_a": np.nan}, "cut-offs: got nan"),
    ],
)
def test_what_cannot_be_compared_is_refused(change: dict[str, object], complaint: str) -> None:
    label, a, b = cohort()
    given = {"label": label, "score_a": a, "score_b": b, "cutoff_a": 0.0, "cutoff_b": 0.0} | change
    with pytest.raises(EvaluationError, match=complaint):
        compare_paired(given.pop("label"), **given)  # type: ignore[arg-type]
