"""Scores: statistics of a diagnosis are those of a yes-or-no question and no others."""

from types import SimpleNamespace

import pandas as pd
import pytest

from hepatica.cohort import Cohort, Months, Status, Target
from hepatica.runs.flow import cohort_flow
from hepatica.runs.scores import EVEN_ODDS, metrics, predictions

HCC = Target(endpoint="hcc", horizon=Months(0))
LABELS = [1, 1, 1, 0, 0, None, 1, 0]
SCORES = [0.9, 0.8, 0.4, 0.6, 0.1, 0.99, 0.7, 0.2]


@pytest.fixture
def cohort() -> Cohort:
    index = pd.Index([f"P{n}" for n in range(len(LABELS))], name="patient_id")
    return Cohort(
        name="x",
        hospital="x",
        phantom=True,
        notes="",
        digest="",
        endpoints={"hcc": Status(name="hcc", column="is_hcc")},
        patients=pd.DataFrame({"is_hcc": LABELS}, index=index),
        specimens=(),
    )


@pytest.fixture
def table(cohort: Cohort) -> pd.DataFrame:
    rows = pd.DataFrame({"patient_id": cohort.patients.index, "specimen_id": None, "score": SCORES})
    rows = rows.assign(endpoint=HCC.endpoint, horizon_months=HCC.horizon)
    return predictions(rows, folds=pd.Series("test", cohort.patients.index), cutoffs={"hcc": 0.65})


def test_a_diagnosis_has_no_survival_and_leaves_the_unknown_out(cohort: Cohort, table: pd.DataFrame) -> None:
    found = pd.DataFrame(metrics(table, cohort=cohort, cutoffs={"hcc": 0.65}, fold="test"))
    assert set(found["target"]) == {"hcc"}
    assert not found["metric"].str.contains("c_index|hazard|log_rank").any()
    auroc = found[found["metric"] == "auroc"].iloc[0]
    assert (auroc["value"], auroc["n"]) == (pytest.approx(11 / 12), 7)  # one of 4 x 3 pairs is the wrong way round
    sensitivity = found[found["metric"] == "sensitivity"].set_index("cutoff")["value"]
    assert sensitivity.to_dict() == {EVEN_ODDS: 0.75, 0.65: 0.75}
    specificity = found[found["metric"] == "specificity"].set_index("cutoff")["value"]
    assert specificity.to_dict() == pytest.approx({EVEN_ODDS: 2 / 3, 0.65: 1})


def test_one_class_is_told_instead_of_a_value(cohort: Cohort, table: pd.DataFrame) -> None:
    found = metrics(table.iloc[[0, 1, 2, 6]], cohort=cohort, cutoffs={"hcc": 0.65}, fold="test")
    assert {row["value"] for row in found} == {None}


def test_the_flow_tells_the_column_of_a_diagnosis(cohort: Cohort) -> None:
    nothing = pd.DataFrame(columns=["patient_id", "row", "error"])
    material = SimpleNamespace(specimens=nothing, failures=nothing)
    told = cohort_flow(cohort, material=material, folds=pd.Series("test", cohort.patients.index))
    assert told["endpoints"] == {"hcc": {"label": "is_hcc"}}
