"""Phase guess: two witnesses, agreeing or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.radiology.phase.phase_guess import PhaseGuess, together

SAID = ("one", "other")
chance = st.floats(0.5, 0.95)


def guess(name, confidence):
    return PhaseGuess(name=name, confidence=confidence)


def test_agreeing_witnesses_must_both_err():
    both = together(guess("plain", 0.9), guess("plain", 0.6), said=SAID)
    assert both == PhaseGuess(name="plain", confidence=pytest.approx(1 - 0.1 * 0.4))


def test_a_clear_image_outweighs_a_vague_header_and_the_contradiction_is_told():
    both = together(guess("arterial", 0.6), guess("plain", 0.95), said=SAID)
    assert both.name == "plain"
    assert both.confidence == pytest.approx(0.95 * 0.4 / (0.95 * 0.4 + 0.6 * 0.05))  # 0.927
    assert both.notes == ("one says arterial, other plain",)


@given(p=chance, q=chance)
def test_a_contradiction_never_makes_surer_and_equals_cancel(p, q):
    both = together(guess("arterial", p), guess("delayed", q), said=SAID)
    assert both.name == ("arterial" if p >= q else "delayed")
    assert 0.5 - 1e-9 <= both.confidence <= max(p, q) + 1e-9
    assert together(guess("arterial", p), guess("delayed", p), said=SAID).confidence == pytest.approx(0.5)


def test_even_two_certainties_can_be_weighed():
    assert together(guess("plain", 1.0), guess("delayed", 1.0), said=SAID).confidence == pytest.approx(0.5)


def test_one_witness_alone_or_none():
    alone = guess("delayed", 0.7)
    assert together(None, alone, said=SAID) is alone
    assert together(alone, None, said=SAID) is alone
    assert together(None, None, said=SAID) is None
