"""Pulse sequence: delays add up, and what does not fit a sequence is refused."""

import pytest

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.pulse_sequence import Delay, Rotation, events
from hepatica.spectroscopy.basis.shaped_pulse import ShapedPulse, sinc_pulse
from hepatica.spectroscopy.signal.acquisition import Acquisition


def delays(chain):
    return [event.seconds for event in chain if isinstance(event, Delay)]


@pytest.mark.parametrize("sequence", ["press", "steam", "slaser", "spin_echo"])
def test_delays_add_up_to_the_echo_time(sequence):
    chain = events(Acquisition(sequence=sequence, te_ms=40, tm_ms=7))
    assert sum(delays(chain)) == pytest.approx(0.047 if sequence == "steam" else 0.040)


def test_press_has_its_two_echoes():
    """TE1 / 2, then TE1 / 2 + TE2 / 2, then TE2 / 2."""
    assert delays(events(Acquisition(te_ms=30), te1_ms=10)) == pytest.approx([0.005, 0.015, 0.010])
    assert delays(events(Acquisition(te_ms=30))) == pytest.approx([0.005, 0.015, 0.010])


def test_steam_without_a_mixing_time_has_ours():
    assert delays(events(Acquisition(sequence="steam", te_ms=20))) == pytest.approx([0.010, 0.010, 0.010])


def test_a_shaped_pulse_takes_the_place_of_every_refocusing_one():
    chain = events(Acquisition(), refocusing=sinc_pulse())
    assert sum(isinstance(event, ShapedPulse) for event in chain) == 2
    assert [event.degrees for event in chain if isinstance(event, Rotation)] == [90]


@pytest.mark.parametrize(
    ("sequence", "told"),
    [
        ("press", {"te1_ms": 0}),
        ("press", {"te1_ms": 35}),
        ("steam", {"te1_ms": 10}),
        ("steam", {"refocusing": sinc_pulse()}),
        ("slaser", {"refocusing": sinc_pulse()}),
    ],
)
def test_what_does_not_fit_is_refused(sequence, told):
    with pytest.raises(SettingsError, match=r"echo time|refocusing"):
        events(Acquisition(sequence=sequence), **told)
