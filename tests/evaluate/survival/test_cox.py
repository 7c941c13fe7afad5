import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.survival.cox import cox, cox_each


@pytest.fixture
def followed() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """300 patients, two covariates; the hazard is exp(0.8 size - 0.4 age)."""
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame(rng.normal(size=(300, 2)), columns=["size", "age"], index=[f"P{n}" for n in range(300)])
    happens = rng.exponential(np.exp(-0.8 * covariates["size"] + 0.4 * covariates["age"]).to_numpy())
    ends = rng.uniform(0, 3, 300)
    return covariates, np.minimum(happens, ends), happens <= ends


def test_hazard_ratios_agree_with_statsmodels(followed: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = followed
    found = cox(covariates, time=time, event=event)
    theirs = PHReg(time, covariates.to_numpy(), status=event, ties="efron").fit()
    assert list(found) == ["size", "age"]
    assert [each.ratio.value for each in found.values()] == pytest.approx(np.exp(theirs.params), rel=1e-4)
    assert [each.p for each in found.values()] == pytest.approx(theirs.pvalues, rel=1e-2)
    limits = np.exp(theirs.conf_int())
    assert [(each.ratio.low, each.ratio.high) for each in found.values()] == [
        pytest.approx(tuple(row), rel=1e-4) for row in limits
    ]
    assert found["size"].ratio.n == 300


def test_more_of_a_risk_factor_is_a_ratio_above_one(followed: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = followed
    found = cox(covariates, time=time, event=event)
    assert found["size"].ratio.value > 1 > found["age"].ratio.value
    turned = cox(-covariates, time=time, event=event)
    assert turned["size"].ratio.value == pytest.approx(1 / found["size"].ratio.value)


def test_each_alone(followed: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = followed
    alone = cox_each(covariates, time=time, event=event)
    assert alone["age"] == cox(covariates[["age"]], time=time, event=event)["age"]
    assert alone["age"] != cox(covariates, time=time, event=event)["age"]


def test_a_covariate_may_have_any_name_and_unit(followed: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = followed
    plain = cox(covariates, time=time, event=event)["size"]
    odd = cox(pd.DataFrame({"time": covariates["size"] * 1e4}), time=time, event=event)["time"]
    assert np.log(odd.ratio.value) * 1e4 == pytest.approx(
        np.log(cox(covariates[["size"]], time=time, event=event)["size"].ratio.value), rel=1e-4
    )
    assert plain.ratio.value != odd.ratio.value


@pytest.mark.parametrize(
    ("column", "event", "complaint"),
    [
        ([1.0] * 8, [1, 0] * 4, "stage is the same for all patients"),
        ([1.0, np.nan] * 4, [1, 0] * 4, "covariate stage: got 4 of 8 missing"),
        (["a", "b"] * 4, [1, 0] * 4, "covariate stage: got values that are not numbers"),
        ([0.0, 1.0] * 4, [0] * 8, "got 0 events for 1 covariates"),
        ([1.0, 1, 1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1, 1, 1], "does not converge"),
    ],
    ids=[
        "constant",
        "missing",
        "text",
        "no events",
        "groups never at risk together",
    ],
)
def test_what_cannot_be_fitted_is_refused(column: list[object], event: list[int], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        cox(pd.DataFrame({"stage": column}), time=[1, 2, 3, 4, 5, 6, 7, 8], event=event)


def test_columns_that_repeat_each_other_are_refused(followed: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = followed
    with pytest.raises(EvaluationError, match="columns that repeat each other"):
        cox(covariates.assign(again=2 * covariates["size"]), time=time, event=event)


def test_a_flat_likelihood_is_refused() -> None:
    """When events happen all patients still followed are of one group; lifelines gives a ratio of 1 (0 to infinity)."""
    time = [1.3, 1.3, 1.4, 1.7, 1.6, 1.4, 1.7, 1.1, 1.2, 1.8, 1.3, 1.8, 1.1, 1.7, 1.2, 1.7, 1.6, 1.7]
    event = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]
    with pytest.raises(EvaluationError, match="do not differ among the patients still followed when events happen"):
        cox(pd.DataFrame({"high": [float(each < 1.5) for each in time]}), time=time, event=event)


def test_a_group_without_events_has_a_finite_ratio_with_an_interval() -> None:
    found = cox(pd.DataFrame({"stage": [0.0, 1.0] * 4}), time=np.arange(1, 9), event=[0, 1] * 4)["stage"]
    assert "Firth" in found.ratio.method
    assert 0 < found.ratio.low < 1 < found.ratio.value < found.ratio.high < np.inf
    turned = cox(pd.DataFrame({"stage": [1.0, 0.0] * 4}), time=np.arange(1, 9), event=[0, 1] * 4)["stage"]
    assert turned.ratio.value == pytest.approx(1 / found.ratio.value, rel=1e-4)
    assert turned.p == pytest.approx(found.p, rel=1e-4)


def test_coefficients_and_the_check_of_proportional_hazards_are_those_of_r() -> None:
    """R 4.2.2, survival 3.5.3: coxph(Surv(time, event) ~ size + age), with ties, and cox.zph of it."""
    time = [4, 3, 1, 1, 2, 2, 3, 5, 6, 6, 7, 8, 9, 11, 12, 12]
    event = [1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0]
    size = [0, 2, 1, 1, 1, 0, 0, 3, 1, 2, 2, 0, 4, 1, 3, 0]
    age = [5, 3, 8, 1, 2, 6, 7, 4, 4, 9, 1, 3, 5, 8, 2, 6]
    found = cox(pd.DataFrame({"size": size, "age": age}, dtype=float), time=time, event=event)
    coefficients = [np.log(each.ratio.value) for each in found.values()]
    assert coefficients == pytest.approx([-0.0212640564736, -0.0101154024202], abs=1e-9)
    assert [each.changes_p for each in found.values()] == pytest.approx([0.167438847009, 0.349592024662], abs=1e-9)


def test_a_ratio_that_fades_is_found_out(followed: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = followed
    constant = cox(covariates, time=time, event=event)["size"]
    rng = np.random.default_rng(1)
    high = np.arange(300) % 2
    early = rng.exponential(np.where(high == 1, 0.3, 3.0))
    fading = np.where(early < 0.7, early, 0.7 + rng.exponential(1, 300))  # after 0.7 the groups are alike
    faded = cox(pd.DataFrame({"high": high.astype(float)}), time=fading, event=np.ones(300))["high"]
    assert faded.changes_p < 0.001 < 0.05 < constant.changes_p


def test_a_model_near_singular_is_no_model_and_no_warning():
    # Found by search: lifelines ends in a matrix that it calls ill-conditioned.
    time = [17.1, 4.1, 6.1, 0.1, 2.1, 1.1, 2.1, 18.1, 5.1, 20.1, 10.1]
    event = [0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1]
    a = np.array([0, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1])
    b = np.array([0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0])
    with pytest.raises(EvaluationError, match="does not converge"):
        cox(pd.DataFrame({"a": a, "b": b, "both": a * b}).astype(float), time=time, event=event)
