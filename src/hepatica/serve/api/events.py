"""Events: how far a case or a job is, as it changes (server-sent events)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from hepatica.runs.jobs import Job
from hepatica.serve.api.answers import REFUSALS, Bench, Viewer
from hepatica.serve.api.jobs import Key, job_of
from hepatica.serve.refusals import TooOftenError

router = APIRouter(prefix="/api/v1", tags=["events"], responses=REFUSALS)

EVERY_S, QUIET_S, LONGEST_S = 1.0, 15.0, 3600.0
"""Seconds between two looks, between two signs of life, and until the browser connects again."""

MOST = 200
"""Streams at one time."""

ENDED = ("done", "failed", "quarantined", "cancelled")
_open = 0
_EVENT = {"type": "object", "properties": {"event": {"type": "string"}, "data": {"type": "string"}}}
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": _EVENT}}}}


@router.get("/jobs/{key}/events", response_class=StreamingResponse, responses=_STREAM)
def events(key: Key, bench: Bench, user: Viewer) -> StreamingResponse:
    """State, progress and error of a job, and of the case of the same id, whenever they change; the last one ends it.

    Each event is `event: job` and a line `data: {"state": …, "progress": …, "error": …}`.
    """
    job_of(bench, key)
    if _open >= MOST:
        raise TooOftenError("too many streams are open; ask for the state itself")
    return StreamingResponse(
        changes(lambda: bench.jobs.get(key)), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def changes(look: Callable[[], Job | None]) -> AsyncIterator[str]:
    """The events of what `look` sees, until it has ended or is gone."""
    global _open
    _open += 1
    try:
        last, said, until = "", 0.0, time.monotonic() + LONGEST_S
        while time.monotonic() < until:
            job = await run_in_threadpool(look)
            now = json.dumps({name: getattr(job, name) for name in ("state", "progress", "error")} if job else None)
            if now != last or time.monotonic() > said + QUIET_S:
                yield f"event: job\ndata: {now}\n\n" if now != last else ": here\n\n"
                last, said = now, time.monotonic()
            if job is None or job.state in ENDED:
                return
            await asyncio.sleep(EVERY_S)
    finally:
        _open -= 1
