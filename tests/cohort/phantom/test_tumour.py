import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from hepatica.cohort.phantom import PRIMARY_CANCER, SEQUENCED, SUSPECTED, draw_patients, patient_table
from hepatica.cohort.phantom.lesion import KINDS, NORMAL, TYPES
from hepatica.cohort.phantom.tables import lesion_table
from hepatica.radiology.phantom.lesions import LOOKS


@pytest.fixture(scope="module")
def told() -> pd.DataFrame:
    return patient_table(draw_patients(600, population=SUSPECTED))


def test_half_have_hcc_and_the_rest_every_other_kind(told: pd.DataFrame) -> None:
    assert told.hcc.sum() == 300
    assert set(told.kind) == {*KINDS, "hcc"} - {"dysplastic nodule"}
    assert (told.kind == "hcc").equals(told.hcc == 1)
    assert set(told.lesion_type.dropna()) == set(TYPES)


def test_primary_cancer_is_of_two_types() -> None:
    told = patient_table(draw_patients(40, population=PRIMARY_CANCER))
    assert told.tumour_type.value_counts().to_dict() == {"HCC": 20, "CCA": 20}
    assert (told.tumour_type == "HCC").equals(told.hcc == 1)


def test_differentiation_follows_grade_and_aggressiveness() -> None:
    patients = draw_patients(300, population=SEQUENCED)
    told = patient_table(patients)
    assert pd.crosstab(told.differentiation, told.grade).gt(0).sum(axis=1).to_dict() == {
        "moderate": 1,
        "poor": 2,
        "well": 1,
    }
    poor = (told.differentiation == "poor").to_numpy()
    assert roc_auc_score(poor, [each.tumour.aggressiveness for each in patients]) > 0.9


def test_the_genomic_cluster_follows_the_mutations() -> None:
    told = patient_table(draw_patients(100, population=SEQUENCED))
    assert set(told[told.ctnnb1 == 1].genomic_cluster) == {"C2"}
    assert set(told[told.ctnnb1 == 0].groupby("tp53").genomic_cluster.unique().map(tuple)) == {("C1",), ("C3",)}
    assert patient_table(draw_patients(20, population=SUSPECTED)).query("hcc == 0").genomic_cluster.isna().all()


def test_every_kind_has_a_look() -> None:
    assert set(LOOKS) == {*KINDS, "hcc"} - {NORMAL}


def test_pathology_holds_together(told: pd.DataFrame) -> None:
    hcc, rest = told[told.hcc == 1], told[told.hcc == 0]
    assert rest[["tnm_stage", "vascular_invasion", "grade", "mvi"]].isna().all().all()
    assert set(hcc.tnm_stage) == {"I", "II", "III", "IV"}
    assert (hcc[hcc.tnm_stage == "I"].tumour_number == 1).all()
    assert set(hcc[hcc.vascular_invasion == 1].tnm_stage) == {"III", "IV"}
    assert (hcc[hcc.vascular_invasion == 1].mvi == 1).all()
    assert (told[told.kind == NORMAL].tumour_number == 0).all()
    assert hcc.metavir.mean() > rest.metavir.mean() + 1
    assert set(hcc.grade) == {1, 2, 3, 4}


def test_the_shares_are_those_of_the_population(told: pd.DataFrame) -> None:
    hcc = patient_table(draw_patients(4000, population=SUSPECTED)).query("hcc == 1")
    assert (hcc.tumour_size_cm > 5).mean() == pytest.approx(SUSPECTED.large_share, abs=0.03)
    assert (hcc.tumour_number > 1).mean() == pytest.approx(SUSPECTED.several_share, abs=0.03)
    small = hcc[hcc.tumour_size_cm <= 5]
    assert small.vascular_invasion.mean() == pytest.approx(SUSPECTED.vascular_invasion_share, abs=0.04)
    assert list(hcc.grade.value_counts(normalize=True).sort_index()) == pytest.approx(SUSPECTED.grade_shares, abs=0.03)


def test_the_largest_lesion_comes_first_and_is_the_one_told() -> None:
    patients = draw_patients(100, population=SUSPECTED)
    lesions = lesion_table(patients)
    first = lesions[lesions.number == 1].set_index("patient_id").diameter_cm
    assert (lesions.groupby("patient_id").diameter_cm.max() == first).all()
    told = patient_table(patients).set_index("patient_id").tumour_size_cm.dropna()
    assert told.to_dict() == first.to_dict()


@pytest.mark.parametrize(("difficulty", "share"), [(0, 0), (1, 0.4)])
def test_atypical_hcc_comes_with_difficulty(difficulty: float, share: float) -> None:
    patients = draw_patients(600, population=SUSPECTED, difficulty=difficulty)
    atypical = [each.tumour.lesions[0].atypical for each in patients if each.tumour.hcc]
    assert sum(atypical) / 300 == pytest.approx(share, abs=0.09)
