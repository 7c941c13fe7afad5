"""Sample size: the published examples, and what was asked for comes out of so many simulated patients."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit, ndtri

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.calibration import calibration_slope, logistic
from hepatica.evaluate.binary.discrimination import auroc
from hepatica.evaluate.observed import observed
from hepatica.evaluate.sample_size import (
    Needed,
    needed_to_develop,
    needed_to_develop_survival,
    needed_to_validate,
)


def patients(found: list[Needed]) -> list[int]:
    return [each.patients for each in found]


def test_development_of_the_chagas_model_of_riley_2019() -> None:
    """Stat Med 2019;38:1276 and the help of pmsampsize: 24 parameters, R² 0.288, prevalence 0.174: 662, 116 events."""
    found = needed_to_develop(prevalence=0.174, parameters=24, r2=0.288)
    assert patients(found) == [623, 662, 221]
    assert found[1].events == 116


def test_development_of_the_thrombosis_model_of_riley_2019() -> None:
    """R² 0.051, rate 0.065 a year, mean follow-up 2.07, risk at 2 years, in the help of pmsampsize; 30 parameters."""
    of = {"rate": 0.065, "follow_up": 2.07, "horizon": 2.0, "r2": 0.051}
    found = needed_to_develop_survival(parameters=30, **of)
    assert found[0].patients == max(patients(found)) == 5143
    risk = 1 - np.exp(-0.065 * 2)
    error = np.sqrt(0.065 / (2.07 * found[2].patients))
    assert 1 - np.exp(-2 * (0.065 + 1.96 * error)) - risk == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize(
    ("width", "predictor", "wanted"),
    [
        (0.072, (0.02, 0.9), 1518),
        (0.072, (-0.33, 0.9), 1542),
        (0.072, (-0.339, 1.128), 1187),
        (0.072, (0.067, 1.495), 923),
    ],
)
def test_validation_as_others_found_it_with_riley_s_formulas(
    width: float, predictor: tuple[float, float], wanted: int
) -> None:
    """Standard errors, normal linear predictors, and what their authors' scripts for Riley 2021 print."""
    drawn = predictor[0] + predictor[1] * ndtri((np.arange(100_000) + 0.5) / 100_000)
    found = needed_to_validate(prevalence=0.4, auroc=0.7, predictor=drawn, slope_width=2 * 1.96 * width)
    assert found[1].patients == pytest.approx(wanted, rel=0.01)


def test_validation_by_o_e_and_auroc_of_the_same_scripts() -> None:
    """O/E: SE 0.051 at 0.45 and 0.102 at 0.1; AUROC: 0.72 with SE 0.0255 at 0.45, 0.53 with 0.03 at 0.1."""
    first = needed_to_validate(
        prevalence=0.45, auroc=0.72, oe_width=2 * np.sinh(1.96 * 0.051), auroc_width=4 * 0.98 * 0.0255
    )
    second = needed_to_validate(
        prevalence=0.1, auroc=0.53, oe_width=2 * np.sinh(1.96 * 0.102), auroc_width=4 * 0.98 * 0.03
    )
    assert patients(first)[::2] == [pytest.approx(470, abs=1), pytest.approx(400, abs=1)]
    assert patients(second)[::2] == [pytest.approx(865, abs=1), pytest.approx(1025, abs=1)]


def test_normal_predictors_are_those_of_pavlou_2021() -> None:
    """Prevalence 0.1, AUROC 0.75, SE of the slope 0.1: 1536 by their approximation, in the help of sampsizeval."""
    found = needed_to_validate(prevalence=0.1, auroc=0.75, slope_width=0.392)
    assert found[1].patients == pytest.approx(1536, rel=0.02)


def test_so_many_patients_give_intervals_of_the_widths_asked_for() -> None:
    rng = np.random.default_rng(0)
    n = needed_to_validate(prevalence=0.3, auroc=0.8)[1].patients
    log_odds = rng.normal(-1.12, 1.44, n)
    label = rng.random(n) < expit(log_odds)
    assert label.mean() == pytest.approx(0.3, abs=0.03)
    assert auroc(label, score=expit(log_odds)).value == pytest.approx(0.8, abs=0.03)
    slope = calibration_slope(label, score=expit(log_odds))
    assert slope.high is not None
    assert slope.low is not None
    assert slope.high - slope.low == pytest.approx(0.2, rel=0.1)


def test_an_auroc_stands_for_its_r2() -> None:
    """As Riley 2021 (doi 10.1002/sim.8806) simulate it."""
    rng = np.random.default_rng(1)
    label = rng.random(200_000) < 0.174
    predictor = rng.normal(size=label.size) + label * np.sqrt(2) * ndtri(0.89)
    fitted = expit(
        np.stack([predictor, np.ones(label.size)], 1)
        @ logistic(observed(label), np.stack([predictor, np.ones(label.size)], 1))
    )
    gained = (
        np.log(np.where(label, fitted, 1 - fitted)).mean()
        - np.log(np.where(label, label.mean(), 1 - label.mean())).mean()
    )
    both = [
        needed_to_develop(prevalence=0.174, parameters=24, **by)
        for by in ({"auroc": 0.89}, {"r2": 1 - np.exp(-2 * gained)})
    ]
    assert patients(both[0]) == pytest.approx(patients(both[1]), rel=0.02)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: needed_to_develop(prevalence=0.2, parameters=5), "neither or both"),
        (lambda: needed_to_develop(prevalence=0.01, parameters=5, r2=0.5), "wanted one above 0 and below 0.1"),
        (lambda: needed_to_validate(prevalence=1.2, auroc=0.8), "got prevalence 1.2"),
        (lambda: needed_to_validate(prevalence=0.2, auroc=0.4), "got auroc 0.4"),
        (lambda: needed_to_develop_survival(rate=2, follow_up=1, horizon=5, parameters=3, r2=0.1), "without event"),
    ],
)
def test_impossible_questions_are_refused(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        ask()
