import numpy as np
import pandas as pd
import pytest

from hepatica.spectroscopy.phantom.patients import PATIENT_COLUMNS, Patient, simulate_patients
from hepatica.spectroscopy.phantom.settings import STANDARD
from hepatica.spectroscopy.signal.targets import LIVER20


def logs(people: list[Patient]) -> tuple[pd.DataFrame, np.ndarray]:
    """Logarithms of concentrations, and who has HCC."""
    table = np.log(pd.DataFrame([person.concentrations for person in people]))
    return table, np.array([person.row["hcc"] == 1 for person in people])


def test_every_target_has_a_concentration() -> None:
    people = simulate_patients(37)
    assert sum(person.row["hcc"] for person in people) == 17
    for person in people:
        assert set(person.concentrations) == set(LIVER20)
        assert min(person.concentrations.values()) > 0
        assert tuple(person.row) == PATIENT_COLUMNS


@pytest.mark.parametrize(("difficulty", "effect"), [(0.0, 2.5), (0.6, 1.0), (1.0, 0.0)])
def test_choline_and_lipids_rise_with_hcc_as_far_as_the_difficulty_lets_them(difficulty: float, effect: float) -> None:
    table, hcc = logs(simulate_patients(2000, difficulty=difficulty))
    rise = table[hcc].mean() - table[~hcc].mean()
    for name in LIVER20:
        sd = STANDARD.fat_sd if name.startswith("Lip") else STANDARD.between_sd
        raised = name.startswith("Lip") or name in ("Cho", "GPC", "PCh")
        assert rise[name] / sd == pytest.approx(effect if raised else 0, abs=0.17)


def test_patients_are_spread_as_the_settings_say() -> None:
    table, _ = logs(simulate_patients(2000, difficulty=1))
    assert table.Tau.std() == pytest.approx(STANDARD.between_sd, rel=0.06)
    assert table.Tau.mean() == pytest.approx(np.log(STANDARD.medians_mm["Tau"]), abs=0.03)
    assert table.GPC.corr(table.PCh) == pytest.approx(STANDARD.shared, abs=0.06)
    assert table.Gln.corr(table.Glu) == pytest.approx(0, abs=0.07)
    assert table.Lip13.std() == pytest.approx(np.hypot(STANDARD.fat_sd, STANDARD.lipid_sd), rel=0.06)


def test_the_median_fat_is_that_of_the_settings() -> None:
    table, _ = logs(simulate_patients(2000, difficulty=1))
    protons = np.exp(table.Lip13.median()) * 102.86
    assert protons / 82_800 == pytest.approx(0.025, rel=0.06)


def test_a_patient_is_the_same_in_a_larger_cohort() -> None:
    few, many = simulate_patients(3, difficulty=1), simulate_patients(9, difficulty=1)
    assert [person.concentrations for person in few] == [person.concentrations for person in many[:3]]
