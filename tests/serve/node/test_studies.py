"""Studies: each goes to the models whose rules it fulfils, once, and again when it has grown."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dicom_images import ct_image

from hepatica.cohort import RunError
from hepatica.cohort.seal import seal
from hepatica.radiology.phantom.dicom import encoded
from hepatica.serve.node.deliveries import Deliveries
from hepatica.serve.node.received import of_file
from hepatica.serve.node.rules import Rule
from hepatica.serve.node.settings import Archive, NodeSettings
from hepatica.serve.node.spool import Spool
from hepatica.serve.node.studies import Studies


@dataclass
class FewCases:
    """A stand-in for the workbench's cases: same content and run, same case."""

    folder: Path
    state: str = "waiting"
    submitted: dict[str, tuple[str, frozenset[bytes]]] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    fault: Exception | None = None

    def submit(self, files: Path, *, run: str, origin: dict[str, str]) -> Any:
        if self.fault:
            raise self.fault
        if run in self.lacks:
            raise RunError(f"there is no run {run}")
        content = run, frozenset(path.read_bytes() for path in files.iterdir())
        known = [case for case, each in self.submitted.items() if each == content]
        case = known[0] if known else f"case{len(self.submitted)}"
        self.submitted[case] = content
        return self.get(case)

    def takes(self, run: str) -> bool:
        return run not in self.lacks

    def get(self, case_id: str) -> Any:
        state = "done" if case_id in self.done else self.state
        return SimpleNamespace(case_id=case_id, state=state, result=self.folder / case_id / "result")


@pytest.fixture
def cases(tmp_path: Path) -> FewCases:
    return FewCases(tmp_path / "cases")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "studies")


@pytest.fixture
def make(tmp_path: Path, spool: Spool, cases: FewCases) -> Callable[..., Studies]:
    """The studies of a node that has just been started."""

    def start(*rules: Rule) -> Studies:
        settings = NodeSettings(
            callers=("PACS",), rules=rules or (Rule(run="ct", modality="CT", to=("pacs",), notify="pacs"),),
            archives={"pacs": Archive(title="PACS", host="127.0.0.1", port=104)}, quiet_s=1e-9,
        )  # fmt: skip
        deliveries = Deliveries(settings, table=tmp_path / "deliveries.sqlite", cases=cases.folder)
        return Studies(settings, spool=spool, cases=cases, deliveries=deliveries, staging=tmp_path / "staged")

    return start


def arrive(spool: Spool, *numbers: int, **changes: object) -> None:
    for number in numbers:
        spool.store(of_file(encoded(ct_image(number, **changes)), caller="PACS"))


def turn(studies: Studies) -> None:
    for _ in range(2):  # seen, then quiet
        time.sleep(0.001)
        studies.step()


def sizes(cases: FewCases) -> list[tuple[str, int]]:
    return [(run, len(content)) for run, content in cases.submitted.values()]


def test_a_study_is_submitted_once(make, spool: Spool, cases: FewCases, tmp_path: Path) -> None:
    studies = make()
    arrive(spool, 1, 2)
    turn(studies)
    arrive(spool, 1, 2)
    turn(studies)
    turn(make())
    assert sizes(cases) == [("ct", 2)]
    assert len(spool.images(spool.studies()[0])) == 2
    assert list((tmp_path / "staged").glob("*")) == []


def test_a_study_that_has_grown_is_submitted_whole(make, spool: Spool, cases: FewCases) -> None:
    studies = make()
    arrive(spool, 1)
    turn(studies)
    arrive(spool, 2)
    turn(studies)
    assert sizes(cases) == [("ct", 1), ("ct", 2)]


