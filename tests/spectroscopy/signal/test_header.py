"""Header: what the user tells stands above the file, and units are checked with a hint."""

import pytest

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.signal.header import Header, sequence_of

FULL = Header(f0_mhz=127.74, bandwidth_hz=2000.0, te_ms=35.0, tr_ms=2000.0)


def test_facts_become_an_acquisition():
    acquisition = FULL.acquisition(points=512)
    assert (acquisition.f0_mhz, acquisition.te_ms, acquisition.points) == (127.74, 35.0, 512)
    assert (acquisition.sequence, acquisition.reference_ppm, acquisition.tm_ms) == ("press", 4.65, None)


def test_the_users_word_stands_above_the_files():
    both = FULL.overridden_by(Header(te_ms=30.0, sequence="steam", tm_ms=10.0))
    acquisition = both.acquisition(points=8)
    assert (acquisition.te_ms, acquisition.sequence, acquisition.tm_ms) == (30.0, "steam", 10.0)
    assert acquisition.tr_ms == 2000.0


@pytest.mark.parametrize("name", ["f0_mhz", "bandwidth_hz", "te_ms"])
def test_what_is_missing_is_asked_for(name):
    from dataclasses import replace

    with pytest.raises(SpecimenError, match=f"has no {name}; give it, such as {name} = "):
        replace(FULL, **{name: None}).acquisition(points=8)


@pytest.mark.parametrize(
    ("overrides", "hint"),
    [
        (Header(te_ms=0.035), r"te_ms = 0\.035, wanted 1 to 500 milliseconds; .*give te_ms = 35, if so"),
        (Header(te_ms=35_000.0), r"give te_ms = 35, if so"),
        (Header(tr_ms=2.0), r"give tr_ms = 2000, if so"),
        (Header(f0_mhz=127_740_000.0), r"give f0_mhz = 127\.74, if so"),
        (Header(bandwidth_hz=2.0), r"give bandwidth_hz = 2000, if so"),
        (Header(tm_ms=0.01), r"got tm_ms = 0\.01, wanted 0\.5 to 2000 milliseconds; .*give tm_ms = 10, if so"),
        (Header(reference_ppm=100.0), r"got reference_ppm = 100, wanted -10 to 20 ppm; give reference_ppm$"),
        (Header(te_ms=-1.0), r"te_ms = -1, wanted 1 to 500 milliseconds; give te_ms"),
    ],
)
def test_a_mistaken_unit_is_refused_with_the_likely_value(overrides, hint):
    with pytest.raises(SpecimenError, match=hint):
        FULL.overridden_by(overrides).acquisition(points=8)


def test_a_frequency_that_does_not_fit_the_magnet_is_refused():
    assert FULL.overridden_by(Header(field_t=3.0, f0_mhz=123.2)).acquisition(points=8).f0_mhz == 123.2
    with pytest.raises(SpecimenError, match=r"127\.74 MHz, which is protons at 3\.00 T, in a magnet of 1\.5 T"):
        FULL.overridden_by(Header(field_t=1.5)).acquisition(points=8)


def test_names_of_sequences_are_known():
    names = ("*svs_se_30", "PRESS PAR 35", "eja_svs_slaser", "semiLASER", "semi-LASER", "svs_st", "epi")
    wanted = ["press", "press", "slaser", "slaser", "slaser", "steam", None]
    assert [sequence_of(name) for name in names] == wanted


def test_an_assumed_sequence_is_noted_and_an_edited_one_refused():
    (note,) = FULL.overridden_by(Header(sequence_name="fid_csi_mine")).notes
    assert "PRESS was assumed; give the sequence" in note
    assert FULL.overridden_by(Header(sequence_name="semiLASER")).notes == ()
    edited = FULL.overridden_by(Header(sequence_name="GABA MEGA-PRESS"))
    with pytest.raises(SpecimenError, match=r"got an edited spectrum \(MEGA\)"):
        edited.acquisition(points=8)
    assert edited.overridden_by(Header(sequence="press")).acquisition(points=8).sequence == "press"
