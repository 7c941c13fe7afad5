"""Fixtures of the node: an archive, phantom images to send, and a node that runs in this process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from dicom_images import ct_image
from orthanc import Orthanc, free_port
from pydicom import Dataset
from services import program

from hepatica.cohort.atomic import write_json
from hepatica.runs.folder import FORMAT
from hepatica.serve.node.node import run_node
from hepatica.serve.node.settings import Archive, NodeSettings, Rule, Stow
from hepatica.serve.settings import Settings

TOKEN = "a-token-of-a-test-0123456789"


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """An archive that runs, and ends with the test."""
    archive = Orthanc(
        program=program("Orthanc"), folder=tmp_path / "orthanc", node_port=free_port(), stow_port=free_port(),
        token=TOKEN,
    ).start()  # fmt: skip
    yield archive
    archive.kill()


@pytest.fixture
def image() -> Callable[..., Dataset]:
    """`image(number, study=…, …)` is a small CT image."""
    return ct_image


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with one run, of a system that reads CT: locked, and without a network: nothing is predicted."""
    folder = tmp_path / "runs" / "ct"
    write_json(folder / "model.json", {})
    (folder / "settings.toml").write_text(f'format = {FORMAT}\nsystem = "wang_2021_hccnet"\n')
    return folder.parent


@dataclass
class Nodes:
    """`start` runs a node in a thread within its block."""

    settings: NodeSettings
    bench: Settings

    @contextmanager
    def start(self) -> Iterator[None]:
        stop, ready, faults = threading.Event(), threading.Event(), list[BaseException]()

        def run() -> None:
            try:
                run_node(
                    self.settings, self.bench, stop=stop,
                    say=lambda line: ready.set() if line.startswith("DICOM") else None,
                )  # fmt: skip
            except BaseException as error:
                faults.append(error)
                ready.set()

        thread = threading.Thread(target=run)
        thread.start()
        assert ready.wait(20)
        try:
            yield
        finally:
            stop.set()
            thread.join(20)
        assert not faults, faults


@pytest.fixture
def node_of(orthanc: Orthanc, tmp_path: Path) -> Callable[..., Nodes]:
    """`node_of(runs, run=…, to=…)`: a node beside the archive, whose CT goes to one run; results by DICOM or web."""

    def make(runs: Path, *, run: str, to: str = "dicom", **changes: object) -> Nodes:
        token = tmp_path / "token"
        token.write_text(TOKEN)
        archives = {
            "dicom": Archive(title="ORTHANC", host="127.0.0.1", port=orthanc.port),
            "web": Archive(url=orthanc.web),
        }
        given = {"quiet_s": 1.0, "free_gib": 0.0} | changes
        node = NodeSettings(
            port=orthanc.node_port, callers=("ORTHANC",), rules=(Rule(run=run, modality="CT", to=(to,)),),
            archives=archives, stow=Stow(port=orthanc.stow_port, token=token), **given,
        )  # fmt: skip
        return Nodes(node, Settings(data=tmp_path / "data", runs=runs, workers=0))

    return make
