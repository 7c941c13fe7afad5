"""Node: starts where it may, says why where it may not, and takes itself out of the way."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from orthanc import free_port
from typer.testing import CliRunner

from hepatica.cli import app
from hepatica.cohort import SettingsError, UnavailableError
from hepatica.serve.node.node import run_node
from hepatica.serve.node.settings import NodeSettings, Stow
from hepatica.serve.settings import Settings


@pytest.fixture
def run(runs: Path, tmp_path: Path) -> Callable[..., None]:
    """`run(…, say=…, stop=…)` with settings of the node."""

    def start(*, say: Callable[[str], object] = print, stop: threading.Event | None = None, **given: object) -> None:
        node = NodeSettings(callers=("PACS",), rules=(), **given)
        bench = Settings(data=tmp_path / "data", runs=runs, workers=0)
        run_node(node, bench, say=say, stop=stop or threading.Event())

    return start


def test_it_says_where_it_listens_and_ends_when_it_is_stopped(run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x" * 16)
    stop, said = threading.Event(), list[str]()

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("DICOM"):
            assert httpx.get(said[0].split()[1].replace("/dicom-web", "/health")).json() == {"status": "ok"}
            stop.set()

    run(say=say, stop=stop, port=0, stow=Stow(port=0, token=tmp_path / "token"))
    assert said[0].startswith("STOW-RS: http://127.0.0.1:")
    assert said[1].startswith("DICOM: HEPATICA at 127.0.0.1 port ")
    with pytest.raises(httpx.ConnectError):
        httpx.get(said[0].split()[1])


def test_a_port_that_is_taken(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"port {port} cannot be opened"):
            run(port=port)


def test_a_stow_token_that_is_not_there(run, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="has no token"):
        run(port=free_port(), stow=Stow(port=0, token=tmp_path / "token"))


def test_the_command_names_the_faults_of_its_settings(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("callers = []\nprot = 1\n")
    done = CliRunner().invoke(app, ["node", str(tmp_path / "node.toml"), "--data", str(tmp_path / "data")])
    assert isinstance(done.exception, SettingsError)
    assert "prot" in str(done.exception)
    assert "callers" in str(done.exception)
    assert not (tmp_path / "data").exists()
