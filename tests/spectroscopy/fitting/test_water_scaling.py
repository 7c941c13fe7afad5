"""Water scaling: the formula by hand, and the mM of a voxel whose water is known."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.spectroscopy.fitting.water_scaling import (
    WATER_SCALING,
    WaterScaling,
    of_field,
    unknown_shares,
    water_amplitude,
    water_scale,
)
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Spectrum

LIVER = Acquisition(points=1024, te_ms=30.0, tr_ms=2000.0)


def voxel(decay, *, lines=None, water=1000.0, **changes):
    acquisition = replace(LIVER, **changes)
    return Spectrum(
        fid=decay(acquisition),
        water=decay(acquisition, {4.65: water} | (lines or {}), width_hz=15, noise=0.01),
        acquisition=acquisition,
    )


def test_the_amplitude_is_the_waters_without_fat(decay):
    spectrum = voxel(decay, lines={1.28: 150.0})
    assert water_amplitude(spectrum.water, acquisition=LIVER) == pytest.approx(1000, rel=0.005)


@pytest.mark.parametrize("gauss_hz", [0.0, 10.0, 25.0])
def test_the_amplitude_does_not_depend_on_the_line_shape(gauss_hz):
    """A straight line through the log of a Gaussian decay was 2 to 8 % too high; the first sample is a filter's."""
    time = LIVER.time_s
    water = 1000 * np.exp(-np.pi * 4 * time - (np.pi * gauss_hz * time) ** 2 / (4 * np.log(2))).astype(complex)
    water[0] = 500
    assert water_amplitude(water, acquisition=LIVER) == pytest.approx(1000, rel=0.005)


def test_without_relaxation_it_is_a_ratio_of_protons(decay):
    """1 mM of one proton per 2 x 41 400 mM of protons of water: a fitted 1 with water of 1000 is 82.8 mM."""
    never = {name: 1e-3 if name.startswith("t1") else 1e12 for name in RELAXATION}
    scale = water_scale(voxel(decay), settings=WaterScaling(**never))
    assert scale.metabolites == pytest.approx(82.8, rel=0.005)
    assert scale.lipids == pytest.approx(82.8, rel=0.005)


RELAXATION = [name for name in WaterScaling.__dataclass_fields__ if name[:3] in ("t1_", "t2_")]


def test_relaxation_by_hand(decay):
    water = (1 - np.exp(-2000 / 809)) * np.exp(-30 / 34)
    lipids = (1 - np.exp(-2000 / 382)) * np.exp(-30 / 68)
    scale = water_scale(voxel(decay))
    assert scale.lipids == pytest.approx(82.8 * water / lipids, rel=0.005)


def test_fat_leaves_less_water(decay):
    lean, fat = (water_scale(voxel(decay), settings=replace(WATER_SCALING, pdff=share)) for share in (0.0, 0.25))
    assert fat.metabolites / lean.metabolites == pytest.approx(0.75)


def test_what_is_missing_is_asked_for(decay):
    with pytest.raises(SpecimenError, match="no water reference: concentrations stay relative"):
        water_scale(replace(voxel(decay), water=None))
    with pytest.raises(SpecimenError, match=r"repetition time is unknown.*give tr_ms"):
        water_scale(voxel(decay, tr_ms=None))
    with pytest.raises(SettingsError, match="a PDFF of 25"):
        WaterScaling(pdff=25)


def test_the_reference_s_own_times_count(decay):
    """At TE 20 and TR 10 s water keeps 0.555 of its signal, at 30 and 2 s 0.379."""
    spectrum = voxel(decay)
    long = replace(spectrum, water_acquisition=replace(LIVER, te_ms=20.0, tr_ms=10_000.0))
    water = [(1 - np.exp(-tr / 809)) * np.exp(-te / 34) for te, tr in ((20, 10_000), (30, 2000))]
    assert water_scale(long).metabolites / water_scale(spectrum).metabolites == pytest.approx(water[0] / water[1])


@pytest.mark.parametrize(("f0_mhz", "t1", "noted"), [(63.87, 586, False), (123.2, 809, False), (297.2, 809, True)])
def test_relaxation_is_that_of_the_field(f0_mhz, t1, noted):
    settings, notes = of_field(f0_mhz)
    assert settings.t1_water_ms == t1
    assert notes == (("mM were corrected by the relaxation times of 3 T, not 7 T",) if noted else ())


def test_what_is_not_known_of_the_scale_grows_with_the_echo_time():
    """By hand at TE 35, TR 2000; a share of T2 counts TE / T2 times, T1 less the longer TR is."""
    short, long = replace(LIVER, te_ms=35.0), replace(LIVER, te_ms=144.0, tr_ms=None)
    every, metabolites, lipids = unknown_shares(short)
    assert (every, metabolites, lipids) == pytest.approx((0.103, 0.124, 0.104), abs=0.002)
    assert unknown_shares(long)[1:] == pytest.approx((0.25 * 1.44, 0.2 * 144 / 68))
    assert unknown_shares(long, water=short)[0] == pytest.approx(every)
    assert unknown_shares(long)[0] == pytest.approx(np.hypot(0.07, 0.07 * 144 / 34))
    numeric = np.log(1 - np.exp(-2000 / 1101)) - np.log(1 - np.exp(-2000 / 1099))
    assert metabolites == pytest.approx(0.25 * np.hypot(35 / 100, numeric * 1100 / 2), rel=1e-3)
