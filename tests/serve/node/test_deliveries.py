"""Deliveries: tried again, ever more rarely, until the archive has all; after a death as well."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dicom_images import ct_image

from hepatica.cohort import UnavailableError
from hepatica.cohort.seal import seal
from hepatica.radiology.phantom.dicom import encoded
from hepatica.runs.jobs import ATTEMPTS
from hepatica.runs.workers import work
from hepatica.serve.node import deliveries
from hepatica.serve.node.deliveries import Deliveries, is_urgent
from hepatica.serve.node.sent import Sent
from hepatica.serve.node.settings import Archive, NodeSettings

PACS = Archive(title="PACS", host="127.0.0.1", port=104)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Callable[[], Deliveries]:
    """The deliveries of a node that has just been started, with a case c whose result has two objects."""
    folder = tmp_path / "cases" / "c" / "result" / "specimen_0001_dicom"
    folder.mkdir(parents=True)
    for number in (1, 2):
        (folder / f"{number}.dcm").write_bytes(encoded(ct_image(number)))
        seal(folder / f"{number}.dcm")
    settings = NodeSettings(callers=("PACS",), rules=(), archives={"pacs": PACS})
    return lambda: Deliveries(settings, table=tmp_path / "table.sqlite", cases=tmp_path / "cases", clock=clock)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What it has been sent, and whether it is `up`."""
    state: dict[str, object] = {"up": False, "asked": 0, "taken": []}

    def send(files: list[Path], *, archive: Archive, title: str) -> Sent:
        state["asked"] += 1
        if not state["up"]:
            raise UnavailableError("the archive cannot be reached")
        state["taken"] += [path.name for path in files]
        return Sent(stored=len(files))

    monkeypatch.setattr(deliveries, "send", send)
    return state


def turn(found: Deliveries, key: str) -> bool:
    """What the node does every half second."""
    done = found.done([key])
    if any(each.state == "waiting" for each in found.jobs.all()):
        work(found.jobs, found.kinds, worker="test")
    return done


def test_a_delivery_is_tried_ever_more_rarely_until_it_is_done(make, archive, clock: Clock, caplog) -> None:
    found = make()
    key = found.add("deliver", case="c", archive="pacs")
    tried = []
    for second in range(160):
        clock.now = second
        before = archive["asked"]
        assert not turn(found, key)
        tried += [second] * (archive["asked"] - before)
    assert tried == [0, 11, 31, 71, 151]
    archive["up"] = True
    clock.now = 10_000
    turn(found, key)
    assert turn(found, key)
    assert archive["taken"] == ["1.dcm", "2.dcm"]
    assert "case c to pacs: the archive cannot be reached" in caplog.text


def test_a_delivery_is_one_job_however_often_it_is_asked_for(make, archive) -> None:
    found = make()
    archive["up"] = True
    for _ in range(3):
        key = found.add("deliver", case="c", archive="pacs")
        turn(found, key)
    assert (archive["asked"], len(found.jobs.all())) == (1, 1)


def test_after_a_restart_it_goes_on(make, archive, clock: Clock) -> None:
    found = make()
    key = found.add("deliver", case="c", archive="pacs")
    turn(found, key)
    archive["up"] = True
    again = make()
    turn(again, key)
    clock.now = 10
    turn(again, key)
    assert turn(again, key)


def test_deaths_while_delivering_do_not_end_it(make, archive, clock: Clock) -> None:
    found = make()
    key = found.add("deliver", case="c", archive="pacs")
    for _ in range(ATTEMPTS):
        assert found.jobs.claim("dying") is not None
        found.jobs.release("dying")
    assert found.jobs.claim("other") is None
    assert found.jobs.get(key).state == "quarantined"
    archive["up"] = True
    turn(found, key)
    clock.now = 10
    turn(found, key)
    assert turn(found, key)


def test_an_object_that_was_edited_is_not_sent(make, archive, tmp_path: Path, caplog) -> None:
    archive["up"] = True
    (edited,) = tmp_path.rglob("2.dcm")
    content = edited.read_bytes()
    edited.write_bytes(content + b"00")
    found = make()
    key = found.add("deliver", case="c", archive="pacs")
    for _ in range(2):
        assert not turn(found, key)
    assert archive["taken"] == []
    assert "2.dcm was changed after it was written" in caplog.text
    edited.unlink()
    found.jobs.retry(key)
    assert not turn(found, key)
    assert archive["taken"] == []
    assert "2.dcm is missing" in found.jobs.get(key).error
    edited.write_bytes(content)
    found.jobs.retry(key)
    turn(found, key)
    assert archive["taken"] == ["1.dcm", "2.dcm"]


def test_an_archive_that_is_no_longer_named_is_said(make, archive, caplog) -> None:
    found = make()
    key = found.add("deliver", case="c", archive="gone")
    turn(found, key)
    assert not turn(found, key)
    assert "the archive gone is no longer in the settings" in caplog.text


def test_what_a_fault_says_stays_out_of_the_log(make, monkeypatch, caplog) -> None:
    def breaks(*_: object, **__: object) -> Sent:
        raise ValueError("Doe^Jane")

    monkeypatch.setattr(deliveries, "c_store", breaks)
    found = make()
    key = found.add("deliver", case="c", archive="pacs")
    turn(found, key)
    turn(found, key)
    assert "ValueError while sending" in caplog.text
    assert "Doe" not in caplog.text


@pytest.mark.parametrize(
    ("group", "applicability", "seen", "urgent"),
    [
        ("high", "in_domain", "False", True),
        ("high", "unknown", "False", True),
        ("low", "in_domain", "False", False),
        ("high", "unusual", "False", False),
        ("high", "in_domain", "True", False),
    ],
)
def test_only_a_call_that_may_be_relied_on_is_urgent(
    tmp_path: Path, group: str, applicability: str, seen: str, urgent: bool
) -> None:
    (tmp_path / "predictions.csv").write_text(
        "patient_id,specimen_id,fold,endpoint,horizon_months,score,group,applicability,seen_in_training\n"
        f"P1,S1,predicted,hcc,0,0.9,,{applicability},{seen}\n"
        f"P1,,predicted,hcc,0,0.9,{group},{applicability},{seen}\n"
    )
    assert is_urgent(tmp_path) is urgent
