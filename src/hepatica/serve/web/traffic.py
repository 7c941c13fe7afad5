"""Traffic: counts requests by status and adds up their seconds; no address, no path, no name."""

import time
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Traffic:
    """Counts what passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                counts: Counter[str] = scope["app"].state.requests
                counts[f'hepatica_requests_total{{status="{message["status"]}"}}'] += 1
                counts["hepatica_requests_seconds_total"] += time.perf_counter() - begun  # type: ignore[assignment]
            await send(message)

        await self.app(scope, receive, seen)
