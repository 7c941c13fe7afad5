"""Spin system: the data file is whole, has the protons of the molecules, and a broken one is named."""

import json
from pathlib import Path

import pytest

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.spin_system import lipids, read_spin_systems, spin_systems
from hepatica.spectroscopy.signal.targets import LCM5, LIPIDS5

PROTONS = {
    "Ala": 4, "Bet": 11, "Cho": 13, "Cr": 6, "Glc": 7, "Gln": 7, "Glu": 5, "Gly": 2, "GPC": 18, "GSH": 12, "Ins": 6,
    "Lac": 4, "PCh": 13, "Tau": 4, "Ace": 3, "Asp": 3, "bHB": 6, "NAA": 7, "PE": 4, "Scyllo": 6, "TMAO": 9, "Suc": 4,
}  # fmt: skip
"""Protons bound to carbon and, where FID-A has them, to nitrogen: creatine 1, glutamine 2, glutathione 2, NAA 1."""


@pytest.mark.parametrize(("name", "protons"), PROTONS.items())
def test_each_has_the_protons_of_its_molecule(name, protons):
    assert spin_systems()[name].protons == pytest.approx(protons)


def test_every_entry_is_cited_and_stands_between_0_and_10_ppm():
    for system in spin_systems().values():
        shifts = [ppm for group in system.groups for ppm in group.shifts_ppm] + [line.ppm for line in system.lines]
        assert system.source
        assert shifts
        assert all(0 < ppm < 10 for ppm in shifts)


def test_numbers_are_those_of_fid_a(real: Path):
    """Shifts of every system we took over; GSH is in a .mat of its own."""
    published = json.loads((real / "fida" / "fida_spinsystems.json").read_text())
    names = {system.source.removeprefix("FID-A").strip() or name: name for name, system in spin_systems().items()
             if system.source.startswith("FID-A") and name != "GSH"}  # fmt: skip
    for theirs, ours in names.items():
        wanted = set()
        for group in published[theirs]:
            shifts = group["shifts"] if isinstance(group["shifts"], list) else [group["shifts"]]
            wanted |= {shift for shift in shifts if shift < 10}
        assert wanted == {shift for group in spin_systems()[ours].groups for shift in group.shifts_ppm}
        couplings = {
            round(value, 6) for group in published[theirs] if isinstance(group["J"], list)
            for row in group["J"] for value in row if value
        }  # fmt: skip
        assert {j for group in spin_systems()[ours].groups for _, _, j in group.couplings} <= couplings


@pytest.mark.parametrize(
    "text",
    [
        "[X]\ngroups = []",
        '[X]\nsource = "a"\ngroups = [{ shifts = [1.0], nuclei = [1, 2] }]',
        '[X]\nsource = "a"\ngroups = [{ shifts = [1.0, 2.0], couplings = [[0, 2, 7.0]] }]',
        '[X]\nsource = "a"\ngroups = [{ shifts = [1.0, 2.0], couplings = [[0, 0, 7.0]] }]',
        '[X]\nsource = "a"\ngroups = [{ shifts = [1.0], hetero = [{ spin = 0.5, couplings = [1, 2] }] }]',
        '[X]\nsource = "a"\nlines = [{ ppm = 1.0 }]',
    ],
)
def test_a_broken_entry_is_named(tmp_path, text):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(SettingsError, match="spin system X is not well formed"):
        read_spin_systems(tmp_path / "a.toml")


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
