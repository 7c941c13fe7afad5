import numpy as np
import pytest

from hepatica.cohort.phantom import POPULATIONS, RESECTED, SURVEILLANCE, Patient, draw_patients, patient_table
from hepatica.cohort.phantom.outcomes import ENDPOINTS
from hepatica.cohort.phantom.tables import claims, matrix, visits


@pytest.fixture(scope="module")
def watched() -> tuple[Patient, ...]:
    return draw_patients(400, population=SURVEILLANCE)


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_endpoints_of_a_population_have_columns_that_vary(name: str) -> None:
    population = POPULATIONS[name]
    table = patient_table(draw_patients(300, population=population), competing=True)
    assert set(population.columns) <= set(table.columns)
    for endpoint in (*population.usual, *population.further):
        keys = ENDPOINTS[endpoint]
        for column in [value for key, value in keys.items() if key in ("time", "event", "label", "value")]:
            assert table[column].nunique() > 1
        if "time" in keys:
            assert table[list(keys.values())].notna().all(axis=None)
        if "classes" in keys:
            assert set(table[keys["label"]].dropna().astype(str)) <= set(keys["classes"])


def test_death_before_recurrence_competes_where_it_is_asked_for() -> None:
    patients = draw_patients(300, population=RESECTED, difficulty=0)
    plain, competing = (patient_table(patients, competing=each) for each in (False, True))
    dead = competing.recurrence_event == 2
    assert dead.any()
    assert (competing[dead].overall_survival_event == 1).all()
    assert (competing[dead].recurrence_months == competing[dead].overall_survival_months).all()
    assert plain.recurrence_event.equals(competing.recurrence_event.where(~dead, 0))


def test_afp_rises_before_an_hcc_that_was_watched_for(watched: tuple[Patient, ...]) -> None:
    table = visits(watched)
    for patient in watched:
        own = table[table.patient_id == patient.patient_id]
        assert own.months.max() <= patient.course.last_seen
    came = {each.patient_id: each.course.recurrence for each in watched}
    last = table.groupby("patient_id").tail(1).assign(first=table.groupby("patient_id").afp_ng_ml.first().to_numpy())
    near = last.months > last.patient_id.map(came) - 3
    rise = last.afp_ng_ml / last["first"]
    assert near.sum() > 10
    assert rise[near].median() > 4 > 1.3 > rise[~near].median()


def test_claims_tell_the_hcc_when_it_came_and_nothing_after_follow_up(watched: tuple[Patient, ...]) -> None:
    table = claims(watched)
    first = table[table.code == "C22.0"].set_index("patient_id").months
    wanted = {
        each.patient_id: round(each.course.recurrence, 2)
        for each in watched
        if each.course.recurrence <= each.course.last_seen
    }
    assert first.to_dict() == wanted
    assert 0.1 < len(wanted) / len(watched) < 0.6
    assert (table.months <= table.patient_id.map({each.patient_id: each.course.last_seen for each in watched})).all()


def test_genes_follow_the_tumour() -> None:
    patients = draw_patients(300, population=RESECTED)
    table = matrix(patients, name="expression")
    aggressiveness = [each.tumour.aggressiveness for each in patients]
    assert np.corrcoef(table.MKI67, aggressiveness)[0, 1] > 0.6
    assert np.corrcoef(table.ALB, aggressiveness)[0, 1] < -0.5
    assert abs(np.corrcoef(table.ACTB, aggressiveness)[0, 1]) < 0.2
    mutated = np.array([each.tumour.ctnnb1 for each in patients])
    assert table.GLUL[mutated].mean() > table.GLUL[~mutated].mean() + 1.5
