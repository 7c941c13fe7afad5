"""Phase tags: two guesses combined, and phases read from names and times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.phase.phase_tags import PhaseGuess, phase_from_tags, together

SAID = ("one", "other")
chance = st.floats(0.5, 0.95)


def guess(name, confidence):
    return PhaseGuess(name=name, confidence=confidence)


def test_agreeing_guesses_must_both_err():
    both = together(guess("plain", 0.9), guess("plain", 0.6), sources=SAID)
    assert both == PhaseGuess(name="plain", confidence=pytest.approx(1 - 0.1 * 0.4))


def test_a_clear_image_outweighs_a_vague_header_and_the_contradiction_is_noted():
    both = together(guess("arterial", 0.6), guess("plain", 0.95), sources=SAID)
    assert both.name == "plain"
    assert both.confidence == pytest.approx(0.95 * 0.4 / (0.95 * 0.4 + 0.6 * 0.05))  # 0.927
    assert both.notes == ("one says arterial, other plain",)


@given(p=chance, q=chance)
def test_a_contradiction_never_adds_confidence_and_equals_cancel(p, q):
    both = together(guess("arterial", p), guess("delayed", q), sources=SAID)
    assert both.name == ("arterial" if p >= q else "delayed")
    assert 0.5 - 1e-9 <= both.confidence <= max(p, q) + 1e-9
    assert together(guess("arterial", p), guess("delayed", p), sources=SAID).confidence == pytest.approx(0.5)


def test_even_two_certainties_can_be_weighed():
    assert together(guess("plain", 1.0), guess("delayed", 1.0), sources=SAID).confidence == pytest.approx(0.5)


def test_one_guess_alone_or_none():
    alone = guess("delayed", 0.7)
    assert together(None, alone, sources=SAID) is alone
    assert together(alone, None, sources=SAID) is alone
    assert together(None, None, sources=SAID) is None


CLEAR, VAGUE, TIMED = 0.9, 0.6, 0.7


def header(**tags):
    dataset = Dataset()
    with tolerant():
        for name, value in tags.items():
            setattr(dataset, name, value)
    return dataset


def timed(injected, scanned, **tags):
    return header(ContrastBolusStartTime=injected, AcquisitionTime=scanned, **tags)


@pytest.mark.parametrize(
    ("text", "name", "confidence"),
    [
        ("Plain 5mm", "plain", CLEAR),
        ("Abdomen nativ 3.0 B30f", "plain", CLEAR),
        ("LIVER W/O CONTRAST", "plain", CLEAR),
        ("NON-CONTRAST", "plain", CLEAR),
        ("Leber ohne KM", "plain", CLEAR),
        ("Foie sans injection", "plain", CLEAR),
        ("平扫", "plain", CLEAR),
        ("ABD N/C", "plain", VAGUE),
        ("NC 1.25", "plain", VAGUE),
        ("Arterial phase 5mm", "arterial", CLEAR),
        ("Late Arterial", "arterial", CLEAR),
        ("Phase artérielle", "arterial", CLEAR),
        ("fase arteriosa", "arterial", CLEAR),
        ("肝脏动脉期", "arterial", CLEAR),
        ("ABD AP", "arterial", VAGUE),
        ("ART 5.0", "arterial", VAGUE),
        ("Portal venous phase 5mm", "portal venous", CLEAR),
        ("Portovenös", "portal venous", CLEAR),
        ("Temps portal", "portal venous", CLEAR),
        ("fase venosa", "portal venous", CLEAR),
        ("门脉期", "portal venous", CLEAR),
        ("门静脉期", "portal venous", CLEAR),
        ("静脉期", "portal venous", CLEAR),
        ("ABD_PVP_5mm", "portal venous", VAGUE),
        ("Delayed phase 5mm", "delayed", CLEAR),
        ("Spätphase", "delayed", CLEAR),
        ("tardif", "delayed", CLEAR),
        ("延迟期", "delayed", CLEAR),
        ("Equilibrium", "delayed", CLEAR),
        ("ABD DP", "delayed", VAGUE),
        ("5 min", "delayed", VAGUE),
    ],
)
def test_names_of_series(text, name, confidence):
    guess = phase_from_tags(header(SeriesDescription=text))
    assert (guess.name, guess.confidence) == (name, confidence)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CT Body 3.0",
        "ABD W/WO",
        "CT W W/O",
        "with and without",
        "ARTERIAL + PORTAL VENOUS",
        "ART/PV",
        "intravenous contrast",
        "5mm",
        "spatial",
    ],
)
def test_names_that_tell_no_phase_or_several(text):
    assert phase_from_tags(header(SeriesDescription=text)) is None


def test_a_word_beside_an_abbreviation_of_another_phase_is_vague():
    guess = phase_from_tags(header(SeriesDescription="AP portal venous"))  # abdomen and pelvis, or arterial as well
    assert (guess.name, guess.confidence) == ("portal venous", VAGUE)


def test_the_protocol_counts_less_and_only_where_the_series_is_silent():
    guess = phase_from_tags(header(SeriesDescription="5mm", ProtocolName="Liver portal"))
    assert (guess.name, guess.confidence) == ("portal venous", VAGUE)
    assert phase_from_tags(header(SeriesDescription="delayed", ProtocolName="Liver portal")).name == "delayed"


@pytest.mark.parametrize(
    ("seconds", "name", "confidence"),
    [(28, "arterial", TIMED), (62, "portal venous", TIMED), (156, "delayed", TIMED), (50, "portal venous", 0.55)],
)  # 28, 62 and 156 s: the timing of Wang 2021
def test_seconds_since_injection(seconds, name, confidence):
    guess = phase_from_tags(timed("100000", f"10{seconds // 60:02}{seconds % 60:02}.250"))
    assert (guess.name, guess.confidence) == (name, confidence)


def test_midnight_may_lie_between():
    assert phase_from_tags(timed("235950", "000020")).name == "arterial"


@pytest.mark.parametrize(
    ("injected", "scanned"),
    [("100000", "100003"), ("100000", "095900"), ("100000", "104000"), ("", "100000"), ("100000", "x")],
)
def test_times_that_tell_nothing(injected, scanned):
    assert phase_from_tags(timed(injected, scanned)) is None


def test_names_longer_than_the_standard_allows_are_read_without_a_warning():
    tag = Tag("SeriesDescription")
    text = b"Portal " * 20
    dataset = Dataset()
    dataset[tag] = RawDataElement(tag, "LO", len(text), text, 0, False, True)  # as it comes from a file
    assert phase_from_tags(dataset).name == "portal venous"


def test_name_and_time_together():
    agreeing = phase_from_tags(timed("100000", "100028", SeriesDescription="AP"))
    assert agreeing.confidence == pytest.approx(1 - 0.4 * 0.3)
    apart = phase_from_tags(timed("100000", "100028", SeriesDescription="Delayed, SECRET"))
    assert apart.name == "delayed"
    assert apart.notes == ("the name of the series says delayed, its time after injection arterial",)
    assert apart.confidence < CLEAR
