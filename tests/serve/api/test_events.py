"""Events: each change once, the last one ends the stream."""

import asyncio
import json
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from hepatica.runs.jobs import Job
from hepatica.serve.api import events
from hepatica.serve.api.events import changes


def seen(states: list[Job | None]) -> list[str]:
    async def collect() -> list[str]:
        return [each async for each in changes(lambda: states.pop(0))]

    return asyncio.run(collect())


def test_each_change_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "EVERY_S", 0.001)
    job = Job(
        key="k", kind="predict", given={}, state="waiting", attempts=0, worker="", progress=0, result=None, error=""
    )
    running = replace(job, state="running", progress=0.5)
    found = seen([job, job, running, running, replace(job, state="failed", error="got ink"), job])
    said = [json.loads(each.partition("data: ")[2]) for each in found]
    assert [each["state"] for each in said] == ["waiting", "running", "failed"]
    assert said[-1]["error"] == "got ink"
    assert seen([job, None])[-1] == "event: job\ndata: null\n\n"
    monkeypatch.setattr(events, "QUIET_S", -1)
    assert seen([job, job, None])[1] == ": here\n\n"


def test_a_case_is_followed_to_its_end(client: TestClient, submit, finish, tables) -> None:
    case = submit(tables.csv)
    finish()
    answer = client.get(f"/api/v1/jobs/{case['case_id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert '"state": "done"' in answer.text
    assert client.get(f"/api/v1/jobs/{'0' * 32}/events").status_code == 404


def test_streams_are_counted(client: TestClient, submit, tables, monkeypatch: pytest.MonkeyPatch) -> None:
    case = submit(tables.csv)
    monkeypatch.setattr(events, "MOST", 0)
    assert client.get(f"/api/v1/jobs/{case['case_id']}/events").status_code == 429
