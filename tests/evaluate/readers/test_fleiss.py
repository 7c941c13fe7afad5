import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.readers.fleiss import fleiss_kappa


def ratings(*, all_three: int, two: int, one: int, none: int) -> np.ndarray:
    """Cases by how many of three readers call the disease."""
    return np.repeat([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]], [all_three, two, one, none], axis=0)


# Paper 004 (doi 10.1038/s41416-021-01511-w): the ratings are not published, but with three readers and two categories
# kappa and z rest on two sums only, the cases all agree about (78 of 95, 51 of 82) and the positive calls (42 + 45 + 47
# and 45 + 47 + 45, from Table 4). Any ratings with these sums will do; here two such.
@pytest.mark.parametrize(
    ("split", "kappa", "share", "positives"),
    [
        ({"all_three": 36, "two": 9, "one": 8, "none": 42}, 0.761, "0.821", 134),
        ({"all_three": 39, "two": 0, "one": 17, "none": 39}, 0.761, "0.821", 134),
        ({"all_three": 30, "two": 16, "one": 15, "none": 21}, 0.489, "0.622", 137),
        ({"all_three": 35, "two": 1, "one": 30, "none": 16}, 0.489, "0.622", 137),
    ],
)
def test_paper_004(split: dict[str, int], kappa: float, share: str, positives: int) -> None:
    calls = ratings(**split)
    assert calls.sum() == positives
    found = fleiss_kappa(calls)
    assert found.kappa.value == pytest.approx(kappa, abs=0.0005)
    assert f"{found.all_agree.value:.3f}" == share
    assert found.p < 0.001


def test_worked_example() -> None:
    """Ten subjects, fourteen readers, five categories: the worked example of Fleiss 1971 in common use, 0.210."""
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    found = fleiss_kappa([np.repeat(list("abcde"), counts) for counts in table])
    assert found.kappa.value == pytest.approx(0.210, abs=0.0005)
    assert found.all_agree.value == 0.1


def test_no_agreement_beyond_chance_has_a_z_of_unit_spread() -> None:
    rng = np.random.default_rng(0)
    found = [fleiss_kappa(rng.choice(3, size=(80, 4), p=[0.6, 0.3, 0.1])) for _ in range(400)]
    assert np.mean([each.z for each in found]) == pytest.approx(0, abs=0.2)
    assert np.std([each.z for each in found]) == pytest.approx(1, abs=0.1)


def test_the_interval_covers() -> None:
    """Readers of whom each names the truth in 80 % of cases: kappa of all cases is 2 P(two agree) - 1."""
    rng = np.random.default_rng(1)
    truth = 0.8**2 + 0.2**2
    kappa, covered = 2 * truth - 1, 0
    for _ in range(300):
        true = rng.integers(2, size=(100, 1))
        found = fleiss_kappa(np.where(rng.random((100, 3)) < 0.8, true, 1 - true)).kappa
        covered += (found.low or -1) <= kappa <= (found.high or 1)
    assert 0.91 < covered / 300 < 0.985


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=4, max_size=4), min_size=5, max_size=20))
def test_neither_order_nor_names_matter(calls: list[list[str]]) -> None:
    given_calls = np.array(calls)
    rng = np.random.default_rng(0)
    turned = rng.permuted(given_calls, axis=1)[rng.permutation(len(calls))]
    renamed = np.char.add("z", turned)
    assert fleiss_kappa(renamed).kappa.value == pytest.approx(fleiss_kappa(given_calls).kappa.value, nan_ok=True)


def test_all_agree() -> None:
    found = fleiss_kappa([[1, 1], [0, 0], [1, 1]])
    assert (found.kappa.value, found.kappa.low, found.all_agree.value) == (1, None, 1)
    assert np.isnan(fleiss_kappa([["a", "a"], ["a", "a"]]).kappa.value)


@pytest.mark.parametrize(("calls", "told"), [([[1], [0]], "two or more readers"), ([["a", ""], ["a", "b"]], "blank")])
def test_what_is_no_agreement(calls: list[list[object]], told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        fleiss_kappa(calls)
