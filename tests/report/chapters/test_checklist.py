import re

import pytest

from hepatica.report.chapters.by_task import BY_TASK, FIRST, LAST
from hepatica.report.chapters.checklist import CALIBRATED, items

PARTS = [
    *("1", "2", "3a", "3b", "3c", "4", "5a", "5b", "6a", "6b", "6c", "7", "8a", "8b", "8c", "9a", "9b", "9c", "10"),
    *("11", "12a", "12b", "12c", "12d", "12e", "12f", "12g", "13", "14", "15", "16", "17"),
    *("18a", "18b", "18c", "18d", "18e", "18f", "19", "20a", "20b", "20c", "21", "22", "23a", "23b", "24"),
    *("25", "26", "27a", "27b", "27c"),
]
"""The parts of the 27 items, as numbered in the checklist of BMJ 2024;385:e078378."""


@pytest.mark.parametrize("of_diagnosis", [False, True])
def test_every_part_of_the_27_items_is_there_once(of_diagnosis: bool) -> None:
    assert [item["item"] for item in items(of_diagnosis=of_diagnosis)] == PARTS
    assert {int(re.match(r"\d+", item["item"])[0]) for item in items()} == set(range(1, 28))  # type: ignore[index]


@pytest.mark.parametrize("of_diagnosis", [False, True])
def test_an_item_is_answered_in_a_section_or_left_to_the_authors(of_diagnosis: bool) -> None:
    own = BY_TASK["binary" if of_diagnosis else "followed"]
    anchors = {section.__module__.rsplit(".", 1)[1] for section in (*FIRST, *own, *LAST)}
    for item in items(of_diagnosis=of_diagnosis):
        assert item["answered"] in ("answered", "partly", "authors")
        assert (item["section"] in anchors) == (item["answered"] != "authors"), item
        assert item["answered"] != "partly" or item["note"], item


def test_a_diagnosis_has_neither_follow_up_nor_treatment() -> None:
    told = {item["item"]: item["note"] for item in items(of_diagnosis=True)}
    assert not [note for note in told.values() if "survival" in note or "horizon" in note or "treated" in note]


ANCHORS = {
    kind: {section.__module__.rsplit(".", 1)[1] for section in (*FIRST, *own, *LAST)} for kind, own in BY_TASK.items()
}


@pytest.mark.parametrize(("of", "numbers"), [("claim_2024", 44), ("stard_2015", 30)])
def test_other_lists_have_all_items_in_order(of: str, numbers: int) -> None:
    """CLAIM of 2024 has 44 items; STARD of 2015 has 30, four of them in two parts."""
    rows = items(of)
    found = [int(re.match(r"\d+", row["item"])[0]) for row in rows]  # type: ignore[index]
    assert sorted(set(found)) == list(range(1, numbers + 1))
    assert found == sorted(found)
    assert len(rows) == numbers + (4 if of == "stard_2015" else 0)
    for row in rows:
        assert row["answered"] in ("answered", "partly", "authors")
        assert (row["section"] in ANCHORS["binary"]) == (row["answered"] != "authors"), row


def test_updating_is_what_the_report_does() -> None:
    """Items 12f and 24: recalibration is offered where there is a chapter on it; elsewhere there is none."""
    usual, without = ({row["item"]: row for row in items(calibrated=each)} for each in (True, False))
    for item in ("12f", "24"):
        assert usual[item]["section"] == "calibration"
        assert "recalibra" in usual[item]["note"]
        assert without[item]["section"] == "provenance"
        assert without[item]["note"].startswith("none")
    assert {kind for kind in BY_TASK if "calibration" in ANCHORS[kind]} == set(CALIBRATED)


def test_nothing_said_not_to_be_computed_is() -> None:
    notes = " ".join(row["note"] for of_diagnosis in (False, True) for row in items(of_diagnosis=of_diagnosis))
    assert "not computed" not in notes
    assert "left out at a horizon" not in notes
