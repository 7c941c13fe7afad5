"""Spectrum: decays that cannot be right are refused when read; the noise is found whatever resonates beside it."""

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import RawSpectra, noise_sd, to_fid, to_spectrum

SHORT = Acquisition(points=64)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, complex)


def test_transients_count_what_the_scanner_added_up():
    assert RawSpectra(fids=ones(4, 2, 64), acquisition=SHORT, averages=8).transients == 32
    assert RawSpectra(fids=ones(4, 2, 64), acquisition=SHORT).transients is None


@pytest.mark.parametrize("shape", [(64,), (1, 1, 60), (1, 64)])
def test_decays_of_another_shape_are_refused(shape):
    with pytest.raises(SpecimenError, match="wanted transients, coils and 64 points"):
        RawSpectra(fids=ones(*shape), acquisition=SHORT)


@pytest.mark.parametrize("where", ["fids", "water"])
def test_points_that_are_no_numbers_and_zeros_are_refused(where):
    spoilt = ones(1, 1, 64)
    spoilt[0, 0, 3:5] = np.nan
    name = {"fids": "spectrum", "water": "water reference"}[where]
    good = {"fids": ones(1, 1, 64), "water": ones(1, 1, 64)}
    with pytest.raises(SpecimenError, match=f"{name} has 2 points that are not numbers"):
        RawSpectra(**(good | {where: spoilt}), acquisition=SHORT)
    with pytest.raises(SpecimenError, match=f"all points of the {name} are zero"):
        RawSpectra(**(good | {where: 0 * ones(1, 1, 64)}), acquisition=SHORT)


def test_lost_samples_are_refused_and_zeros_at_the_end_are_not():
    fids = ones(2, 2, 64)
    fids[..., 50:] = 0
    assert RawSpectra(fids=fids, acquisition=SHORT).fids is fids
    fids[..., 10:14] = 0
    with pytest.raises(SpecimenError, match="4 points within the spectrum are zero: samples were lost"):
        RawSpectra(fids=fids, acquisition=SHORT)


@pytest.mark.parametrize("points", [512, 1024, 2048])
def test_white_noise_is_found_beside_lines(decay, points):
    acquisition = Acquisition(points=points)
    found = [noise_sd(decay(acquisition, noise=2.0, seed=seed), acquisition=acquisition) for seed in range(20)]
    assert np.mean(found) == pytest.approx(2.0 * np.sqrt(points), rel=0.12)


def test_the_flank_of_the_water_does_not_count(decay):
    acquisition = Acquisition(points=1024)
    plain, watery = (
        noise_sd(decay(acquisition, water=water, noise=1.0), acquisition=acquisition) for water in (0, 9e3)
    )
    assert watery == pytest.approx(plain, rel=0.2)


def test_a_narrow_band_falls_back_on_the_end_of_the_decay(decay):
    acquisition = Acquisition(points=512, bandwidth_hz=600.0)
    found = noise_sd(decay(acquisition, {1.28: 50.0}, noise=1.0), acquisition=acquisition)
    assert found == pytest.approx(np.sqrt(512), rel=0.15)


def test_a_band_that_software_emptied_is_no_noise(decay):
    """A decay that was brought from 1200 Hz to 2000 Hz elsewhere: its noise is that of its end."""
    acquisition = Acquisition(points=1024)
    values = to_spectrum(decay(acquisition, noise=2.0)) * (np.abs(acquisition.hz) < 500)
    found = noise_sd(to_fid(values), acquisition=acquisition)
    assert found == pytest.approx(2.0 * np.sqrt(1024), rel=0.5)
