import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

from hepatica.report.figures.kaplan_meier import arms, paint, ticks
from hepatica.report.page.style import RC

OUTCOMES = pd.DataFrame(
    {
        "time": [2.0, 5.0, 7.0, 13.0, 4.0, 9.0, 20.0],
        "event": [1, 1, 0, 0, 0, 1, 0],
        "group": ["high", "high", "high", "high", "low", "low", "low"],
    }
)


def words(outcomes: pd.DataFrame) -> list[str]:
    with rc_context(RC):
        figure = Figure()
        paint(figure, drawn=arms(outcomes), title="Title", note="Log-rank P = 0.5", ylabel="Share", horizon=12)
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_arms_say_how_many_events_in_how_many() -> None:
    told = words(OUTCOMES)
    assert "High risk: 2 events in 4" in told
    assert "Low risk: 1 events in 3" in told
    assert "Log-rank P = 0.5" in told


def test_numbers_at_risk_count_those_still_followed() -> None:
    # At 0, 6, 12 and 18 months: high 4, 2, 1, 0 and low 3, 2, 1, 1, by hand.
    told = words(OUTCOMES)
    assert [told[told.index("High") + place] for place in range(1, 5)] == ["4", "2", "1", "0"]
    assert [told[told.index("Low") + place] for place in range(1, 5)] == ["3", "2", "1", "1"]


def test_a_group_without_patients_has_no_curve() -> None:
    assert [arm.name for arm in arms(OUTCOMES[OUTCOMES["group"] == "low"])] == ["Low risk"]


def test_nobody_to_follow_is_told() -> None:
    assert "No patients to follow." in words(OUTCOMES.iloc[:0])


@settings(deadline=None, max_examples=50)
@given(st.floats(min_value=0.1, max_value=1e5))
def test_ticks_are_few_whatever_the_follow_up(end: float) -> None:
    found = ticks(end)
    assert found[0] == 0
    assert 1 <= len(found) <= 6
    assert found[-1] < end


def test_ticks_are_whole_years_or_decades() -> None:
    assert ticks(60) == [0, 12, 24, 36, 48]
    assert ticks(720) == [0, 120, 240, 360, 480, 600]
    assert ticks(721) == [0, 240, 480, 720]


@pytest.mark.parametrize("factor", [0, 100])
def test_any_follow_up_can_be_drawn(factor: float) -> None:
    assert "High risk: 2 events in 4" in words(OUTCOMES.assign(time=OUTCOMES["time"] * factor))
