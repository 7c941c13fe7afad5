from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy import stats
from sklearn.metrics import roc_auc_score

from hepatica.clinical.scores.registry import score
from hepatica.cohort import Months, TimeToEvent, confident_patients
from hepatica.cohort.phantom import MVI, RESECTED, TACE, draw_patients, patient_table, truth_table

RECURRENCE = TimeToEvent(name="recurrence", time="recurrence_months", event="recurrence_event")
SURVIVAL = TimeToEvent(name="overall_survival", time="overall_survival_months", event="overall_survival_event")


def simulate(count: int, *, seed: int, difficulty: float = 0.5) -> pd.DataFrame:
    patients = draw_patients(count, population=RESECTED, seed=seed, difficulty=difficulty)
    table = patient_table(patients).merge(truth_table(patients), on="patient_id")
    return table.assign(recorded=[each.course.recorded for each in patients])  # as if nobody died


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    return simulate(10_000, seed=1)


def test_shares_are_those_of_table_1(many: pd.DataFrame) -> None:
    # doi 10.1186/s12916-025-03977-4, Table 1, training and test patients together (n = 366); sorafenib 79
    assert (many.age_years <= 50).mean() == pytest.approx(177 / 366, abs=0.015)
    assert (many.sex == "male").mean() == pytest.approx(310 / 366, abs=0.015)
    assert many.hbsag.mean() == pytest.approx(335 / 366, abs=0.015)
    assert (many.afp_ng_ml > 20).mean() == pytest.approx(250 / 366, abs=0.015)
    assert (many.tumour_size_cm > 5).mean() == pytest.approx(110 / 366, abs=0.015)
    assert (many.bclc_stage == "B").mean() == pytest.approx(213 / 366, abs=0.015)
    assert many.vascular_invasion.mean() == pytest.approx(139 / 366, abs=0.015)
    assert (many.treatment == "sorafenib").mean() == pytest.approx(79 / 366, abs=0.015)


def test_recurrence_is_as_frequent_as_published(many: pd.DataFrame) -> None:
    # the same paper's 57 untreated test patients: 22, 24 and 28 recurrences (pathology.md §4.2)
    untreated = many[many.treatment == "none"]
    assert RECURRENCE.label(untreated, horizon=Months(12)).mean() == pytest.approx(22 / 57, abs=0.03)
    assert RECURRENCE.label(untreated, horizon=Months(24)).mean() == pytest.approx(24 / 57, abs=0.07)
    assert RECURRENCE.label(untreated, horizon=None).mean() == pytest.approx(28 / 57, abs=0.03)


def test_invasion_and_size_are_the_strongest_clinical_predictors(many: pd.DataFrame) -> None:
    covariates = ["vascular_invasion", "tumour_size_cm", "afp_ng_ml", "age_years", "alt_u_l", "hbsag"]
    strength = many[covariates].corrwith(many.aggressiveness, method="spearman").abs()
    assert set(strength.nlargest(2).index) == {"vascular_invasion", "tumour_size_cm"}
    assert strength[["age_years", "alt_u_l", "hbsag"]].max() < 0.03


def test_observation_is_consistent(many: pd.DataFrame) -> None:
    assert (many.recurrence_months <= many.overall_survival_months).all()
    assert (many.recurrence_months > 0).all()
    assert set(many.recurrence_event) == set(many.overall_survival_event) == {0, 1}
    alive = many[many.overall_survival_event == 0]
    assert (alive.overall_survival_months >= 24).mean() > 0.9


def test_sorafenib_goes_to_the_worse_patients(many: pd.DataFrame) -> None:
    means = many.groupby("treatment")[["aggressiveness", "vascular_invasion"]].mean()
    assert (means.loc["sorafenib"] > means.loc["none"] + 0.1).all()


