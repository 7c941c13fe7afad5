"""Limits: what is too large or too slow is cut off while it arrives."""

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from hepatica.serve.refusals import TooOftenError
from hepatica.serve.web import limits
from hepatica.serve.web.limits import SMALL, Attempts, Limits


def arriving(pieces: list[bytes], *, path: str = "/api/v1/cases", pause: float = 0, length: int = 0) -> bytes:
    """What an application receives of these pieces."""
    received = b""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal received
        more = True
        while more:
            message = await receive()
            received += message["body"]
            more = message["more_body"]

    waiting = list(pieces)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        raise AssertionError

    headers = [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(Limits(app, largest=2 * SMALL, longest_s=5)(scope, receive, send))
    return received


def test_small_requests_pass() -> None:
    assert arriving([b"a", b"b"]) == b"ab"
    assert len(arriving([bytes(SMALL)] * 3, path="/api/v1/cases/file")) == 3 * SMALL


@pytest.mark.parametrize(
    "sent",
    [{"pieces": [bytes(SMALL), b"x"]}, {"pieces": [b""], "length": SMALL + 1},
     {"pieces": [bytes(SMALL)] * 4, "path": "/api/v1/cases/file"}],
)  # fmt: skip
def test_too_much_is_413(sent: dict[str, Any]) -> None:
    with pytest.raises(HTTPException) as error:
        arriving(**sent)
    assert error.value.status_code == 413


def test_too_slow_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SMALL_S", 0.05)
    with pytest.raises(HTTPException) as error:
        arriving([b"a"] * 10, pause=0.02)
    assert error.value.status_code == 408


def test_tries_are_counted_by_whoever_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, now = Attempts(most=2, seconds=10), [0.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    for who in ("a", "a", "b"):
        attempts.count(who)
    with pytest.raises(TooOftenError):
        attempts.count("a")
    now[0] = 11
    attempts.count("a")
