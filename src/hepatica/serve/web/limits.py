"""Limits: how much one request may send and how long it may take, and how often a password may be tried."""

import asyncio
import re
import time
from collections import OrderedDict, deque

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hepatica.serve.refusals import TooOftenError

CHUNK = 32 * 2**20
"""Bytes of one piece of an upload."""

SMALL = 2**20
"""Bytes of any other request."""

SMALL_S, CHUNK_S = 30.0, 300.0
"""Seconds in which a request, or a piece of an upload, is to have arrived."""

_PIECE = re.compile(r"/api/v1/uploads/[^/]+")
_FILE, _STUDY = "/api/v1/cases/file", "/dicom-web/studies"
MOST_STUDY = 16
"""Times the largest file that one DICOMweb request may have, which brings many."""


class Limits:
    """Refuses what is too large before and while it arrives, with 413, and what is too slow, with 408."""

    def __init__(self, app: ASGIApp, *, largest: int, longest_s: float) -> None:
        self.app, self.largest, self.longest_s = app, largest, longest_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most, seconds = self._of(scope)
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        arrived, until, whole = 0, time.monotonic() + seconds, False

        async def counted() -> Message:
            nonlocal arrived, whole
            if int(announced) > most:
                raise HTTPException(413, f"got more than {most} bytes in one request, wanted less")
            if whole:
                return await receive()  # the end of the connection, which may be long after
            try:
                message = await asyncio.wait_for(receive(), until - time.monotonic())
            except TimeoutError:
                raise HTTPException(408, f"the request took longer than {seconds:g} s to arrive") from None
            arrived += len(message.get("body", b""))
            whole = message["type"] == "http.request" and not message.get("more_body")
            if arrived > most:
                raise HTTPException(413, f"got more than {most} bytes in one request, wanted less")
            return message

        await self.app(scope, counted, send)

    def _of(self, scope: Scope) -> tuple[int, float]:
        if scope["method"] == "PATCH" and _PIECE.fullmatch(scope["path"]):
            return CHUNK, CHUNK_S
        if scope["method"] == "POST" and scope["path"] == _FILE:
            return self.largest + SMALL, self.longest_s
        if scope["method"] == "POST" and scope["path"].startswith(_STUDY):
            return MOST_STUDY * self.largest, self.longest_s
        return SMALL, SMALL_S


class Attempts:
    """Counts tries of one kind by whoever makes them: at most `most` within `seconds`."""

    def __init__(self, *, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, who: str) -> None:
        """Note a try; TooOftenError where there were too many."""
        now = time.monotonic()
        tries = self._tries.setdefault(who, deque())
        self._tries.move_to_end(who)
        while tries and tries[0] < now - self.seconds:
            tries.popleft()
        if len(tries) >= self.most:
            raise TooOftenError(f"too many tries; wait {self.seconds:g} s")
        tries.append(now)
        while len(self._tries) > 10_000:
            self._tries.popitem(last=False)
