from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hepatica.evaluate import fine_gray
from hepatica.report.chapters.follow_up.factors import GROUP, SCORE, _models, _table, score_terms, terms

PATIENTS = pd.DataFrame(
    {
        "age_years": np.arange(40.0, 60.0),
        "afp_ng_ml": 2.0 ** np.arange(20),
        "sex": ["male"] * 15 + ["female"] * 5,
        "invasion": [0, 1] * 10,
        "grade": list("ABCDE") * 4,
        "hospital": ["one"] * 20,
        "treatment": ["none", "sorafenib"] * 10,
    }
)


def test_terms_say_what_one_unit_is() -> None:
    found = terms(PATIENTS, list(PATIENTS.columns), reference=PATIENTS)
    assert list(found) == ["Age (years), per SD", "AFP (ng/mL), per doubling", "Sex: female vs. male", "Invasion"]
    assert found["Age (years), per SD"].std() == pytest.approx(1)
    assert found["AFP (ng/mL), per doubling"].tolist() == list(range(20))
    assert found["Sex: female vs. male"].sum() == 5


def test_terms_mean_the_same_in_every_cohort() -> None:
    others = PATIENTS.assign(age_years=PATIENTS["age_years"] + 10, sex=["female"] * 12 + ["male"] * 8)
    found = terms(others, ["age_years", "sex"], reference=PATIENTS)
    assert list(found) == ["Age (years), per SD", "Sex: female vs. male"]
    assert found["Age (years), per SD"].mean() == pytest.approx(10 / PATIENTS["age_years"].std())


def test_a_score_means_the_same_in_every_cohort() -> None:
    # Reference 0.2, 0.4, 0.6: mean 0.4, SD 0.2. Others ten times as far apart still count in steps of 0.2.
    outcomes = pd.DataFrame({"score": [0.0, 1.0], "group": ["low", "high"]})
    found = score_terms(outcomes, reference=pd.Series([0.2, 0.4, 0.6]))
    assert found[SCORE].tolist() == pytest.approx([-2, 3])
    assert found[GROUP].tolist() == [0, 1]


def test_a_term_that_is_the_same_for_everybody_here_is_left_out() -> None:
    assert terms(PATIENTS[PATIENTS["sex"] == "male"], ["sex"], reference=PATIENTS).empty


def test_missing_values_stay_missing() -> None:
    holed = PATIENTS.assign(
        sex=PATIENTS["sex"].where(PATIENTS.index > 0), invasion=PATIENTS["invasion"].where(PATIENTS.index > 1)
    )
    found = terms(holed, ["sex", "invasion"], reference=PATIENTS)
    assert found.isna().sum().tolist() == [1, 2]


def test_competing_events_have_subdistribution_ratios_beside_the_cause_specific_ones() -> None:
    rng = np.random.default_rng(2)
    patients = pd.DataFrame({"age_years": rng.normal(60, 9, 90)}, index=[f"P{n}" for n in range(90)])
    outcomes = pd.DataFrame({"time": rng.exponential(30, 90), "score": rng.normal(size=90)}, index=patients.index)
    outcomes = outcomes.assign(cause=rng.integers(0, 3, 90), group=np.where(outcomes["score"] > 0, "high", "low"))

    def found(own: pd.DataFrame) -> tuple:
        results = SimpleNamespace(
            title="x", patients=patients, outcomes=lambda target: own, covariates=lambda: ["age_years"]
        )
        models = _models(results, SimpleNamespace(internal=results, targets=[None]))
        return models, _table(results, models)

    models, table = found(outcomes.assign(event=(outcomes["cause"] == 1).astype(int)))
    assert list(table.header[-2:]) == ["All together, subdistribution", "P"]
    age = (patients["age_years"] - patients["age_years"].mean()) / patients["age_years"].std()
    joined = score_terms(outcomes, reference=outcomes["score"])[[SCORE]].assign(**{"Age (years), per SD": age})
    wanted = fine_gray(joined, time=outcomes["time"], event=outcomes["cause"])
    assert models.subdistribution[SCORE].ratio == wanted[SCORE].ratio
    assert models.subdistribution[SCORE].ratio != models.together[SCORE].ratio
    free = outcomes["cause"] == 1
    _, plain = found(outcomes.assign(event=free.astype(int), cause=free.astype(int)))
    assert list(plain.header) == ["", "Alone", "P", "All together", "P"]
