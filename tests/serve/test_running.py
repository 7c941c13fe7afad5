"""Running: the link that is printed can be opened."""

import asyncio
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from hepatica.serve.running import _link, _listening
from hepatica.serve.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_link_has_host_port_and_token(host: str) -> None:
    accounts: Any = SimpleNamespace(invite=lambda: "abc")
    found = urlsplit(_link(Settings(data=Path(), runs=Path(), host=host), accounts, 8750))
    assert (found.hostname, found.port, found.path, found.query) == (host, 8750, "/enter", "token=abc")


def test_among_users_it_has_no_token() -> None:
    settings = Settings(data=Path(), runs=Path(), host="10.0.0.1", users=True)
    assert _link(settings, SimpleNamespace(), 80) == "http://10.0.0.1:80/"  # type: ignore[arg-type]


def test_answers_do_not_wait_for_more_to_send() -> None:
    async def answered_by(listener: socket.socket) -> int:
        delays = asyncio.get_running_loop().create_future()

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            delays.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(accepted, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found = await asyncio.wait_for(delays, 5)
            writer.close()
            await writer.wait_closed()
        return int(found)

    assert asyncio.run(answered_by(_listening(Settings(data=Path(), runs=Path(), port=0)))) != 0
