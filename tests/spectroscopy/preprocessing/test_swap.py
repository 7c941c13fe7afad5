"""Swap: the water reference is told by its water."""

from hepatica.spectroscopy.preprocessing.swap import are_swapped, is_reference, water_in
from hepatica.spectroscopy.reading.sdat import read_sdat
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header

LIVER = Acquisition(points=1024)


def seen(fid, acquisition=LIVER):
    return water_in(fid, acquisition=acquisition)


def test_swapped_files_are_told_apart(decay):
    spectrum = seen(decay(LIVER, water=300.0, noise=0.5))
    reference = seen(decay(LIVER, water=20_000.0, noise=0.5))
    assert not are_swapped(spectrum, reference)
    assert is_reference(reference, spectrum)
    assert are_swapped(reference, spectrum)
    assert not is_reference(spectrum, reference)


def test_another_scale_in_one_of_the_files_swaps_nothing(decay):
    spectrum = seen(1000 * decay(LIVER, water=300.0, noise=0.5))
    reference = seen(decay(LIVER, water=20_000.0, noise=0.5))
    assert not are_swapped(spectrum, reference)


def test_two_alike_files_are_no_pair(decay):
    one, other = (seen(decay(LIVER, water=300.0, noise=0.5, seed=seed)) for seed in (0, 1))
    assert not are_swapped(one, other)
    assert not is_reference(one, other)


def test_unsuppressed_water_is_seen(decay):
    assert seen(decay(LIVER, {3.2: 20.0}, water=80_000.0, noise=0.5)).alone
    assert not seen(decay(LIVER, water=20_000.0, noise=0.5)).alone  # a fatty liver, unsuppressed: lipids show
    assert not seen(decay(LIVER, noise=0.5)).alone


def test_a_real_pair_is_told_apart(real):
    raw = {name: read_sdat(real / f"osprey/sub-01_PRESS_35_{name}.sdat", told=Header()) for name in ("act", "ref")}
    water = {name: seen(each.fids[0, 0], each.acquisition) for name, each in raw.items()}
    assert water["ref"].alone
    assert not water["act"].alone
    assert are_swapped(water["ref"], water["act"])
    assert is_reference(water["ref"], water["act"])


def test_lipids_beside_unsuppressed_water_leave_a_doubt(decay):
    fatty, suppressed = (seen(decay(LIVER, water=water, noise=0.5)) for water in (20_000.0, 300.0))
    assert fatty.doubtful
    assert fatty.unsuppressed
    assert not suppressed.doubtful
    assert not suppressed.unsuppressed
