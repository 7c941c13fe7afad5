"""Room: what is measured, scored and drawn of histories."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from hepatica.clinical.claims import ClaimPlan
from hepatica.clinical.room import CLAIMS, VISITS, without_each
from hepatica.clinical.visits import VisitPlan
from hepatica.cohort import Binary, Cohort, load_cohort
from hepatica.cohort.phantom import phantom_tables
from hepatica.cohort.units import Months
from hepatica.networks import Reading

COLUMNS = ("afp_ng_ml", "alt_u_l")


@dataclass(frozen=True, kw_only=True)
class Visits(VisitPlan):
    columns: tuple[str, ...] = COLUMNS
    baseline: tuple[str, ...] = ("age_years",)
    epochs: int = 1
    batch: int = 8
    learning_rate: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Claims(ClaimPlan):
    codes: tuple[str, ...] = ("B18", "I10", "K70-K77", "R10-R18")
    landmark: Months = Months(0)
    epochs: int = 1
    batch: int = 8
    learning_rate: float = 0.1


class LastAfp(nn.Module):
    """A log-odds that is the last AFP, whatever else there is; 0 where it is missing."""

    def forward(self, visits: Tensor) -> Reading:
        last = visits[..., 0].isfinite().sum(dim=1) - 1
        afp = visits[torch.arange(len(visits)), last, 1].nan_to_num(0.0)
        return Reading(afp[:, None] / 100, afp[:, None])


class CountOf(nn.Module):
    """A log-odds that counts one code."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.entry, self.place = nn.Identity(), place

    def forward(self, matrices: Tensor) -> Reading:
        count = self.entry(matrices[:, None])[:, 0, :, self.place].sum(dim=1, keepdim=True)
        return Reading(count, count)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    whole = load_cohort(phantom_tables(tmp_path_factory.mktemp("p") / "p", patients=14, seed=2))
    table = whole.patients
    gone = (table["incidence_event"] > 0) & (table["incidence_months"] <= 24)  # they are not assessable
    return whole.select(table.index[~gone])


def test_a_patient_has_the_score_of_their_last_visit_up_to_the_landmark(cohort: Cohort) -> None:
    store = VISITS.prepare(cohort, Visits(), Path())
    found = VISITS.infer(LastAfp(), store, Visits(), Binary("incidence", horizons=(Months(60),)))
    table = cohort.table("visits").query("months <= 24").groupby("patient_id")["afp_ng_ml"].last()
    wanted = 1 / (1 + np.exp(-table / 100))
    own = found.specimens.set_index("patient_id")["score"]
    assert own.to_numpy() == pytest.approx(wanted[own.index].to_numpy(), rel=1e-5)
    assert len(found.regions) == len(cohort.table("visits"))


def test_the_domain_is_of_last_values_and_of_the_count_of_visits(cohort: Cohort) -> None:
    found = VISITS.measure(VISITS.prepare(cohort, Visits(), Path()))
    table = cohort.table("visits").query("months <= 24")
    own = table.groupby("patient_id")
    assert found["visits"].to_dict() == own.size().to_dict()
    pd.testing.assert_series_equal(found["alt_u_l"], own["alt_u_l"].last().astype(np.float32), check_names=False)
    assert found["age_years"].tolist() == cohort.patients["age_years"].tolist()


def test_only_the_value_that_counts_moves_the_score(cohort: Cohort) -> None:
    store = VISITS.prepare(cohort, Visits(), Path()).at_landmark()
    history = store.read(np.array([3]))
    moved = without_each(LastAfp(), history)
    assert moved.shape == history.shape
    assert moved[0, -1, 1] == moved.max() == 1
    assert moved[0, :, 2:].max() == 0


def test_codes_are_measured_and_weighed(cohort: Cohort) -> None:
    store = CLAIMS.prepare(cohort, Claims(), Path())
    table = cohort.table("claims").query("months < 0")
    table = table.assign(month=np.floor(table["months"]), code=table["code"].str[:3])
    own = table[table["code"].isin(store.columns)].drop_duplicates(["patient_id", "month", "code"])
    found = CLAIMS.measure(store)
    for name, wanted in {
        "codes": own.groupby("patient_id").size(),
        "months_with_a_code": own.groupby("patient_id")["month"].nunique(),
        "different_codes": own.groupby("patient_id")["code"].nunique(),
    }.items():
        assert found[name].to_dict() == wanted.reindex(found.index, fill_value=0).to_dict()
    place = store.columns.index("I10")
    matrices = store.read(np.arange(len(store)))
    moved = CLAIMS.saliency(CountOf(place), matrices)
    np.testing.assert_array_equal(moved[..., place], matrices[..., place])
    assert np.delete(moved, place, axis=2).max() == 0


@pytest.mark.parametrize(("room", "settings", "name"), [(VISITS, Visits(), "course"), (CLAIMS, Claims(), "codes")])
def test_a_picture_is_drawn_of_one_patient(cohort: Cohort, tmp_path: Path, room, settings, name: str) -> None:
    store = room.prepare(cohort, settings, Path())
    network = LastAfp() if name == "course" else CountOf(0)
    read = room.infer(network, store, settings, Binary("incidence", horizons=(Months(60),)))
    specimen = cohort.specimens_of(room.modality)[4]
    (path,) = room.draw(
        specimen,
        material=store,
        regions=read.regions[read.regions["specimen_id"] == specimen.specimen_id],
        saliency=lambda inputs: room.saliency(network, inputs),
        stem=tmp_path / "s",
        note="phantom",
        meaning="risk",
    )
    assert path == tmp_path / f"s_{name}.png"
    assert path.stat().st_size > 5000
