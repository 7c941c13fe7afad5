import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import cox_nomogram, logistic_nomogram

PATIENTS = pd.DataFrame({"age": [40, 55, 80], "male": [0, 1, 1], "albumin": [45, 25, 31.5]})


def test_points_are_those_of_the_widest_variable() -> None:
    # Age adds 0.05 a year over 40 years: 2 in all, 100 points, so that a point is 0.02. Sex adds 0.5: 25 points.
    # Albumin lowers: -0.04 a g/l over 20: 0.8, 40 points, of which its highest value has none.
    coefficients = {"age": 0.05, "male": 0.5, "albumin": -0.04}
    found = logistic_nomogram(coefficients, values=PATIENTS, intercept=-3.0)
    assert found.unit == pytest.approx(0.02)
    assert found.points["age"] == pytest.approx({"40": 0, "50": 25, "60": 50, "70": 75, "80": 100})
    assert found.points["male"] == pytest.approx({"0": 0, "1": 25})
    assert found.points["albumin"] == pytest.approx({"25": 40, "30": 30, "35": 20, "40": 10, "45": 0})
    # No points: 40 × 0.05 - 45 × 0.04 = 0.2 of the linear predictor. Even odds are at 3, thus (3 - 0.2) / 0.02 = 140.
    assert found.totals["Risk"]["0.5"] == pytest.approx(140)
    assert "0.99" not in found.totals["Risk"]  # at log 99 + 3 = 7.6, beyond all 165 points


def test_survival_is_read_off_where_lifelines_has_it() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    time, event = rng.exponential(np.exp(-0.8 * x)) * 20, rng.random(200) < 0.7
    fitted = CoxPHFitter().fit(pd.DataFrame({"x": x, "time": time, "event": event}), "time", "event")
    beta = float(fitted.params_["x"])
    found = cox_nomogram(
        {"x": beta}, values=pd.DataFrame({"x": x}), time=time, event=event, horizons=(12.0, time[event].min() / 2)
    )
    assert list(found.outcomes) == ["Survival to 12 months"]  # nobody died before the other
    at = pd.DataFrame({"x": [each / beta for each in found.outcomes["Survival to 12 months"].values()]})
    survival = fitted.predict_survival_function(at, times=[12.0]).iloc[0]
    assert survival.tolist() == pytest.approx([float(each) for each in found.outcomes["Survival to 12 months"]])


def test_a_nomogram_needs_a_coefficient() -> None:
    with pytest.raises(EvaluationError, match="no variable moves"):
        logistic_nomogram({"age": 0.0}, values=PATIENTS, intercept=0.0)