def test_cox_finds_the_hazards_and_the_interaction_again() -> None:
    table = simulate(4000, seed=2, difficulty=0)
    sorafenib = (table.treatment == "sorafenib").astype(float)
    design = pd.DataFrame(
        {
            "months": table.recurrence_months_uncorrupted,
            "event": 1,
            "aggressiveness": table.aggressiveness,
            "invasion": table.vascular_invasion,
            "log_size": np.log(table.tumour_size_cm),
            "sorafenib": sorafenib,
            "interaction": sorafenib * table.aggressiveness,
        }
    )
    cox = CoxPHFitter().fit(design, "months", "event")
    truth = {
        "aggressiveness": RESECTED.aggressiveness_log_hazard,
        "invasion": RESECTED.vascular_invasion_log_hazard,
        "log_size": RESECTED.log_size_log_hazard,
        "sorafenib": RESECTED.sorafenib_log_hazard,
        "interaction": RESECTED.sorafenib_interaction,
    }
    assert cox.params_.to_dict() == pytest.approx(truth, abs=0.12)
    assert cox.standard_errors_.max() < 0.06


@pytest.mark.parametrize(("difficulty", "share"), [(0.0, 0.0), (0.5, 0.2), (1.0, 0.4)])
def test_difficulty_sets_the_share_of_corrupted_labels(difficulty: float, share: float) -> None:
    table = simulate(4000, seed=1, difficulty=difficulty)
    assert table.corrupted.mean() == pytest.approx(share, abs=0.02)


def test_corrupted_recurrence_says_nothing_of_the_tumour_but_survival_does(many: pd.DataFrame) -> None:
    corrupted = many[many.corrupted == 1]
    assert abs(stats.spearmanr(corrupted.recorded, corrupted.aggressiveness).statistic) < 0.1
    assert stats.spearmanr(corrupted.overall_survival_months, corrupted.aggressiveness).statistic < -0.3


@pytest.mark.parametrize("variant", ["printed", "censoring_aware"])
def test_outcome_confidence_cleans_the_labels(many: pd.DataFrame, variant: str) -> None:
    patients = many[many.treatment == "none"].set_index("patient_id")
    label = RECURRENCE.label(patients, horizon=None)
    kept = list(confident_patients(label, patients=patients, survival=SURVIVAL, ratio=Fraction(1, 2), variant=variant))
    everybody = np.corrcoef(label, patients.aggressiveness)[0, 1]
    cleaned = np.corrcoef(label[kept], patients.aggressiveness[kept])[0, 1]
    assert cleaned > everybody + 0.1
    assert patients.corrupted[kept].mean() < patients.corrupted.mean() - 0.04


def test_response_is_what_mrecist_reads_and_follows_what_shows() -> None:
    patients = draw_patients(400, population=TACE)
    told = patient_table(patients)
    names = {"complete": "CR", "partial": "PR", "stable": "SD", "progression": "PD"}
    assert list(score("mrecist", told).iloc[:, 0].map(names)) == list(told.response_class)
    shares = told.response_class.value_counts(normalize=True)
    assert [shares[each] for each in ("CR", "PR", "SD")] == pytest.approx(TACE.response_shares, abs=0.06)
    vascularity = np.array([each.tumour.lesions[0].vascularity for each in patients])
    assert roc_auc_score(told.response.astype(int), vascularity) > 0.7
    months = told.groupby("response_class").overall_survival_months.median()
    assert months["CR"] > months["PD"] + 6
    assert 0.3 < told.sorafenib.mean() < 0.5


def test_invasion_shows_at_the_margin_and_comes_back() -> None:
    for difficulty, least, most in ((0, 0.94, 1), (1, 0.73, 0.9)):
        patients = draw_patients(400, population=MVI, difficulty=difficulty)
        told = patient_table(patients)
        plainness = roc_auc_score(told.mvi.astype(int), [each.tumour.lesions[0].infiltration for each in patients])
        assert least < plainness < most
    months = told.groupby("mvi").recurrence_free_survival_months.median()
    assert months[0] > 1.5 * months[1]
