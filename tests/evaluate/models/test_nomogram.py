import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import nomogram, odds_marks, survival_marks
from hepatica.evaluate.models.nomogram import baseline_survival


def test_points_are_those_of_the_widest_variable() -> None:
    # Age adds 0.05 a year over 40 years: 2 in all, 100 points, so that a point is 0.02. Sex adds 0.5: 25 points.
    # Albumin lowers: -0.04 a g/l over 20: 0.8, 40 points, of which its highest value has none.
    found = nomogram(
        {"age": 0.05, "male": 0.5, "albumin": -0.04},
        marks={"age": (40, 60, 80), "male": (0, 1), "albumin": (25, 35, 45)},
        outcomes={"risk": odds_marks(-3.0)},
    )
    assert found.unit == pytest.approx(0.02)
    assert found.points["age"] == pytest.approx({"40": 0, "60": 50, "80": 100})
    assert found.points["male"] == pytest.approx({"0": 0, "1": 25})
    assert found.points["albumin"] == pytest.approx({"25": 40, "35": 20, "45": 0})
    # No points: 40 × 0.05 - 45 × 0.04 = 0.2 of the linear predictor. Even odds are at 3, thus (3 - 0.2) / 0.02 = 140.
    assert found.totals["risk"]["0.5"] == pytest.approx(140)
    assert "0.99" not in found.totals["risk"]  # at log 99 + 3 = 7.6, beyond all 165 points


def test_survival_is_read_off_where_the_model_has_it() -> None:
    # 0.9 at a linear predictor of 0; 0.9^e^lp = 0.5 at lp = log(log 0.5 / log 0.9) = log 6.579 = 1.884.
    assert survival_marks(0.9)["0.5"] == pytest.approx(1.884, abs=1e-3)
    assert survival_marks(0.9)["0.9"] == pytest.approx(0)


def test_baseline_survival_is_that_of_lifelines() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    time, event = rng.exponential(np.exp(-0.8 * x)) * 20, rng.random(200) < 0.7
    fitted = CoxPHFitter().fit(pd.DataFrame({"x": x, "time": time, "event": event}), "time", "event")
    beta, mean = fitted.params_["x"], x.mean()
    expected = float(fitted.predict_survival_function(pd.DataFrame({"x": [mean]}), times=[12.0]).iloc[0, 0])
    found = baseline_survival(beta * (x - mean), time=time, event=event, at=12.0)
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_nomogram_needs_marks_and_a_coefficient() -> None:
    with pytest.raises(EvaluationError, match="no marks of age"):
        nomogram({"age": 0.1}, marks={"age": (40,)}, outcomes={})
    with pytest.raises(EvaluationError, match="no variable moves"):
        nomogram({"age": 0.0}, marks={"age": (40, 50)}, outcomes={})
