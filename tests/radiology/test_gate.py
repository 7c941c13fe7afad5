"""Gate: the three readings of "integrated" do what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from hepatica.cohort import EvaluationError
from hepatica.radiology.gate import gated

pairs = st.lists(st.tuples(st.floats(-12, 12), st.floats(-12, 12)), min_size=1, max_size=20)


@given(pairs)
def test_soft_is_the_product_of_both_probabilities(odds: list[tuple[float, float]]) -> None:
    hcc, nodule = np.array(odds).T
    np.testing.assert_allclose(expit(gated(hcc, nodule, gate="soft")), expit(hcc) * expit(nodule), rtol=1e-9)


@given(pairs, st.floats(0.05, 0.95))
def test_hard_keeps_the_images_with_a_nodule(odds: list[tuple[float, float]], probability: float) -> None:
    hcc, nodule = np.array(odds).T
    kept = gated(hcc, nodule, gate="hard", probability=probability)
    assert kept.tolist() == [h for h, n in odds if n >= logit(probability)]


@given(pairs)
def test_none_keeps_all(odds: list[tuple[float, float]]) -> None:
    hcc, nodule = np.array(odds).T
    assert gated(hcc, nodule, gate="none").tolist() == hcc.tolist()


def test_full_certainty_is_finite() -> None:
    assert gated(np.array([400.0]), np.array([400.0]), gate="soft")[0] == pytest.approx(400 - np.log(2))
    assert gated(np.array([400.0]), np.array([-400.0]), gate="soft")[0] == pytest.approx(-400)


def test_other_gates_are_refused() -> None:
    with pytest.raises(EvaluationError, match="got the gate 'half'"):
        gated(np.zeros(2), np.zeros(2), gate="half")
