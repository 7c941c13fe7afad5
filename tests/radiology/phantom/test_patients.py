import pandas as pd
import pytest

from hepatica.radiology.phantom.lesions import LOOKS
from hepatica.radiology.phantom.patients import NORMAL, PATIENT_COLUMNS, lesion_table, simulate


def table(**wishes: float) -> pd.DataFrame:
    return pd.DataFrame([patient.row for patient in simulate(600, **wishes)], columns=list(PATIENT_COLUMNS))


def test_half_have_hcc_and_the_rest_every_other_kind() -> None:
    told = table()
    assert told.hcc.sum() == 300
    assert set(told.kind) == {*LOOKS, NORMAL}
    assert (told.kind == "hcc").equals(told.hcc == 1)


def test_pathology_holds_together() -> None:
    told = table()
    hcc, rest = told[told.hcc == 1], told[told.hcc == 0]
    assert rest[["tnm_stage", "vascular_invasion", "grade"]].isna().all().all()
    assert set(hcc.tnm_stage) == {"I", "II", "III", "IV"}
    assert (hcc[hcc.tnm_stage == "I"].tumour_number == 1).all()
    assert set(hcc[hcc.vascular_invasion == 1].tnm_stage) == {"III", "IV"}
    assert (told[told.kind == NORMAL].tumour_number == 0).all()
    assert hcc.metavir.mean() > rest.metavir.mean() + 1
    assert set(hcc.grade) == {1, 2, 3, 4}


def test_the_largest_lesion_comes_first_and_is_the_one_told() -> None:
    patients = simulate(100)
    lesions = lesion_table(patients)
    first = lesions[lesions.number == 1].set_index("patient_id").diameter_cm
    assert (lesions.groupby("patient_id").diameter_cm.max() == first).all()
    told = pd.DataFrame([patient.row for patient in patients]).set_index("patient_id").tumour_size_cm.dropna()
    assert told.to_dict() == first.to_dict()


@pytest.mark.parametrize(("difficulty", "share"), [(0, 0), (1, 0.4)])
def test_untypical_hcc_comes_with_difficulty(difficulty: float, share: float) -> None:
    untypical = [patient.lesions[0].atypical for patient in simulate(600, difficulty=difficulty) if patient.row["hcc"]]
    assert sum(untypical) / 300 == pytest.approx(share, abs=0.09)
