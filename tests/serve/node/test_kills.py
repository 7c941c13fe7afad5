"""Kills: either side dies in the middle, and in the end nothing is lost, doubled or changed."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dicom_images import ct_files, ct_image
from orthanc import Orthanc

from hepatica.cohort.seal import seal
from hepatica.radiology.phantom.dicom import encoded
from hepatica.runs.workers import work
from hepatica.serve.node import deliveries
from hepatica.serve.node.dicomweb import DicomWeb
from hepatica.serve.node.received import name_of, of_file
from hepatica.serve.node.spool import Spool
from hepatica.serve.settings import Settings
from hepatica.serve.workbench import open_workbench

pytestmark = pytest.mark.xdist_group("trained_ct")  # archives in one process

LARGE = {"Rows": 512, "Columns": 512, "PixelData": bytes(2 * 512 * 512)}
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def until(condition: Callable[[], object], *, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def stored(orthanc: Orthanc, files: list[Path]) -> str:
    """The study is in the archive; its key there."""
    with DicomWeb(orthanc.web) as archive:
        archive.store(files)
    (key,) = orthanc.get("studies")
    return str(key)


def command(orthanc: Orthanc, tmp_path: Path, runs: Path) -> list[str]:
    text = f"""\
port = {orthanc.node_port}
callers = ["ORTHANC"]
quiet_s = 4
free_gib = 0
[[rules]]
run = "ct"
modality = "CT"
"""
    (tmp_path / "node.toml").write_text(text)
    words = ["node", tmp_path / "node.toml", "--runs", runs, "--data", tmp_path / "data", "--workers", 0]
    return [sys.executable, "-c", "from hepatica.cli import main; main()", *map(str, words)]


@contextmanager
def running(words: list[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A node in a process of its own, which is dead after the block."""
    with log.open("a") as errors:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line.startswith("DICOM: HEPATICA at 127.0.0.1"), log.read_text()
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_node_killed_while_it_receives_has_all_that_it_acknowledged(orthanc: Orthanc, runs, tmp_path: Path) -> None:
    sent = ct_files(tmp_path / "study", 80, **LARGE)
    key = stored(orthanc, sent)
    words, log = command(orthanc, tmp_path, runs), tmp_path / "log"
    spool = tmp_path / "data" / "node" / "studies"
    with running(words, log):
        job = orthanc.post("modalities/hepatica/store", {"Resources": [key], "Asynchronous": True})["ID"]
        until(lambda: len(list(spool.rglob("[0-9a-f]*.dcm"))) > 5)
    there = len(list(spool.rglob("[0-9a-f]*.dcm")))
    assert 5 < there < len(sent), "the kill was not in the middle"
    until(lambda: orthanc.get(f"jobs/{job}")["State"] == "Failure")
    with running(words, log) as process:
        orthanc.post(f"jobs/{job}/resubmit", b"")
        bench = open_workbench(Settings(data=tmp_path / "data", runs=runs))
        until(bench.cases.all)
        process.terminate()
        assert process.wait(20) == 143
    (case,) = bench.cases.all()
    originals = {name_of(each.instance): each.dataset for each in (of_file(path.read_bytes()) for path in sent)}
    assert {path.stem: of_file(path.read_bytes()).dataset for path in case.inputs.iterdir()} == originals
    assert len(Spool(spool).images(next(spool.glob("*/images")).parent.name)) == len(sent)
    assert not [word for word in ("Doe", "1.2.3") if word in log.read_text()]


@pytest.mark.parametrize("to", ["dicom", "web"])
def test_an_archive_killed_while_it_is_given_results_has_each_once(
    orthanc: Orthanc, runs, node_of, tmp_path: Path, monkeypatch, to: str
) -> None:
    monkeypatch.setattr(deliveries, "FIRST_WAIT_S", 0.3)
    monkeypatch.setattr("hepatica.serve.node.dicomweb.AT_ONCE", 2**21)
    sent = ct_files(tmp_path / "study", 3)
    study, key = of_file(sent[0].read_bytes()).study, stored(orthanc, sent)
    results = [ct_image(number, study=study, sop_class=CAPTURE, **LARGE) for number in range(101, 161)]

    def pretend(job, progress) -> None:
        folder = tmp_path / "data" / "cases" / job.given["case"] / "result" / "specimen_0001_dicom"
        folder.mkdir(parents=True)
        for number, each in enumerate(results):
            (folder / f"{number}.dcm").write_bytes(encoded(each))
        seal(*folder.glob("*.dcm"))

    nodes = node_of(runs, run="ct", to=to)
    with nodes.start():
        orthanc.post("modalities/hepatica/store", {"Resources": [key], "Synchronous": True})
        bench = open_workbench(nodes.bench)
        until(bench.cases.all)
        work(bench.jobs, {"predict": pretend}, worker="test")
        until(lambda: len(orthanc.get("instances")) > len(sent))
        orthanc.kill()
        time.sleep(0.5)
        orthanc.start()
        assert len(orthanc.get("instances")) < len(sent) + len(results), "the kill was not in the middle"
        until(lambda: len(orthanc.get("instances")) >= len(sent) + len(results))
        table = deliveries.Jobs(tmp_path / "data" / "node" / "deliveries.sqlite")
        until(lambda: [each.state for each in table.all()] == ["done"])
    there = {uid: of_file(content).dataset for uid, content in orthanc.instances().items()}
    expected = [of_file(path.read_bytes()) for path in sent] + [of_file(encoded(each)) for each in results]
    assert there == {each.instance: each.dataset for each in expected}
    assert orthanc.get("studies") == [key]
