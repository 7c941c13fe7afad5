"""PPM align: lines stand upright, and every reference is found, compared and corrected."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.spectroscopy.preprocessing.ppm_align import find_reference, moved_by, stray_peak, zero_phase
from hepatica.spectroscopy.reading.lcmodel_raw import read_lcmodel_raw
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.peaks import tallest

SHORT = Acquisition(points=1024)


@settings(deadline=None, max_examples=20)
@given(angle=st.floats(-np.pi, np.pi), width=st.floats(6, 25), brain=st.booleans())
def test_the_angle_is_found(decay, brain_lines, angle, width, brain):
    lines = {"lines": brain_lines} if brain else {}
    fid = decay(SHORT, **lines, width_hz=width, noise=0.3) * np.exp(1j * angle)
    found = zero_phase(fid, 0.4, 4.2, acquisition=SHORT)
    assert np.angle(np.exp(1j * (found + angle))) == pytest.approx(0, abs=0.1)


def test_noise_alone_is_survived(decay):
    assert np.isfinite(zero_phase(decay(SHORT, {}, noise=1.0), 0.4, 4.2, acquisition=SHORT))


LIVER = Acquisition(points=2048)


@settings(deadline=None, max_examples=20)
@given(off=st.floats(-0.3, 0.3), water=st.sampled_from([0.0, 400.0]))
def test_lip13_finds_the_axis_to_a_hundredth(decay, off, water):
    fid = moved_by(decay(LIVER, water=water, noise=0.5), -off, acquisition=LIVER)
    found = find_reference(fid, acquisition=LIVER)
    assert found.by == "Lip13"
    assert found.off_ppm == pytest.approx(off, abs=0.01)


def test_an_axis_off_by_0_17_is_noted(decay):
    """The shift of GE's spectra that FSL-MRS fits as no NAA (wtclarke/fsl_mrs issue 28)."""
    fid = moved_by(decay(LIVER, water=400.0, noise=0.5), -0.17, acquisition=LIVER)
    found = find_reference(fid, acquisition=LIVER, water=moved_by(decay(LIVER, {4.65: 9e4}), -0.17, acquisition=LIVER))
    assert found.by == "water"
    assert found.notes == ("the ppm axis was off by +0.17 ppm according to water; it was corrected",)
    put_right = moved_by(fid, found.off_ppm, acquisition=LIVER)
    assert tallest(put_right, 0.5, 2.0, acquisition=LIVER).ppm == pytest.approx(1.28, abs=0.005)


def test_a_good_axis_is_not_mentioned(decay):
    assert find_reference(decay(LIVER, water=400.0, noise=0.5), acquisition=LIVER).notes == ()


def test_one_line_alone_does_not_move_the_axis(decay):
    """Creatine, 0.17 ppm below, would be taken for choline; with the residual water beside it, choline decides."""
    lean = {3.2: 60.0, 3.9: 15.0, 2.03: 8.0}
    alone = find_reference(moved_by(decay(LIVER, lean, noise=0.5), -0.1, acquisition=LIVER), acquisition=LIVER)
    assert (alone.by, alone.off_ppm, alone.offsets["choline"]) == ("choline", 0.0, pytest.approx(0.1, abs=0.01))
    assert "according to choline alone: it was left" in alone.notes[0]
    both = moved_by(decay(LIVER, lean, water=400.0, noise=0.5), -0.1, acquisition=LIVER)
    agreed = find_reference(both, acquisition=LIVER)
    assert (agreed.by, agreed.off_ppm) == ("choline", pytest.approx(0.1, abs=0.01))


def test_creatine_is_not_taken_for_choline(decay, brain_lines):
    found = find_reference(decay(LIVER, brain_lines, water=200.0, noise=0.3), acquisition=LIVER)
    assert found.offsets["choline"] == pytest.approx(0, abs=0.02)
    assert found.notes == ()


def test_peaks_that_disagree_are_noted(decay):
    fid = decay(LIVER, {1.28: 300.0, 3.05: 60.0}, noise=0.5)
    (note,) = find_reference(fid, acquisition=LIVER).notes
    assert note.startswith("choline is -0.14 ppm from its position relative to Lip13")


def test_nothing_clear_leaves_the_axis_alone(decay):
    found = find_reference(decay(LIVER, {}, noise=1.0), acquisition=LIVER)
    assert (found.off_ppm, found.by) == (0.0, "nothing")
    assert "left as the file has it" in found.notes[0]


def test_a_wrong_field_strength_leaves_lipids_where_nothing_resonates(decay):
    fid = decay(LIVER, noise=0.5)
    assert stray_peak(fid, acquisition=LIVER) is None
    at_half = replace(LIVER, f0_mhz=LIVER.f0_mhz / 2)  # 1.5 T declared for a spectrum of 3 T
    assert stray_peak(fid, acquisition=at_half) == pytest.approx(4.65 - 2 * (4.65 - 1.28), abs=0.02)
    assert stray_peak(decay(LIVER, {}, noise=1.0), acquisition=LIVER) is None


def test_a_real_brain_needs_no_more_than_hundredths(real):
    overrides = Header(f0_mhz=127.786142, bandwidth_hz=2000.0, te_ms=30.0)
    raw = read_lcmodel_raw(real / "lcmodel/data.raw", header_overrides=overrides)
    found = find_reference(raw.fids[0, 0], acquisition=raw.acquisition)
    assert abs(found.off_ppm) < 0.03
    assert found.offsets.keys() == {"residual water", "choline"}
    assert np.ptp(list(found.offsets.values())) < 0.05
