"""Lipids: Hamilton's triglyceride, counted again."""

import pytest

from hepatica.spectroscopy.basis.lipids import lipids
from hepatica.spectroscopy.signal.targets import LCM5, LIPIDS5

CHAIN, DOUBLE, INTERRUPTED = 17.45, 1.92, 0.32  # CL, ndb, nmidb: Hamilton 2011, doi 10.1002/nbm.1622
TRIGLYCERIDE = {
    "Lip09": 9,
    "Lip13": 6 * (CHAIN - 4) - 8 * DOUBLE + 2 * INTERRUPTED,
    "Lip16": 6,
    "Lip21": 4 * (DOUBLE - INTERRUPTED) + 6,
    "Lip28": 2 * INTERRUPTED,
}


@pytest.mark.parametrize(("name", "protons"), TRIGLYCERIDE.items())
def test_protons_are_those_of_the_mean_triglyceride(name, protons):
    assert lipids()[name].protons == pytest.approx(protons)


def test_lcmodels_sums_have_the_same_protons_between_them():
    """L20 is Lip21 and Lip28 with LCModel's shares .58, .29 and .13."""
    protons = {name: lipids()[name].protons for name in LCM5}
    assert protons["L20"] == pytest.approx(TRIGLYCERIDE["Lip21"] + TRIGLYCERIDE["Lip28"])
    assert [line.protons / protons["L20"] for line in lipids()["L20"].lines] == pytest.approx([0.58, 0.29, 0.13])
    assert protons["L53"] == pytest.approx(2 * DOUBLE + 1)


def test_the_five_stand_in_the_fit_window():
    assert all(0.4 < line.ppm < 4.2 for name in LIPIDS5 for line in lipids()[name].lines)
