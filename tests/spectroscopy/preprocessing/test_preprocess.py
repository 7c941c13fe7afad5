"""Preprocess: every step does its work together with the others, and bad input is mended or refused with a reason."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.preprocessing.ppm_align import moved_by
from hepatica.spectroscopy.preprocessing.preprocess import preprocess
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import RawSpectra, to_spectrum

LIVER = Acquisition(points=1024)
WINDOW = (LIVER.ppm > 0.5) & (LIVER.ppm < 4.1)
BENT = np.exp(1j * (1.5 * np.exp(-LIVER.time_s / 0.05) + 0.7))
"""An eddy current and a phase."""


@pytest.fixture
def raw(decay):
    """Suppressed and unsuppressed decays of one voxel, one coil, one transient."""
    return RawSpectra(
        fids=(decay(LIVER, water=400.0, noise=0.5) * BENT)[None, None],
        water=(decay(LIVER, {4.65: 40_000.0, 1.28: 300.0}, width_hz=15, noise=0.5, seed=1) * BENT)[None, None],
        acquisition=LIVER,
        averages=8,
    )


def agrees(decay, spectrum, *, within=0.05):
    truth = to_spectrum(decay(LIVER))[WINDOW]
    return np.abs(spectrum.values[WINDOW] - truth).max() < within * np.abs(truth).max()


def test_a_plain_pair_comes_out_clean(raw, decay):
    spectrum = preprocess(raw)
    assert agrees(decay, spectrum)
    assert (spectrum.notes, spectrum.averages) == ((), 8)
    assert np.abs(np.angle(spectrum.water[:100])).max() < 0.2


def test_without_a_reference_lines_still_stand_up(raw, decay):
    spectrum = preprocess(replace(raw, water=None, fids=raw.fids / BENT * np.exp(2j)))
    assert agrees(decay, spectrum, within=0.12)
    assert spectrum.notes == (
        "no water reference was used: eddy currents are uncorrected, concentrations are relative",
    )


def test_coils_and_transients_become_one(raw, decay):
    sensitivity, drift = np.array([0.6, 0.8j]), np.array([0.0, 6.0, -8.0, 2.0])
    turns = np.exp(2j * np.pi * drift[:, None] * LIVER.time_s)
    many = (raw.fids[0, 0] * turns)[:, None] * sensitivity[:, None]
    many = np.concatenate([many, 40 * many[:1] * np.exp(1j * LIVER.time_s**2 * 1e4)])  # a cough
    water = raw.water * sensitivity[:, None]
    spectrum = preprocess(replace(raw, fids=many, water=water, averages=1))
    assert "1 of 5 transients differed from the others and were excluded" in spectrum.notes
    assert spectrum.averages == 4
    assert agrees(decay, spectrum)


def test_another_number_of_coils_in_the_reference_is_noted(raw):
    spectrum = preprocess(replace(raw, water=np.repeat(raw.water, 3, axis=1)))
    assert any("the water reference has 3 coils, the spectrum 1" in note for note in spectrum.notes)
    assert spectrum.water is None  # its height, received otherwise, would make wrong mM


def test_swapped_files_are_exchanged(raw, decay):
    spectrum = preprocess(replace(raw, fids=raw.water, water=raw.fids))
    assert spectrum.notes[0].startswith("spectrum and water reference were swapped")
    assert agrees(decay, spectrum)


def test_water_alone_is_refused(raw, decay):
    water = decay(LIVER, {4.65: 40_000.0, 3.2: 20.0}, noise=0.5)[None, None]
    with pytest.raises(SpecimenError, match="this is a water reference; give the water-suppressed file"):
        preprocess(replace(raw, fids=water, water=None))


def test_an_unsuppressed_spectrum_may_be_its_own_reference(raw, decay):
    both = (decay(LIVER, water=30_000.0, noise=0.5) * BENT)[None, None]
    spectrum = preprocess(replace(raw, fids=both, water=both))
    assert spectrum.notes == ("the spectrum is its own water reference",)
    assert agrees(decay, spectrum)


def test_a_reference_without_water_is_not_used(raw):
    spectrum = preprocess(replace(raw, water=raw.fids * 1.001))
    assert spectrum.water is None
    assert spectrum.notes[0] == "what was given as water reference has too little water: it was not used"


@pytest.mark.parametrize("with_water", [True, False])
def test_a_conjugated_spectrum_is_turned_round(raw, decay, with_water):
    spectrum = preprocess(replace(raw, fids=raw.fids.conj(), water=raw.water.conj() if with_water else None))
    assert spectrum.notes[0].startswith("the spectrum was conjugated")
    assert not with_water or agrees(decay, spectrum)


def test_a_flipped_spectrum_is_turned_round(raw, decay):
    flipped = np.fft.ifft(np.roll(np.fft.fft(raw.fids)[..., ::-1], 1, axis=-1))
    spectrum = preprocess(replace(raw, fids=flipped))
    assert spectrum.notes == ("the decay grew, as in a reversed spectrum; it was reversed",)
    assert agrees(decay, spectrum)


@pytest.mark.parametrize("with_water", [True, False])
def test_an_axis_off_by_0_17_is_put_right_and_told(raw, decay, with_water):
    moved = {name: moved_by(getattr(raw, name) / BENT, -0.17, acquisition=LIVER) for name in ("fids", "water")}
    moved |= {} if with_water else {"water": None}
    spectrum = preprocess(replace(raw, **moved))
    by = "water" if with_water else "Lip13"
    assert f"the ppm axis was off by +0.17 ppm according to {by}; it was corrected" in spectrum.notes
    assert agrees(decay, spectrum, within=0.12)


def test_a_receiver_elsewhere_than_at_the_water_keeps_its_axis(decay):
    elsewhere = replace(LIVER, reference_ppm=3.0)
    raw = RawSpectra(
        fids=decay(elsewhere, water=400.0, noise=0.5)[None, None],
        water=decay(elsewhere, {4.65: 40_000.0}, noise=0.5)[None, None],
        acquisition=elsewhere,
    )
    spectrum = preprocess(raw)
    assert spectrum.notes == ()
    peak = elsewhere.ppm[np.argmax(np.abs(spectrum.values))]
    assert peak == pytest.approx(1.28, abs=0.02)


def test_a_wrong_field_strength_is_refused(raw):
    wrong = replace(LIVER, f0_mhz=63.87)
    with pytest.raises(
        SpecimenError, match=r"highest peak is at -2\.1 ppm.*field strength \(63\.87 MHz\).*give f0_mhz"
    ):
        preprocess(replace(raw, acquisition=wrong))


def test_noise_alone_is_survived(decay):
    raw = RawSpectra(fids=decay(LIVER, {}, noise=1.0)[None, None], acquisition=LIVER)
    assert "left as the file has it" in preprocess(raw).notes[0]


def test_the_same_decays_give_the_same_spectrum(raw):
    np.testing.assert_array_equal(preprocess(raw).fid, preprocess(raw).fid)


def test_a_suppressed_spectrum_is_no_reference(raw, decay):
    """Neither its own nor, of five times the gain, another's: concentrations would be of any height."""
    suppressed = (decay(LIVER, water=100.0, noise=0.5) * BENT)[None, None]
    own = preprocess(replace(raw, fids=suppressed, water=suppressed))
    assert own.water is None
    assert own.notes[0] == "the spectrum was given as its own water, which is suppressed: unused"
    other = preprocess(replace(raw, water=5 * suppressed))
    assert other.water is None
    assert other.notes[0] == "what was given as water reference has too little water: it was not used"


