"""Power: exact, against simulation and against what needs no computing."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from hepatica.cohort import EvaluationError
from hepatica.evaluate.groups.power import power_curve, power_of_calls

PAPER = {"positives": 7, "negatives": 10}


def test_a_perfect_classifier_of_the_paper_s_test_set_is_always_found() -> None:
    assert power_of_calls(sensitivity=1, specificity=1, **PAPER) == pytest.approx(1)


def test_chance_is_found_no_more_often_than_alpha() -> None:
    for share in (0.2, 0.5, 0.9):
        assert power_of_calls(sensitivity=share, specificity=1 - share, **PAPER) <= 0.05


def test_it_is_what_simulated_test_sets_find() -> None:
    rng = np.random.default_rng(0)
    true, false = rng.binomial(7, 0.8, 2000), rng.binomial(10, 0.2, 2000)
    found = np.mean(
        [
            fisher_exact([[t, 7 - t], [f, 10 - f]], alternative="greater").pvalue <= 0.05
            for t, f in zip(true, false, strict=True)
        ]
    )
    assert power_of_calls(sensitivity=0.8, specificity=0.8, **PAPER) == pytest.approx(found, abs=0.03)


def test_power_rises_with_the_effect_and_with_patients() -> None:
    curve = power_curve(np.array([0.0, 1.0, 2.0, 4.0]), **PAPER)
    powers = [each.power for each in curve]
    assert powers == sorted(powers)
    assert (curve[0].sensitivity, curve[3].specificity) == (0.5, pytest.approx(0.977, abs=1e-3))
    more = power_of_calls(sensitivity=0.8, specificity=0.8, positives=14, negatives=20)
    assert more > power_of_calls(sensitivity=0.8, specificity=0.8, **PAPER)


@pytest.mark.parametrize("changes", [{"sensitivity": 1.1}, {"specificity": -0.1}, {"positives": 0}])
def test_impossible_numbers_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(EvaluationError, match="power: got"):
        power_of_calls(**{"sensitivity": 0.8, "specificity": 0.8, **PAPER, **changes})