def test_a_study_that_grows_while_it_is_submitted_is_submitted_again(make, spool, cases, monkeypatch) -> None:
    studies, whole = make(), cases.submit

    def submit(files: Path, **how: Any) -> Any:
        found = whole(files, **how)
        arrive(spool, 2)
        return found

    monkeypatch.setattr(cases, "submit", submit)
    arrive(spool, 1)
    turn(studies)
    turn(studies)
    assert sizes(cases) == [("ct", 1), ("ct", 2)]


def test_every_rule_that_matches_has_a_case_of_its_images(make, spool: Spool, cases: FewCases) -> None:
    studies = make(Rule(run="a", series="arterial"), Rule(run="b", modality="CT"), Rule(run="c", modality="MR"))
    arrive(spool, 1)
    arrive(spool, 2, SeriesDescription="venous")
    turn(studies)
    assert sizes(cases) == [("a", 1), ("b", 2)]


def test_a_study_without_a_rule_is_looked_at_again_after_a_restart(make, spool, cases, caplog) -> None:
    arrive(spool, 1)
    turn(make(Rule(run="mr", modality="MR")))
    assert "1 images, and no rule matches" in caplog.text
    assert sizes(cases) == []
    turn(make())
    assert sizes(cases) == [("ct", 1)]


def test_a_run_that_is_not_there_is_said_and_tried_after_a_restart(make, spool, cases, caplog) -> None:
    cases.lacks = frozenset({"ct"})
    arrive(spool, 1)
    turn(make(Rule(run="ct"), Rule(run="other")))
    assert "there is no run ct" in caplog.text
    cases.lacks = frozenset()
    turn(make(Rule(run="ct"), Rule(run="other")))
    assert sorted(sizes(cases)) == [("ct", 1), ("other", 1)]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is old, and what waits, is looked at every second step."""
    monkeypatch.setattr("hepatica.serve.node.studies.EXPIRY_STEPS", 2)


def turns(studies: Studies, count: int = 4) -> None:
    for _ in range(count):
        turn(studies)


@pytest.mark.usefixtures("often")
def test_a_study_whose_run_comes_later_is_read_without_a_restart(make, spool, cases, caplog) -> None:
    cases.lacks = frozenset({"late"})
    studies = make(Rule(run="ct"), Rule(run="late"))
    arrive(spool, 1)
    turns(studies)
    assert sizes(cases) == [("ct", 1)]
    cases.done = frozenset(cases.submitted)
    turns(studies)
    assert caplog.text.count("there is no run late") == 1
    cases.submitted.clear()  # the case that is done is removed, and must not come back
    cases.lacks = frozenset()
    turns(studies)
    assert sizes(cases) == [("late", 1)]


@pytest.mark.usefixtures("often")
def test_a_study_that_waits_in_vain_for_its_run_is_removed_with_a_word(make, spool, cases, caplog) -> None:
    cases.lacks = frozenset({"ct"})
    studies = make()
    arrive(spool, 1)
    turns(studies)
    (record,) = spool.folder.glob("*/record.json")
    old = time.time() - 31 * 86400
    os.utime(record, (old, old))
    turns(studies)
    assert spool.studies() == []
    assert caplog.text.count("removed, and ct never read it: there is no run ct") == 1


def test_a_fault_of_the_store_is_tried_again_and_not_quoted(make, spool, cases, caplog) -> None:
    cases.fault = ValueError("Doe^Jane")
    studies = make()
    arrive(spool, 1)
    turn(studies)
    assert caplog.text.count("ValueError; tried again until it can be done") == 1
    assert "Doe" not in caplog.text
    cases.fault = None
    turn(studies)
    assert sizes(cases) == [("ct", 1)]


def test_a_death_between_any_two_steps_changes_nothing(make, spool, cases, monkeypatch) -> None:
    arrive(spool, 1, 2)
    for step in ("hepatica.serve.node.studies.linked", "hepatica.serve.node.studies.write_json"):
        with monkeypatch.context() as patch:

            def dies(*_: object, **__: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(step, dies)
            studies = make()
            with pytest.raises(KeyboardInterrupt):
                turn(studies)
    with monkeypatch.context() as patch:
        patch.setattr(spool, "close", dies)
        studies = make()
        with pytest.raises(KeyboardInterrupt):
            turn(studies)
    turn(make())
    assert sizes(cases) == [("ct", 2)]


def test_an_image_that_no_case_has_opens_its_study_at_the_start(make, spool, cases) -> None:
    arrive(spool, 1)
    turn(make())
    (study,) = spool.studies()
    (path,) = spool.images(study)
    path.with_name(f"{'0' * 32}.dcm").write_bytes(of_file(encoded(ct_image(2))).file())  # died before it was opened
    turn(make())
    assert sizes(cases) == [("ct", 1), ("ct", 2)]


def finish(cases: FewCases, *, group: str) -> None:
    folder = cases.folder / "case0" / "result"
    (folder / "specimen_0001_dicom").mkdir(parents=True)
    (folder / "specimen_0001_dicom" / "sr.dcm").write_bytes(encoded(ct_image(9)))
    seal(folder / "specimen_0001_dicom" / "sr.dcm")
    (folder / "predictions.csv").write_text(
        "patient_id,specimen_id,fold,endpoint,horizon_months,score,group,applicability\n"
        f"P1,,predicted,hcc,0,0.9,{group},in_domain\n"
    )
    cases.state = "done"


def test_a_fault_that_stays_is_logged_once(make, spool, cases, monkeypatch, caplog) -> None:
    studies = make()
    arrive(spool, 1)
    turn(studies)
    get = cases.get

    def away(case_id: str) -> Any:
        raise OSError("away")

    for _ in range(2):
        monkeypatch.setattr(cases, "get", away)
        turn(studies)
        turn(studies)
        monkeypatch.setattr(cases, "get", get)
        turn(studies)
    assert caplog.text.count("OSError; tried again") == 2  # once for each time that it began


@pytest.mark.parametrize(("group", "kinds"), [("high", ["deliver", "notify"]), ("low", ["deliver"])])
def test_results_are_delivered_and_then_the_archive_is_notified(
    make, spool, cases, group: str, kinds: list[str]
) -> None:
    studies = make()
    arrive(spool, 1)
    turn(studies)
    jobs = studies.deliveries.jobs
    assert (jobs.all(), studies.waiting()) == ([], 1)
    finish(cases, group=group)
    turn(studies)
    assert [each.kind for each in jobs.all()] == ["deliver"]
    for _ in kinds:
        jobs.finish(jobs.claim("test"))
        turn(studies)
    assert [each.kind for each in jobs.all()] == kinds
    assert studies.waiting() == 0


def test_a_study_waits_for_all_of_its_cases(make, spool, cases) -> None:
    studies = make(Rule(run="a", to=("pacs",)), Rule(run="b", to=("pacs",)))
    arrive(spool, 1)
    turn(studies)
    finish(cases, group="low")
    cases.state, cases.done = "failed", frozenset({"case0"})
    turn(studies)
    jobs = studies.deliveries.jobs
    jobs.finish(jobs.claim("test"))
    turn(studies)
    assert (len(jobs.all()), studies.waiting()) == (1, 1)
    cases.state = "cancelled"
    turn(studies)
    assert studies.waiting() == 0


def test_files_of_a_study_are_removed_when_they_are_old_and_nothing_waits(make, spool, cases) -> None:
    studies = make(Rule(run="ct"))
    arrive(spool, 1)
    turn(studies)
    (study,) = spool.studies()
    record = spool.folder / study / "record.json"
    os.utime(record, (0, 0))
    make(Rule(run="ct")).step()
    assert spool.studies() == [study]
    finish(cases, group="low")
    turn(studies)
    make(Rule(run="ct")).step()
    assert spool.studies() == [study]
    os.utime(record, (0, 0))
    make(Rule(run="ct")).step()
    assert spool.studies() == []
