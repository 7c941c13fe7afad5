from hepatica.cohort import Months, Target
from hepatica.report.chapters.follow_up.survival import competing
from hepatica.report.page.blocks import Text


def test_deaths_are_told_once_for_each_event_they_compete_with() -> None:
    drawn = [Target(endpoint="recurrence", horizon=each) for each in (Months(12.0), None)]
    [note] = competing(drawn)
    assert isinstance(note, Text)
    assert "died without recurrence" in note.text
    assert "overstate the share of patients with recurrence" in note.text


def test_deaths_do_not_compete_where_they_are_the_event() -> None:
    assert competing([Target(endpoint="overall_survival", horizon=None)]) == []
