import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.phantom import CIRRHOSIS, draw_patients
from hepatica.spectroscopy.phantom.concentrations import concentrations
from hepatica.spectroscopy.phantom.settings import STANDARD
from hepatica.spectroscopy.signal.targets import LIVER20


def logs(count: int, *, difficulty: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Logarithms of concentrations, and who has HCC."""
    people = draw_patients(count, population=CIRRHOSIS)
    table = pd.DataFrame([concentrations(each, difficulty=difficulty, settings=STANDARD) for each in people])
    return np.log(table), np.array([each.tumour.hcc for each in people])


def test_every_target_has_a_concentration() -> None:
    table, _ = logs(37, difficulty=0.5)
    assert set(table.columns) == set(LIVER20)
    assert np.isfinite(table).all(axis=None)


@pytest.mark.parametrize(("difficulty", "effect"), [(0.0, 2.5), (0.6, 1.0), (1.0, 0.0)])
def test_choline_and_lipids_rise_with_hcc_as_far_as_the_difficulty_lets_them(difficulty: float, effect: float) -> None:
    table, hcc = logs(2000, difficulty=difficulty)
    rise = table[hcc].mean() - table[~hcc].mean()
    for name in LIVER20:
        sd = STANDARD.fat_sd if name.startswith("Lip") else STANDARD.between_sd
        raised = name.startswith("Lip") or name in ("Cho", "GPC", "PCh")
        assert rise[name] / sd == pytest.approx(effect if raised else 0, abs=0.17)


def test_patients_are_spread_as_the_settings_say() -> None:
    table, _ = logs(2000, difficulty=1)
    assert table.Tau.std() == pytest.approx(STANDARD.between_sd, rel=0.06)
    assert table.Tau.mean() == pytest.approx(np.log(STANDARD.medians_mm["Tau"]), abs=0.03)
    assert table.GPC.corr(table.PCh) == pytest.approx(STANDARD.shared, abs=0.06)
    assert table.Gln.corr(table.Glu) == pytest.approx(0, abs=0.07)
    assert table.Lip13.std() == pytest.approx(np.hypot(STANDARD.fat_sd, STANDARD.lipid_sd), rel=0.06)


def test_the_median_fat_is_that_of_the_settings() -> None:
    table, _ = logs(2000, difficulty=1)
    protons = np.exp(table.Lip13.median()) * 102.86
    assert protons / 82_800 == pytest.approx(0.025, rel=0.06)
