"""Targets: fifteen metabolites and five lipids, all of which can be simulated."""

from hepatica.spectroscopy.basis.spin_system import lipids, spin_systems
from hepatica.spectroscopy.signal.targets import BRAIN17, LCM5, LIPIDS5, LIVER20, METABOLITES15, SUMS


def test_the_twenty_are_fifteen_metabolites_and_five_lipids():
    assert (len(METABOLITES15), len(LIPIDS5), len(LCM5), len(set(LIVER20))) == (15, 5, 5, 20)
    assert set(METABOLITES15) <= set(spin_systems())
    assert set(LIPIDS5 + LCM5) == set(lipids())
    assert set(BRAIN17) <= set(spin_systems())


def test_sums_are_of_targets_and_each_is_there_once():
    for parts in SUMS.values():
        assert len(set(parts)) == len(parts)
        assert set(parts) <= set(LIVER20) or set(parts) <= set(BRAIN17)
