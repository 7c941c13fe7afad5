import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import auroc, fit_logistic

Table = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="module")
def table() -> Table:
    """200 patients; larger tumours and stage B have the event more often."""
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame(
        {
            "size": rng.normal(5, 2, 200),
            "afp": np.exp(rng.normal(3, 2, 200)),
            "stage": rng.choice(["0", "A", "B"], 200),
            "invasion": rng.integers(0, 2, 200),
        }
    )
    log_odds = (
        0.6 * (covariates["size"] - 5) + 0.4 * (np.log(covariates["afp"]) - 3) + (covariates["stage"] == "B") - 0.3
    )
    return covariates, (rng.random(200) < 1 / (1 + np.exp(-log_odds))).astype(int)


def test_the_fit_is_the_minimum_of_what_it_says(table: Table) -> None:
    covariates, label = table
    columns = [covariates["size"], np.log(covariates["afp"]), covariates["invasion"].astype(float)]
    numbers = [(each - each.mean()) / each.std(ddof=0) for each in columns]
    design = np.column_stack([*numbers, *(covariates["stage"] == each for each in "0AB")]).astype(float)

    def loss(found: np.ndarray) -> float:
        log_odds = found[0] + design @ found[1:]
        return float(np.sum(np.logaddexp(0, log_odds) - label * log_odds) + 0.5 * found[1:] @ found[1:])

    best = minimize(loss, np.zeros(7), method="BFGS", options={"gtol": 1e-6}).x
    wanted = 1 / (1 + np.exp(-(best[0] + design @ best[1:])))
    assert fit_logistic(covariates, label=label).risk(covariates) == pytest.approx(wanted, abs=1e-3)


def test_all_together_tell_more_than_one(table: Table) -> None:
    covariates, label = table
    together = auroc(label, score=fit_logistic(covariates, label=label).risk(covariates)).value
    alone = auroc(label, score=fit_logistic(covariates[["size"]], label=label).risk(covariates)).value
    assert together > alone > 0.5


@settings(deadline=None, max_examples=15)
@given(st.floats(-1e6, 1e6), st.integers(0, 50))
def test_a_patient_is_judged_by_the_training_patients_alone(size: float, row: int) -> None:
    covariates = pd.DataFrame({"size": np.arange(60.0), "stage": ["A", "B"] * 30})
    fitted = fit_logistic(covariates, label=np.arange(60) % 3 == 0)
    others = covariates.assign(size=np.where(np.arange(60) == 59, size, covariates["size"]))
    assert fitted.risk(others)[row] == fitted.risk(covariates.iloc[[row]])[0]


def test_gaps_are_filled_with_what_is_common_in_training(table: Table) -> None:
    covariates, label = table
    fitted = fit_logistic(covariates, label=label)
    holed = covariates.iloc[[0]].assign(size=np.nan, stage=None)
    filled = holed.assign(size=covariates["size"].median(), stage=covariates["stage"].mode()[0])
    assert fitted.risk(holed) == fitted.risk(filled)
    assert len(fit_logistic(covariates.mask(covariates == "A"), label=label).risk(holed)) == 1


def test_a_level_not_seen_in_training_is_an_average_one(table: Table) -> None:
    covariates, label = table
    fitted = fit_logistic(covariates[["stage"]], label=label)
    known = fitted.risk(pd.DataFrame({"stage": ["0", "A", "B"]}))
    [unknown] = fitted.risk(pd.DataFrame({"stage": ["D"]}))
    assert np.log(unknown / (1 - unknown)) == pytest.approx(np.log(known / (1 - known)).mean(), abs=1e-4)


def test_a_skewed_number_outside_what_was_seen_stays_finite(table: Table) -> None:
    covariates, label = table
    fitted = fit_logistic(covariates[["afp"]], label=label)
    assert fitted.risk(pd.DataFrame({"afp": [0.0, -1.0]})) == pytest.approx(
        fitted.risk(pd.DataFrame({"afp": [covariates["afp"].min()] * 2}))
    )


def test_a_covariate_that_parts_the_classes_has_a_finite_weight() -> None:
    risk = fit_logistic(pd.DataFrame({"size": np.arange(20.0)}), label=np.arange(20) > 9).risk(
        pd.DataFrame({"size": [0.0, 19.0]})
    )
    assert 0.001 < risk[0] < 0.1 < 0.9 < risk[1] < 0.999


def test_bad_tables_are_refused(table: Table) -> None:
    covariates, label = table
    with pytest.raises(EvaluationError, match="all 200 are 1"):
        fit_logistic(covariates, label=np.ones(200))
    with pytest.raises(EvaluationError, match="afp is empty"):
        fit_logistic(covariates.assign(afp=np.nan), label=label)
    with pytest.raises(EvaluationError, match="200 rows and 4 columns for 9 labels"):
        fit_logistic(covariates, label=[0, 1, 1] * 3)
    fitted = fit_logistic(covariates, label=label)
    with pytest.raises(EvaluationError, match="lacks stage"):
        fitted.risk(covariates.drop(columns="stage"))
    with pytest.raises(EvaluationError, match="invasion is text in one table and numbers in the other"):
        fitted.risk(covariates.assign(invasion="yes"))


def test_a_covariate_that_is_the_same_for_all_changes_nothing(table: Table) -> None:
    covariates, label = table
    alone = fit_logistic(covariates[["size"]], label=label).risk(covariates)
    with_constant = covariates[["size"]].assign(hospital="A", hbsag=1)
    assert fit_logistic(with_constant, label=label).risk(with_constant) == pytest.approx(alone, abs=1e-5)