def test_the_water_of_a_fatty_liver_alone_is_noted(raw):
    """Lipids show beside it, so that it is no water reference for sure."""
    spectrum = preprocess(replace(raw, fids=raw.water, water=None))
    assert "it was poorly suppressed, or this is a water reference; inspect the fit" in spectrum.notes[0]
    assert not any("badly" in note for note in preprocess(replace(raw, water=None)).notes)


@pytest.mark.parametrize("wrong", ["fids", "water"])
def test_one_of_a_pair_that_is_conjugated_is_turned_alone(raw, decay, wrong):
    spectrum = preprocess(replace(raw, **{wrong: getattr(raw, wrong).conj()}))
    assert len(spectrum.notes) == 1
    assert "conjugated" in spectrum.notes[0]
    assert agrees(decay, spectrum)


def test_a_few_points_are_no_decay(raw):
    cut = np.where(np.arange(LIVER.points) < 40, raw.fids, 0)
    with pytest.raises(SpecimenError, match="the spectrum has 40 points that are not zero, wanted 64 or more"):
        preprocess(replace(raw, fids=cut))
    with pytest.raises(SpecimenError, match="the water reference has 40 points"):
        preprocess(replace(raw, water=np.where(np.arange(LIVER.points) < 40, raw.water, 0)))


def test_zeros_at_the_end_are_left_out(raw, decay):
    """They are what software added, and would count as data without noise."""
    padded = replace(
        raw,
        fids=np.pad(raw.fids, [(0, 0), (0, 0), (0, 1024)]),
        water=np.pad(raw.water, [(0, 0), (0, 0), (0, 1024)]),
        acquisition=replace(LIVER, points=2048),
    )
    spectrum = preprocess(padded)
    assert spectrum.acquisition.points == 1024
    assert spectrum.notes == ("the last 1024 of 2048 points are zeros: they carry no information and were left out",)
    np.testing.assert_array_equal(spectrum.fid, preprocess(raw).fid)


def test_edited_transients_are_noted(decay, brain_lines):
    """The line at 2.01 ppm is inverted in every second one."""
    lines = [brain_lines | {2.01: sign * 30.0} for sign in (1, -1)] * 4
    fids = np.stack([decay(LIVER, each, water=400.0, noise=0.2, seed=seed) for seed, each in enumerate(lines)])
    note = "every second transient differs: if the spectrum is edited, its mean is not meaningful; inspect the fit"
    assert note in preprocess(RawSpectra(fids=fids[:, None], acquisition=LIVER)).notes
    assert note not in preprocess(RawSpectra(fids=fids[::2, None], acquisition=LIVER)).notes
