"""Spread: whatever the processes and the kills, the results are those of the call alone; poison harms no other."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from processes import command

from hepatica.cohort import NotAssessableError, RunError, Specimen, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.runs import predict, validate
from hepatica.runs.engine import Engine
from hepatica.runs.in_use import in_use
from hepatica.runs.jobs import ATTEMPTS, Jobs
from hepatica.runs.spread import DIED, Item, lost_of, prepare, set_aside, spread, without_lost


def outputs(folder: Path) -> dict[str, bytes]:
    """Every file but those of time and of the jobs, and the page, which the command alone writes."""
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    of_jobs = ("prepared/ledger", "prepared/jobs", "report.html")
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(of_jobs)}


def rows_of(table: pd.DataFrame, specimen: str) -> pd.DataFrame:
    return table[table["specimen_id"] == specimen].reset_index(drop=True)


@pytest.fixture
def cohort(trained, tmp_path: Path) -> Path:
    """Eight specimens, the first two under names of their own."""
    folder = shutil.copytree(trained.other, tmp_path / "cohort")
    table = pd.read_csv(folder / "specimens.csv").head(8)
    patients = pd.read_csv(folder / "patients.csv")
    patients[patients["patient_id"].isin(table["patient_id"])].to_csv(folder / "patients.csv", index=False)
    paths = table["path"].tolist()
    for place, name in enumerate(("once.tif", "poison.tif")):
        (folder / "slides" / paths[place]).rename(folder / "slides" / name)
        table.loc[place, "path"] = name
    table.to_csv(folder / "specimens.csv", index=False)
    return folder


def test_one_kill_loses_nothing_and_poison_is_set_aside(trained, cohort: Path, tmp_path: Path) -> None:
    jobs, alone = tmp_path / "jobs", tmp_path / "alone"
    done = command(["predict", trained.run, cohort, "--out", jobs, "--pictures", 2, "--jobs", 2], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mark").exists()
    ledger = Jobs(jobs / "prepared" / "jobs.sqlite")
    prepared = {each.given["place"]: (each.state, each.attempts) for each in ledger.all(kind="prepare")}
    assert prepared.pop("slide 2") == ("done", 2)
    assert prepared.pop("slide 3") == ("quarantined", ATTEMPTS)
    assert set(prepared.values()) == {("done", 1)}
    assert [each.state for each in ledger.all(kind="predict")] == ["done"]
    entry = read_json(jobs / "prepared" / "ledger" / "set_aside_3.json")
    assert [each["error"] for each in entry["attempts"]] == [DIED] * ATTEMPTS
    predict(trained.run, [cohort], out=alone, pictures=2)
    table, wanted = (pd.read_csv(each / "predictions.csv", dtype=str) for each in (jobs, alone))
    first, poison, *others = pd.read_csv(cohort / "specimens.csv")["specimen_id"]
    assert rows_of(table, poison)["score"].isna().all()
    assert set(rows_of(table, poison)["reason"]) == {DIED}
    for other in [first, *others]:
        pd.testing.assert_frame_equal(rows_of(table, other), rows_of(wanted, other))
    own, whole = outputs(jobs), outputs(alone)
    of_poison = {name for name in own.keys() ^ whole.keys() if "specimen_0003" in name or name.startswith("prepared/")}
    assert own.keys() ^ whole.keys() == of_poison
    tables = {"predictions.csv", "specimens.csv", "digests.json"}
    assert {name for name in own.keys() & whole.keys() if own[name] != whole[name]} == tables


def test_where_no_specimen_is_left_that_is_the_error(trained, tmp_path: Path) -> None:
    cohort = load_cohort(trained.other)
    set_aside(cohort.specimens, folder=tmp_path)
    with pytest.raises(NotAssessableError) as caught:
        without_lost(trained.system, cohort, trained.settings, tmp_path)
    assert caught.value.failures["error"].tolist() == [DIED] * len(cohort.specimens)


def test_a_file_that_was_replaced_is_tried_again(trained, cohort: Path, tmp_path: Path) -> None:
    specimens = load_cohort(cohort).specimens
    set_aside(specimens[:2], folder=tmp_path)
    assert lost_of(specimens, folder=tmp_path)["row"].tolist() == [2, 3]
    shutil.copy(specimens[2].path, specimens[0].path)
    assert lost_of(specimens, folder=tmp_path)["row"].tolist() == [3]
    assert lost_of(specimens[4:], folder=tmp_path).empty


class Recorded(Engine):
    """An engine that gives every job up."""

    def run(self, where: Path | str, kinds: str, *, label: str, total: int) -> None:
        jobs = Jobs(where)
        while jobs.claim("w"):
            jobs.release("w")


def test_what_was_set_aside_is_tried_again_once_its_entry_is_gone(trained, tmp_path: Path) -> None:
    specimens = load_cohort(trained.other).specimens[:2]
    items = [Item(place=str(each.row), specimens=[each]) for each in specimens]
    own: Mapping[str, object] = {"context": {}, "kinds": "", "folder": tmp_path, "label": "x"}
    died = spread("prepare", items, engine=Recorded(processes=2), **own)
    assert died == items

    class Done(Recorded):
        def run(self, where: Path | str, kinds: str, **_) -> None:
            while job := Jobs(where).claim("w"):
                Jobs(where).finish(job)

    assert spread("prepare", items, engine=Done(processes=2), **own) == []


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    found = []
    for row in (2, 3):
        (path := tmp_path / f"{row}.tif").write_bytes(bytes([row]))
        one = Specimen(patient_id=f"P{row}", specimen_id=f"S{row}", modality="slide", path=path, row=row)
        found.append(Item(place=str(row), specimens=[one]))
    return found


class Silent(Engine):
    """An engine that does nothing."""

    def run(self, where: Path | str, kinds: str, **_) -> None: ...


def test_jobs_of_other_settings_are_cancelled_and_come_back_with_them(items: list[Item], tmp_path: Path) -> None:
    own: Mapping[str, object] = {"kinds": "", "folder": tmp_path, "label": "x", "engine": Silent(processes=2)}
    jobs = Jobs(tmp_path / "jobs.sqlite")
    other = jobs.add("predict", {"context": "/elsewhere/jobs/a.json"})  # of another folder, in one database
    spread("predict", items, context={"side": 1}, **own)
    for _ in range(2):
        jobs.claim("killed")
    assert spread("predict", items, context={"side": 2}, **own) == []
    assert jobs.get(other).state == "running"
    assert [each.state for each in jobs.all()][1:] == ["cancelled", "cancelled", "waiting", "waiting"]
    spread("predict", items, context={"side": 1}, **own)
    assert [each.state for each in jobs.all()][1:] == ["waiting", "waiting", "cancelled", "cancelled"]


def test_jobs_that_failed_are_begun_anew_and_a_share_leaves_those_set_aside(items: list[Item], tmp_path: Path) -> None:
    own: Mapping[str, object] = {"context": {}, "kinds": "", "folder": tmp_path, "label": "x"}
    spread("prepare", items, engine=Silent(share=True), **own)
    jobs = Jobs(tmp_path / "jobs.sqlite")
    jobs.fail(jobs.claim("w"), "the disk is full")
    while jobs.claim("w"):
        jobs.release("w")
    died = spread("prepare", items, engine=Silent(share=True), **own)
    assert [each.state for each in jobs.all()] == ["waiting", "quarantined"]
    assert died == items[1:]
    assert spread("prepare", items, engine=Silent(processes=2), **own) == []
    assert [each.state for each in jobs.all()] == ["waiting", "waiting"]


def test_jobs_that_failed_are_not_passed_over_in_silence(
    items: list[Item], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(Engine):
        def run(self, where: Path | str, kinds: str, **_) -> None:
            jobs = Jobs(where)
            jobs.fail(jobs.claim("w"), "the disk is full")
            jobs.finish(jobs.claim("w"))

    own: Mapping[str, object] = {"context": {}, "kinds": "", "folder": tmp_path, "label": "x"}
    assert spread("prepare", items, engine=Failing(processes=2), **own) == []
    assert capsys.readouterr().err == "1 of 2 jobs failed, which one process tries again: the disk is full\n"
    assert spread("prepare", items[1:], engine=Silent(processes=2), **own) == []
    assert capsys.readouterr().err == ""


def test_workers_find_the_context_from_any_folder(
    items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spread("prepare", items, context={}, kinds="", folder=Path("out"), label="x", engine=Silent(processes=2))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert Path(Jobs(tmp_path / "out" / "jobs.sqlite").all()[0].given["context"]).is_file()


def test_who_is_set_aside_is_said_by_row(items: list[Item], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_aside(items[0].specimens, folder=tmp_path)
    assert capsys.readouterr().err == f"specimen of row 2 is set aside: {DIED}\n"


def test_a_call_refuses_a_folder_in_which_another_is_at_jobs(trained, tmp_path: Path) -> None:
    cohort = load_cohort(trained.other)
    with in_use(tmp_path / "prepared"):
        for engine in (Engine(processes=2), Engine(share=True)):
            with pytest.raises(RunError, match="prepared is in use by another process"):
                predict(trained.run, [trained.other], out=tmp_path, engine=engine)
            with pytest.raises(RunError, match="prepared is in use by another process"):
                validate(trained.run, cohort, out=tmp_path, engine=engine)
    assert not (tmp_path / "prepared" / "jobs.sqlite").exists()


def test_a_region_prepared_by_jobs_is_found_by_the_call(trained, tmp_path: Path) -> None:
    cohort = load_cohort(trained.other)
    few = replace(cohort, specimens=cohort.specimens[:3])
    found = prepare(trained.system, few, trained.settings, tmp_path, engine=Engine(processes=2))
    states = [(each.kind, each.state) for each in Jobs(tmp_path / "jobs.sqlite").all()]
    assert states == [("prepare", "done")] * 3
    assert found.specimens["specimen_id"].tolist() == [each.specimen_id for each in few.specimens]
