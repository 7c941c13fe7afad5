"""Running: the link that is printed can be opened."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from hepatica.serve.running import _link
from hepatica.serve.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_link_has_host_port_and_token(host: str) -> None:
    accounts: Any = SimpleNamespace(invite=lambda: "abc")
    found = urlsplit(_link(Settings(data=Path(), runs=Path(), host=host), accounts, 8750))
    assert (found.hostname, found.port, found.path, found.query) == (host, 8750, "/enter", "token=abc")


def test_among_users_it_has_no_token() -> None:
    settings = Settings(data=Path(), runs=Path(), host="10.0.0.1", users=True)
    assert _link(settings, SimpleNamespace(), 80) == "http://10.0.0.1:80/"  # type: ignore[arg-type]
