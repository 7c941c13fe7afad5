"""Gdc: whole lists, patience with passing faults, one clear line for the others."""

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import UnavailableError
from hepatica.fetch.gdc import all_of, day, no, number, open_gdc, records, text, words, yes

QUESTION = {"filters": all_of(project__project_id="TCGA-LIHC"), "sort": "submitter_id:asc"}


def test_a_list_is_read_page_by_page_to_its_end(gdc, archive):
    found = gdc.ask("cases", QUESTION).hits
    assert [each["submitter_id"] for each in found] == [f"TCGA-XX-A{n:03d}" for n in range(1, 11)]
    asked = [json.loads(request.content) for request in archive.asked]
    assert [each["from"] for each in asked] == [0, 3, 6, 9]
    assert all(each["filters"] == QUESTION["filters"] and each["format"] == "JSON" for each in asked)


def test_a_filter_has_the_documented_shape():
    # GDC API User's Guide, Search and Retrieval, POST example
    assert all_of(data_format="SVS", cases__project__project_id=["A", "B"]) == {
        "op": "and",
        "content": [
            {"op": "in", "content": {"field": "data_format", "value": ["SVS"]}},
            {"op": "in", "content": {"field": "cases.project.project_id", "value": ["A", "B"]}},
        ],
    }


def test_an_empty_list_is_no_fault(gdc, archive):
    archive.lists["cases"] = []
    assert gdc.ask("cases", QUESTION).hits == []


def test_what_the_archive_did_not_understand_is_handed_on(gdc, archive):
    page = {"hits": [], "pagination": {"total": 0}}
    archive.faults = [httpx.Response(200, json={"data": page, "warnings": {"expand": "unrecognized values: [x]"}})]
    assert gdc.ask("cases", QUESTION).warnings == {"expand": "unrecognized values: [x]"}


def test_a_list_that_changes_while_it_is_read_is_refused(gdc, archive):
    archive.lists["cases"].append(archive.lists["cases"][0])
    with pytest.raises(UnavailableError, match="10 records of 11"):
        gdc.ask("cases", QUESTION)


def test_a_list_that_ends_early_is_refused_and_does_not_go_on_for_ever(gdc, archive):
    archive.faults = [httpx.Response(200, json={"data": {"hits": [], "pagination": {"total": 5}}})]
    with pytest.raises(UnavailableError, match="0 records of 5"):
        gdc.ask("cases", QUESTION)


def test_the_release_is_told(gdc):
    assert gdc.release() == "Data Release 42.0 - January 30, 2025"


@pytest.mark.parametrize("fault", [httpx.Response(503), httpx.Response(429), httpx.ReadTimeout("slow")])
def test_passing_faults_are_waited_out_with_growing_pauses(gdc, archive, fault):
    archive.faults = [fault, fault]
    assert gdc.release().startswith("Data Release")
    assert archive.waited == [1, 2]


def test_patience_ends(gdc, archive):
    archive.faults = [httpx.ConnectError("Name or service not known")] * 9
    with pytest.raises(
        UnavailableError, match=r"api\.gdc\.cancer\.gov cannot be reached.*not known.*run the same"
    ) as told:
        gdc.release()
    assert archive.waited == [1, 2, 4]
    assert "\n" not in str(told.value)


def test_a_fault_that_waiting_does_not_mend_is_told_at_once(gdc, archive):
    archive.faults = [httpx.Response(404)]
    with pytest.raises(UnavailableError, match="404 Not Found"):
        gdc.release()
    assert archive.waited == []


def test_progress_renews_patience(gdc):
    seen = iter([*range(7), 7])
    reached = []

    def act() -> str:
        reached.append(next(seen))
        if len(reached) < 8:
            raise httpx.ReadError("broken")
        return "done"

    assert gdc.patiently(act, progress=lambda: len(reached)) == "done"


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"message": "maintenance"}},
        {"json": {"data": {"hits": [{"no": "id"}], "pagination": {"total": 1}}}},
        {"json": {"data": {"hits": []}}},
        {"json": ["x"]},
        {"text": "<html>log in</html>"},
    ],
)
def test_answers_of_another_shape_are_refused(gdc, archive, answer):
    archive.faults = [httpx.Response(200, **answer)]
    with pytest.raises(UnavailableError, match=r"unknown format|returned no JSON"):
        gdc.ask("cases", QUESTION)


def test_the_public_archive_is_what_is_opened():
    with open_gdc() as public:
        assert str(public.client.base_url) == "https://api.gdc.cancer.gov"
        assert public.client.headers["User-Agent"].startswith("hepatica/")
    assert public.client.is_closed


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("x"), inner, max_size=1),
    max_leaves=5,
)


@settings(deadline=None, max_examples=100)
@given(value=ANYTHING)
def test_nothing_an_archive_sends_is_a_fault(value):
    record = {"x": value}
    assert all(isinstance(each, dict) for each in records(record, "x"))
    assert "\n" not in text(record, "x")
    assert not (yes(record, "x") and no(record, "x"))
    assert (number(record, "x") or 0) >= 0
    assert abs(day(record, "x") or 0) <= 32872


@pytest.mark.parametrize("value", [None, "", "Not Reported", "unknown", " UNKNOWN ", "'--", [], ["unknown"], {}])
def test_what_is_not_told_is_empty(value):
    assert text({"x": value}, "x") == ""
    assert number({"x": value}, "x") is None
    assert day({}, "x") is None


def test_words_are_put_on_one_line():
    assert text({"x": "Stage\n  II"}, "x") == "Stage II"
    assert words({"x": ["Alcohol", "Unknown", "Hepatitis B Infection"]}, "x") == ["Alcohol", "Hepatitis B Infection"]
    assert text({"x": ["a", "b"]}, "x") == "a; b"


@pytest.mark.parametrize(("value", "wanted"), [(30, 30), ("30", 30), (30.0, 30), (-5, -5), (True, None), (40000, None)])
def test_days_come_as_numbers_or_words(value, wanted):
    assert day({"x": value}, "x") == wanted


@pytest.mark.parametrize("value", [True, "true", "Yes", "yes"])
def test_yes_is_said_in_several_ways(value):
    assert yes({"x": value}, "x")
    assert not no({"x": value}, "x")


def test_one_record_stands_for_a_list_of_one():
    assert records({"x": {"a": 1}}, "x") == [{"a": 1}]
    assert records({"x": [{"a": 1}, None, "b"]}, "x") == [{"a": 1}]
    assert records({}, "x") == []
