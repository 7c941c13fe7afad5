"""Running: the server and its workers, from the first line that is printed to the last."""

import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import uvicorn

from hepatica.serve.accounts import Accounts
from hepatica.serve.application import create
from hepatica.serve.settings import Settings
from hepatica.serve.supervisor import workers
from hepatica.serve.workbench import open_workbench

GRACE_S = 5
"""Seconds that streams of events, which have no end of their own, may go on once the server is to stop."""

QUIET: dict[str, Any] = {
    "timeout_keep_alive": 30,
    "access_log": False,
    "server_header": False,
    "log_level": "warning",
    "lifespan": "on",
}
"""No log of requests: an address and a time are data of people, and the audit log has what is to be known."""


def run(settings: Settings, *, say: Callable[[str], object]) -> None:
    """Serve until Ctrl-C or SIGTERM; `say` prints a line, the first of them the link."""
    app = create(settings)
    with _listening(settings) as listener:
        say(f"workbench: {_link(settings, app.state.workbench.accounts, listener.getsockname()[1])}")
        config = uvicorn.Config(app, proxy_headers=False, timeout_graceful_shutdown=GRACE_S, **QUIET)
        with workers(settings) if settings.workers else nullcontext():
            uvicorn.Server(config).run(sockets=[listener])


def _listening(settings: Settings) -> socket.socket:
    """A socket at the address of the settings. Asyncio must see that it is of TCP: else an answer in two pieces waits
    40 ms for the client to acknowledge the first.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    return listener


def work(settings: Settings) -> None:
    """Do the jobs of a workbench that another process serves, until Ctrl-C or SIGTERM."""
    open_workbench(settings)
    with workers(settings):
        threading.Event().wait()


def _link(settings: Settings, accounts: Accounts, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{host}:{port}/"
    return base if settings.users else f"{base}enter?token={accounts.invite()}"
