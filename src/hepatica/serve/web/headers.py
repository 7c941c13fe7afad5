"""Headers: what every answer says to the browser: load nothing from elsewhere, keep nothing, frame nothing."""

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def page_policy(text: str) -> str:
    """The policy of a page that hepatica wrote: its own style by its digest, its pictures, and no scripts at all."""
    digests = (hashlib.sha256(each.encode()).digest() for each in _STYLE.findall(text))
    styles = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in digests)
    styles = styles or "'none'"
    return f"default-src 'none'; img-src data:; style-src {styles}; frame-ancestors 'self'; sandbox"


class Headers:
    """Adds them to every answer that does not say otherwise itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    found.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)
