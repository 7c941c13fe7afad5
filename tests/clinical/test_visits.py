"""Visits: ragged histories that end at each visit, cut, masked and standardised, by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hepatica.clinical.visits import VisitPlan, VisitStore, masking, read_visits, without_oldest
from hepatica.cohort import CohortError, Months, SettingsError, load_cohort
from hepatica.networks import Recurrent

HEAD = """name = "h"
hospital = "h"
[endpoints.incidence]
time = "months"
event = "event"
[tables.visits]
path = "visits.csv"
patient = "patient_id"
time = "when"
unit = "months"
"""
PATIENTS = "patient_id,months,event,age_years,sex\nP1,60,1,50,male\nP2,60,0,60,female\nP3,60,0,70,male\n"
VISITS = "patient_id,when,afp,alt\nP2,6,2,\nP1,12,5,30\nP1,0,,20\nP1,40,9,\nP3,30,1,1\n"


def plan(**wishes) -> VisitPlan:
    usual = {"epochs": 1, "batch": 4, "learning_rate": 0.1, "columns": ("afp", "alt"), "baseline": ("age_years",)}
    return VisitPlan(**(usual | wishes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"cohort.toml": HEAD, "patients.csv": PATIENTS, "visits.csv": VISITS}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def store(folder: Path, **wishes) -> VisitStore:
    return read_visits(load_cohort(folder), plan(**wishes))


def test_a_history_ends_at_its_visit(folder: Path) -> None:
    found = store(folder)
    assert found.index[["patient_id", "months", "landmark"]].to_numpy().tolist() == [
        ["P1", 0, False], ["P1", 12, True], ["P1", 40, False], ["P2", 6, True],
    ]  # fmt: skip
    nan = np.nan
    wanted = [[[0, nan, 20, 50], [12, 5, 30, 50]], [[6, 2, nan, 60], [nan] * 4]]
    np.testing.assert_array_equal(found.read(np.array([1, 3])), wanted)
    assert found.read(np.array([], int)).shape == (0, 1, 4)


def test_a_patient_whose_first_visit_comes_later_is_recorded(folder: Path) -> None:
    found = store(folder)
    assert found.failures.to_dict("records") == [
        {"patient_id": "P3", "specimen_id": "P3", "row": 4, "error": "no visit in visits up to month 24"}
    ]
    assert found.specimens["patient_id"].tolist() == ["P1", "P2"]
    assert found.specimens["key"].nunique() == 2


def test_a_patient_whose_event_came_before_the_landmark_is_not_assessable(folder: Path) -> None:
    path = folder / "patients.csv"
    path.write_text(PATIENTS.replace("P1,60,1", "P1,24,1").replace("P2,60,0", "P2,24,0"))
    found = store(folder)
    assert found.failures["error"].tolist() == [
        "incidence came at or before month 24, the landmark: nothing is left to predict",
        "no visit in visits up to month 24",
    ]
    assert found.specimens["patient_id"].tolist() == ["P2"]  # lost to follow-up, which is no event
    assert store(folder, landmark=Months(12)).specimens["patient_id"].tolist() == ["P1", "P2"]


def test_a_repeated_row_is_one_visit(folder: Path) -> None:
    once = store(folder)
    path = folder / "visits.csv"
    header, *rows = path.read_text().strip().splitlines()
    path.write_text("\n".join([header, *rows, *rows]) + "\n")
    np.testing.assert_array_equal(store(folder).cells, once.cells)


def test_history_may_be_cut(folder: Path) -> None:
    found = store(folder, history=Months(30))
    assert found.read(np.array([2]))[0, :, 0].tolist() == [12, 40]  # 0 is more than 30 months before 40
    assert found.at_landmark().read(np.array([0]))[0, :, 0].tolist() == [0, 12]


def test_networks_are_standardised_by_the_visits_of_training_patients(folder: Path) -> None:
    network = Recurrent(2, baseline=1, hidden=2, dropout=0)
    store(folder).standardise(network, patients=["P1"])
    # First values of P1: AFP 5 (at 12), ALT 20; all of P1: AFP 5 and 9, ALT 20 and 30.
    np.testing.assert_allclose(network.series.mean, np.log1p([5, 20]), rtol=1e-6)
    np.testing.assert_allclose(network.series.sd, [np.log(10 / 6) / 2, np.log(31 / 21) / 2], rtol=1e-5)
    assert network.baseline[0].mean.tolist() == [50]


def test_the_oldest_visits_can_be_left_out() -> None:
    nan = float("nan")
    visits = torch.tensor([[[0.0, 1], [6, 2], [12, 3]], [[0.0, 4], [6, 5], [nan, nan]]])
    left = without_oldest(visits, torch.tensor([1, 0]))
    np.testing.assert_array_equal(left, [[[6, 2], [12, 3], [nan, nan]], [[0, 4], [6, 5], [nan, nan]]])
    assert masking(plan())(visits) is visits
    torch.manual_seed(0)
    found = masking(plan(mask_history=0.9))(visits.repeat(50, 1, 1))
    last = [each[each[:, 0].isfinite()][-1, 1].item() for each in found]
    assert set(last[::2]) == {3}  # the visit itself always stays
    assert set(last[1::2]) == {5}
    assert len({int(each[:, 0].isfinite().sum()) for each in found[::2]}) == 3


@pytest.mark.parametrize(
    ("wishes", "error", "said"),
    [
        ({"columns": ("sodium",)}, CohortError, "no column sodium; name those it has.*afp, alt"),
        ({"columns": ()}, CohortError, "no column to read"),
        ({"baseline": ()}, SettingsError, "no baseline columns"),
        ({"baseline": ("sex",)}, CohortError, "sex of h is not numeric"),
        ({"table": "claims"}, CohortError, "no table 'claims'"),
    ],
)
def test_what_cannot_be_read_is_refused(folder: Path, wishes: dict, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        store(folder, **wishes)


def test_a_table_without_time_is_refused(folder: Path) -> None:
    (folder / "cohort.toml").write_text(HEAD.replace('time = "when"\nunit = "months"\n', ""))
    with pytest.raises(CohortError, match="has no time, wanted one"):
        store(folder)
