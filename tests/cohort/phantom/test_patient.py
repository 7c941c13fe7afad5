from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort.phantom import CIRRHOSIS, POPULATIONS, RESECTED, SURVEILLANCE, draw_patients


def test_one_seed_gives_one_patient_and_another_hospital_another() -> None:
    first = draw_patients(5, population=RESECTED, seed=3)
    assert first == draw_patients(5, population=RESECTED, seed=3)
    for other in (draw_patients(5, population=RESECTED, seed=4), draw_patients(5, population=RESECTED, hospital="B")):
        assert not {each.tumour.aggressiveness for each in first} & {each.tumour.aggressiveness for each in other}
    assert [each.patient_id for each in first[:2]] == ["A-0001", "A-0002"]


def test_a_patient_is_the_same_in_a_larger_cohort() -> None:
    assert draw_patients(3, population=RESECTED) == draw_patients(9, population=RESECTED)[:3]


def test_topics_do_not_disturb_each_other() -> None:
    usual = draw_patients(9, population=CIRRHOSIS)
    other = draw_patients(9, population=replace(CIRRHOSIS, several_share=0.9, recurrence_scale=9.0))
    assert usual != other
    assert [each.person for each in usual] == [each.person for each in other]
    assert [each.tumour.aggressiveness for each in usual] == [each.tumour.aggressiveness for each in other]


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_share_with_hcc_holds_in_small_cohorts(name: str) -> None:
    population = POPULATIONS[name]
    patients = draw_patients(37, population=population)
    assert sum(each.tumour.hcc for each in patients) == round(37 * population.hcc_share)


def test_livers_stiffen_and_blood_worsens_with_fibrosis() -> None:
    patients = draw_patients(400, population=SURVEILLANCE)
    first, last = ([each.person for each in patients if each.person.metavir == stage] for stage in (0, 4))
    for name, sign in (("stiffness_kpa", 1), ("platelets_10e9_l", -1)):
        early, late = (np.mean([getattr(each, name) for each in group]) for group in (first, last))
        assert sign * np.log(late / early) > 0.35
