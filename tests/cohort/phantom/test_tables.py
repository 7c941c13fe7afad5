import numpy as np
import pytest

from hepatica.cohort.phantom import POPULATIONS, RESECTED, SURVEILLANCE, Patient, draw_patients, patient_table
from hepatica.cohort.phantom.outcomes import ENDPOINTS
from hepatica.cohort.phantom.tables import COURSES, MISSING_SHARE, claims, matrix, thinned, visits


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


def test_values_change_before_an_hcc_as_said(watched: tuple[Patient, ...]) -> None:
    table = visits(watched)
    table = table[table.svr == 0]
    left = table.patient_id.map({each.patient_id: each.course.recurrence for each in watched}) - table.months
    first = table.groupby("patient_id")[list(COURSES)].transform("first")
    change = np.log(table[list(COURSES)] / first)
    early = table.patient_id.isin(table.patient_id[(left > 60) & (table.months == 0)])
    seen, still = change[early & (left < 4)], change[early & (left > 40) & (table.months > 0)]
    assert len(seen) > 20
    for name, (_, effect, sd, _) in COURSES.items():
        by_chance = 4 * sd / np.sqrt(table.patient_id[still.index].nunique())  # the first visit counts once a patient
        assert abs(still[name].mean()) < by_chance + 0.005
        assert seen[name].mean() == pytest.approx(effect, abs=abs(effect) * 0.35 + sd)


def test_virologic_response_lowers_enzymes_and_goes_with_fewer_cancers(watched: tuple[Patient, ...]) -> None:
    table = visits(watched)
    responded = table.groupby("patient_id").svr.max()
    hcv = {each.patient_id for each in watched if each.person.aetiology == "hcv"}
    assert set(responded.index[responded == 1]) <= hcv
    after = table[table.patient_id.isin(responded.index[responded == 1])]
    mean = after.groupby(["patient_id", "svr"]).alt_u_l.mean().unstack()
    ratio = np.log(mean[1] / mean[0])
    assert ratio.median() == pytest.approx(-0.6, abs=0.12)


@pytest.mark.parametrize("missing", ["mcar", "mar", "mnar"])
def test_values_are_missing_by_the_mechanism_that_is_named(watched: tuple[Patient, ...], missing: str) -> None:
    whole = visits(watched)
    table = thinned(whole, watched, missing)
    gone = table["albumin_g_l"].isna()
    assert table[list(COURSES)].isna().mean().mean() == pytest.approx(MISSING_SHARE, abs=0.01)
    assert table["months"].notna().all()
    age = whole.patient_id.map({each.patient_id: each.person.age_years for each in watched})
    with_age, with_value = (np.corrcoef(gone, each)[0, 1] for each in (age, whole["albumin_g_l"]))
    assert (abs(with_age) > 0.2) == (missing == "mar")
    assert (abs(with_value) > 0.2) == (missing == "mnar")
    assert thinned(whole, watched, "none") is whole
    assert thinned(whole, watched, missing).equals(table)


def test_early_signs_are_claimed_the_more_often_the_nearer_the_hcc(watched: tuple[Patient, ...]) -> None:
    table = claims(watched)
    table = table[table.code.isin(["R10.1", "R63.4", "R74.0"])]
    left = table.patient_id.map({each.patient_id: each.course.recurrence for each in watched}) - table.months
    counts = [int(((left >= low) & (left < low + 12)).sum()) for low in (0, 12, 24)]
    assert counts[0] > 1.5 * counts[1] > 1.5 * counts[2] > 0
    assert table.months.min() < -50


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
