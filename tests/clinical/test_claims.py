"""Claims: month x code matrices, by hand, and what of them is known at the landmark."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.clinical.claims import ClaimPlan, listed_codes, read_claims
from hepatica.cohort import CohortError, Months, SettingsError, load_cohort

HEAD = """name = "h"
hospital = "h"
[endpoints.incidence]
time = "months"
event = "event"
[tables.claims]
path = "claims.csv"
patient = "patient_id"
time = "day"
unit = "days"
"""
PATIENTS = "patient_id,months,event\nP1,6,1\nP2,60,0\nP3,60,0\n"
DAY = 365.25 / 12
CLAIMS = [
    ("P1", -2.5, "K74.6"), ("P1", -2.1, "K74.0"), ("P1", -0.01, "K77"), ("P1", 0, "K70.3"), ("P1", 6, "C22.0"),
    ("P1", -4, "K75"), ("P2", -1, "I10"), ("P2", 2, "K74.6"),
]  # fmt: skip


def plan(**wishes) -> ClaimPlan:
    usual = {"epochs": 1, "batch": 4, "learning_rate": 0.1, "codes": ("K74-K77", "K70"), "months": 3}
    return ClaimPlan(**(usual | {"landmark": Months(0)} | wishes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cohort.toml").write_text(HEAD)
    (tmp_path / "patients.csv").write_text(PATIENTS)
    rows = "".join(f"{who},{months * DAY!r},{code}\n" for who, months, code in CLAIMS)
    (tmp_path / "claims.csv").write_text("patient_id,day,code\n" + rows)
    return tmp_path


def test_the_matrix_has_the_months_before_the_landmark_and_nothing_of_it_or_later(folder: Path) -> None:
    store = read_claims(load_cohort(folder), plan())
    assert store.columns == ("K74", "K75", "K76", "K77", "K70")
    # Months -3, -2 and -1: both K74 in the first one, K77 in the last; K70 of day 0 and HCC do not enter, K75 is older.
    wanted = [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]
    np.testing.assert_array_equal(store.read(np.array([0, 1])), [wanted, np.zeros((3, 5))])
    assert store.read(np.array([], int)).shape == (0, 3, 5)
    assert store.read(np.array([0])).dtype == np.float32


def test_codes_after_the_landmark_change_nothing(folder: Path) -> None:
    store = read_claims(load_cohort(folder), plan())
    text = (folder / "claims.csv").read_text()
    (folder / "claims.csv").write_text(text + "P1,0,K76\nP2,1,K75\nP1,400,K70\n")
    again = read_claims(load_cohort(folder), plan())
    np.testing.assert_array_equal(store.read(np.arange(2)), again.read(np.arange(2)))
    assert store.specimens["key"].tolist() == again.specimens["key"].tolist()


def test_a_later_landmark_sees_more(folder: Path) -> None:
    found = read_claims(load_cohort(folder), plan(landmark=Months(3))).read(np.arange(2))
    assert found.nonzero()[0].tolist() == [0, 1]
    assert [each.tolist() for each in found.nonzero()[1:]] == [[0, 2], [4, 0]]


def test_a_patient_without_claims_is_recorded(folder: Path) -> None:
    store = read_claims(load_cohort(folder), plan())
    assert store.index["patient_id"].tolist() == ["P1", "P2"]
    error = "no claim in claims in the 3 months before month 0"
    lost = {"patient_id": "P3", "specimen_id": "P3", "row": 4, "error": error}
    assert store.failures.to_dict("records") == [lost]
    with (folder / "claims.csv").open("a") as file:
        file.write("P3,30,K74\n")  # a later claim must not distinguish P3 from a patient without any
    assert read_claims(load_cohort(folder), plan()).failures.to_dict("records") == [lost]
    assert store.select(patient_ids=["P2"]).read(np.array([0])).sum() == 0


def test_a_patient_whose_event_came_before_the_landmark_is_not_assessable(folder: Path) -> None:
    store = read_claims(load_cohort(folder), plan(landmark=Months(6), months=9))
    assert store.index["patient_id"].tolist() == ["P2"]
    assert store.failures["error"][0] == "incidence came at or before month 6, the landmark: nothing is left to predict"


def test_parquet_and_semicolons_are_read_alike(folder: Path) -> None:
    wanted = read_claims(load_cohort(folder), plan())
    path = folder / "claims.csv"
    path.write_text(path.read_text().replace(",", ";"))
    found = read_claims(load_cohort(folder), plan())
    assert (found.matrix != wanted.matrix).nnz == 0
    cohort = load_cohort(folder)
    pd.read_csv(path, sep=";").to_parquet(folder / "claims.parquet")
    object.__setattr__(cohort.tables["claims"], "path", folder / "claims.parquet")
    assert (read_claims(cohort, plan()).matrix != wanted.matrix).nnz == 0


def test_codes_are_read_in_any_case(folder: Path) -> None:
    wanted = read_claims(load_cohort(folder), plan())
    path = folder / "claims.csv"
    path.write_text(path.read_text().replace("K7", "k7"))
    assert (read_claims(load_cohort(folder), plan()).matrix != wanted.matrix).nnz == 0


def test_codes_are_ranges() -> None:
    codes = listed_codes(("001-154", "156-999"))
    assert len(codes) == 998  # as Phan 2020 has them
    assert (codes[0], codes[153], codes[154], codes[-1]) == ("001", "154", "156", "999")
    assert listed_codes(("C21-C22", "C22", "A99-B00")) == ("C21", "C22", "A99", "B00")
    for wrong in ("K77-K70", "K7", "155.0", ""):
        with pytest.raises(SettingsError, match="wanted a range of codes"):
            listed_codes((wrong,))
    with pytest.raises(SettingsError, match="no codes"):
        listed_codes(())


@pytest.mark.parametrize(
    ("change", "wishes", "said"),
    [
        (("", ""), {"codes": ("A00",)}, "no claim of h in the 3 months before month 0 has a code from A00 to A00"),
        (("", ""), {"codes": ("001-999",)}, "100% of the codes of claims.csv do not begin with a digit"),
        (("K77", "K77\nP1,1,70.3"), {}, "codes of fewer than three characters"),
        (("K77", "K77\nP1,,K77"), {}, "has 1 claims without a time"),
        (("K77", "K77\nP1,99999,K77"), {}, "has 1 claims without a time within 1200 months"),
        (("", ""), {"table": "visits"}, "has no table 'visits'"),
        (("", ""), {"column": "icd"}, "cannot be read as claims.*wanted columns patient_id, day, icd"),
        (("K77", "K77\nP1,soon,K77"), {}, "numbers of days with a decimal point"),
    ],
)
def test_what_cannot_be_read_is_refused(folder: Path, change: tuple[str, str], wishes: dict, said: str) -> None:
    path = folder / "claims.csv"
    path.write_text(path.read_text().replace(*change, 1) if change[0] else path.read_text())
    with pytest.raises(CohortError, match=said):
        read_claims(load_cohort(folder), plan(**wishes))


def test_a_table_without_time_is_refused(folder: Path) -> None:
    (folder / "cohort.toml").write_text(HEAD.replace('time = "day"\nunit = "days"\n', ""))
    with pytest.raises(CohortError, match="has no time in its table 'claims'"):
        read_claims(load_cohort(folder), plan())
