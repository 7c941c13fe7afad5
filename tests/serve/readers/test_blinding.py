"""Blinding: until a reader of a study has read a case alone, no address gives them the model's answer."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from hepatica.runs.workers import work
from hepatica.serve import work as kinds
from hepatica.serve.pages import viewing
from hepatica.serve.readers.blinding import is_blind, studies_of
from hepatica.serve.readers.reading_study import Reading, Study, coming
from hepatica.serve.settings import ENVIRONMENT, Settings
from hepatica.serve.views.viewers import Viewers
from hepatica.serve.workbench import Workbench

PASSWORD = "correct horse battery"
ROUTES = (
    "/cases/{}", "/cases/{}/files/predictions.csv", "/api/v1/cases/{}/result", "/api/v1/cases/{}/predictions.csv",
    "/api/v1/cases/{}/report.html", "/api/v1/cases/{}/pictures",
)  # fmt: skip


@pytest.fixture
def hospital(settings: Settings, browse: Any) -> TestClient:
    found = browse(replace(settings, users=True))
    for role in ("reader", "operator"):
        found.app.state.workbench.accounts.set_user(role, role=role, password=PASSWORD)
    return found


@pytest.fixture
def study(hospital: TestClient, tables: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A study of a case that is done and of three that are not there."""
    bench: Workbench = hospital.app.state.workbench
    monkeypatch.setenv(ENVIRONMENT, "")
    bench.settings.to_environment()
    (tmp_path / "a.csv").write_bytes(tables.csv)
    case = bench.cases.submit(tmp_path / "a.csv", run="one").case_id
    assert work(bench.jobs, kinds.KINDS, worker="test") == 1
    truth = {case: "1", "b": "1", "c": "0", "d": "0"}
    of = Study(
        study_id="ab" * 16, name="Pilot", question="HCC?", washout_days=0, truth=truth,
        advice=dict.fromkeys(truth, "1"), scores=dict.fromkeys(truth, 50.0),
    )  # fmt: skip
    studies_of(bench).add(of)
    return SimpleNamespace(bench=bench, case=case, study=of)


def sign_in(client: TestClient, name: str) -> None:
    answer = client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
    client.headers["x-csrf-token"] = answer.json()["csrf"]


def read_on(study: SimpleNamespace, reader: str) -> None:
    studies = studies_of(study.bench)
    found = coming(study.study, reader, studies.readings(study.study.study_id, reader))
    assert found is not None
    studies.record(
        study.study.study_id,
        reader,
        Reading(case=found.case, arm=found.arm, session=found.session, place=found.place, call="1", score=1, seconds=1,
                time=0),
    )  # fmt: skip


def statuses(client: TestClient, case: str) -> set[int]:
    return {client.get(each.format(case)).status_code for each in ROUTES}


def test_no_address_gives_the_answer_before_the_reading_alone(hospital: TestClient, study: SimpleNamespace) -> None:
    sign_in(hospital, "reader")
    assert statuses(hospital, study.case) == {200}
    studies_of(study.bench).begin(study.study.study_id, "reader")
    reader = study.bench.accounts.of_cookie(hospital.cookies["hepatica_session"])
    seen = []
    for _ in range(2 * len(study.study.truth)):
        found = coming(study.study, "reader", studies_of(study.bench).readings(study.study.study_id, "reader"))
        seen.append((found.case == study.case and found.arm, is_blind(study.bench, reader, study.case)))
        assert statuses(hospital, study.case) == ({403} if seen[-1][1] else {200})
        read_on(study, "reader")
    alone = [arm for arm, _ in seen].index("unaided")
    assert [blind for _, blind in seen] == [place <= alone and arm != "aided" for place, (arm, _) in enumerate(seen)]
    assert "alone in a reader study first" not in hospital.get(f"/cases/{study.case}").text


def test_others_and_other_cases_are_not_blind(hospital: TestClient, study: SimpleNamespace) -> None:
    studies_of(study.bench).begin(study.study.study_id, "reader")
    sign_in(hospital, "operator")
    assert statuses(hospital, study.case) == {200}
    assert not studies_of(study.bench).is_blind("other", "reader")


def test_the_viewers_have_images_alone(
    hospital: TestClient, study: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specimen = SimpleNamespace(path=tmp_path, modality="ct")
    monkeypatch.setattr(viewing, "specimen_of", lambda *_: (SimpleNamespace(result=tmp_path), specimen))
    monkeypatch.setattr(Viewers, "ask", lambda _, what, *given, **named: what(*given, **named))
    monkeypatch.setattr(viewing, "answered", lambda *_: True)
    monkeypatch.setattr(viewing, "scored", lambda path, **_: {"tiles": [] if path is None else [1]})
    monkeypatch.setattr(viewing.slides, "described", lambda _: {"origin": (0, 0)})
    monkeypatch.setattr(viewing.volumes, "described", lambda *_, **__: [{"number": 1, "overlays": ["saliency"]}])
    sign_in(hospital, "reader")

    def shown() -> tuple[Any, Any]:
        slide, volume = (hospital.get(f"/cases/{study.case}/{kind}/1.json").json() for kind in ("slides", "volumes"))
        return slide["tiles"], volume["series"][0]["overlays"]

    assert shown() == ([1], ["saliency"])
    studies_of(study.bench).begin(study.study.study_id, "reader")
    blind = coming(study.study, "reader", []).case != study.case or coming(study.study, "reader", []).arm == "unaided"
    assert shown() == (([], []) if blind else ([1], ["saliency"]))
    if blind:
        overlay = hospital.get(f"/cases/{study.case}/volumes/1/1.nii.gz", params={"overlay": "saliency"})
        assert overlay.status_code == 403


def test_the_table_with_the_truth_is_the_operators(hospital: TestClient, study: SimpleNamespace) -> None:
    for _ in range(2 * len(study.study.truth)):
        read_on(study, "other")
    url = f"/reading/{study.study.study_id}/readers.csv"
    sign_in(hospital, "reader")
    assert hospital.get(url).status_code == 403
    assert "readers.csv" not in hospital.get("/reading").text.split("Analysis")[0]
    sign_in(hospital, "operator")
    assert hospital.get(url).status_code == 200
