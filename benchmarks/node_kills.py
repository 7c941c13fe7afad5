"""Node kills: whether a study comes back with its results, once, when the node or the archive is killed on the way.

    .venv/bin/python benchmarks/node_kills.py FOLDER [--kills 20] [--seed 0]

A real Orthanc and `hepatica node` with one worker run on free ports of this machine; the model is HCCNet, trained for
two epochs on phantoms. Each time, a phantom study that neither has seen is put into Orthanc, which sends it to the
node by C-STORE; the results go back by C-STORE. One side is sent SIGKILL at a moment drawn at random: while the node
receives, until the model has read the study, or while results arrive; then it is started again, and the archive sends
again what it did not see acknowledged, as archives do. Counted are objects, by SOP Instance UID, that are lost, doubled
or changed: images in the case, and results in the archive, against those of `hepatica predict` on the same files.
The exit code is 1 where there is one.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from orthanc import Orthanc, free_port  # an archive of the tests

from hepatica.radiology.phantom import PhantomSettings
from hepatica.runs import predict, train
from hepatica.serve.node.dicomweb import DicomWeb
from hepatica.serve.node.received import name_of, of_file
from hepatica.serve.settings import Settings
from hepatica.serve.workbench import open_workbench
from hepatica.systems import find_system

PHASES = ("receiving", "predicting", "delivering")
SIDES = ("archive", "node")
QUIET_S = 6.0
PATIENCE_S = 1800.0
"""Seconds for results to come back; a machine that is busy takes minutes to predict."""

Objects = dict[str, bytes]
"""Data sets by SOP Instance UID."""


def objects(files: list[Path]) -> Objects:
    """Those in some files."""
    return {each.instance: each.dataset for each in (of_file(path.read_bytes()) for path in files)}


def phantoms(folder: Path, count: int) -> list[Path]:
    """A run, and so many studies, each as a folder of files that are called as in the spool."""
    small = PhantomSettings(matrix=96, slices=14, thickness_mm=12, expert_share=0.6)
    system = find_system("wang_2021_hccnet")
    cohort = system.phantom(folder / "a", patients=20, seed=1, hospital="A", settings=small)
    train(system, cohort, run=folder / "runs" / "hccnet", settings=system.shortest_quick)
    system.phantom(folder / "b", patients=count, seed=2, hospital="B", settings=small)
    return [unpacked(path, folder / "studies" / path.stem) for path in sorted((folder / "b" / "studies").glob("*.zip"))]


def unpacked(path: Path, into: Path) -> Path:
    """The study of an archive as a folder."""
    into.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            (into / f"{name_of(of_file(content).instance)}.dcm").write_bytes(content)
    return into


class Bench:
    """Both sides, and the ways in which each may be killed."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder, self.data = folder, folder / "data"
        self.orthanc = Orthanc(
            program=program, folder=folder / "orthanc", node_port=free_port(), stow_port=free_port(), token="-"
        )
        self.settings = Settings(data=self.data, runs=folder / "runs")
        self.node: subprocess.Popen[str] | None = None
        folder.joinpath("node.toml").write_text(
            f'port = {self.orthanc.node_port}\ncallers = ["ORTHANC"]\nquiet_s = {QUIET_S}\n'
            f'[archives.pacs]\ntitle = "ORTHANC"\nhost = "127.0.0.1"\nport = {self.orthanc.port}\n'
            '[[rules]]\nrun = "hccnet"\nmodality = "CT"\nto = ["pacs"]\n'
        )

    def start_node(self) -> None:
        """Return once it listens."""
        words = ["node", self.folder / "node.toml", "--runs", self.folder / "runs", "--data", self.data]
        script = [sys.executable, "-c", "from hepatica.cli import main; main()", *map(str, words)]
        with (self.folder / "node.log").open("a") as log:
            self.node = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.node.stdout is not None
        assert self.node.stdout.readline().startswith("DICOM"), "see node.log"

    def kill_node(self) -> None:
        """SIGKILL; its workers see that it is gone and end themselves."""
        if self.node is not None:
            self.node.kill()
            self.node.communicate()

    def arrived(self, study: str) -> int:
        """Images that the node has of a study."""
        return len(list((self.data / "node" / "studies" / name_of(study) / "images").glob("[0-9a-f]*.dcm")))

    def in_archive(self, study: str) -> Objects:
        """What the archive has of a study."""
        found = self.orthanc.post("tools/find", {"Level": "Instance", "Query": {"StudyInstanceUID": study}})
        contents = [self.orthanc.content(key) for key in found]
        if len({of_file(each).instance for each in contents}) < len(contents):
            raise ValueError("the archive has one UID twice")
        return {of_file(each).instance: of_file(each).dataset for each in contents}

    def cases(self, study: str) -> list[Path]:
        """Folders of the inputs of all cases of a study."""
        every = open_workbench(self.settings).cases.all()
        return [each.inputs for each in every if each.origin.get("study") == name_of(study)]


@contextmanager
def running(folder: Path) -> Iterator[Bench]:
    """Both sides, which are dead after the block."""
    bench = Bench(folder, "/usr/sbin/Orthanc")
    bench.orthanc.start()
    bench.start_node()
    try:
        yield bench
    finally:
        bench.kill_node()
        bench.orthanc.kill()


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def kill(bench: Bench, files: Path, *, results: Objects, side: str, phase: str, rng: random.Random) -> None:
    """Send a study, kill one side on the way, and wait for its results."""
    images, study = objects(sorted(files.iterdir())), study_of(files)
    with DicomWeb(bench.orthanc.web) as archive:
        archive.store(sorted(files.iterdir()))
    (key,) = bench.orthanc.post("tools/find", {"Level": "Study", "Query": {"StudyInstanceUID": study}})
    send = {"Resources": [key], "Asynchronous": True}
    job = bench.orthanc.post("modalities/hepatica/store", send)["ID"]
    share = rng.random()
    if phase == "receiving":
        until(lambda: bench.arrived(study) > share * len(images), seconds=60)
    elif phase == "predicting":
        until(lambda: bool(bench.cases(study)), seconds=60)
        time.sleep(8 * share)
    else:
        until(lambda: len(bench.in_archive(study)) > len(images) + share * (len(results) - 1), seconds=120)
    if side == "node":
        bench.kill_node()
        bench.start_node()
    else:
        bench.orthanc.kill()
        bench.orthanc.start()
    repeat(bench, job, send)
    wanted = images.keys() | results.keys()
    until(lambda: bench.in_archive(study).keys() >= wanted, seconds=PATIENCE_S)
    time.sleep(2)


def repeat(bench: Bench, job: str, send: dict[str, object]) -> None:
    """Send the study again where the archive did not see that all of it was taken."""
    known = set(bench.orthanc.get("jobs"))
    ended = ("Success", "Failure")
    if job in known:
        until(lambda: bench.orthanc.get(f"jobs/{job}")["State"] in ended, seconds=60)
    if job not in known or bench.orthanc.get(f"jobs/{job}")["State"] != "Success":
        bench.orthanc.post("modalities/hepatica/store", send)


def study_of(files: Path) -> str:
    """The UID of the study in a folder."""
    return of_file(next(files.iterdir()).read_bytes()).study


def faults(bench: Bench, files: Path, *, results: Objects) -> Counter[str]:
    """What was lost, doubled and changed of a study by now."""
    images, study = objects(sorted(files.iterdir())), study_of(files)
    there, expected, cases = bench.in_archive(study), images | results, bench.cases(study)
    counts = Counter(lost=0, doubled=0, changed=0)
    counts["lost"] += len(expected.keys() - there.keys())
    counts["doubled"] += len(there.keys() - expected.keys()) + max(0, len(cases) - 1)
    counts["changed"] += sum(there[uid] != content for uid, content in expected.items() if uid in there)
    taken = objects(sorted(cases[0].iterdir())) if cases else {}
    counts["lost"] += len(images.keys() - taken.keys())
    counts["changed"] += sum(taken[uid] != content for uid, content in images.items() if uid in taken)
    return counts


def main() -> None:
    """Print what became of each kill."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.nice(10)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # both sides end with it
    rng, folder, done = random.Random(given.seed), given.folder.resolve(), dict[Path, Objects]()
    studies = phantoms(folder, given.kills)
    with running(folder) as bench:
        for number, files in enumerate(studies, start=1):
            out = folder / "predicted" / files.name
            predict(folder / "runs" / "hccnet", [files], out=out, pictures=0)
            results = objects(sorted(out.glob("specimen_*_dicom/*.dcm")))
            side, phase = SIDES[number % 2], PHASES[number % 3]
            kill(bench, files, results=results, side=side, phase=phase, rng=rng)
            done[files] = results
            print(f"{number:3d} {side} killed while {phase}: {dict(faults(bench, files, results=results))}", flush=True)
        total = Counter[str]()
        for files, results in done.items():
            total.update(faults(bench, files, results=results))
    handled = sum(len(list(files.iterdir())) + len(results) for files, results in done.items())
    print(f"{given.kills} kills, {handled} objects, counted again at the end: {dict(total)}")
    sys.exit(sum(total.values()) > 0)


if __name__ == "__main__":
    main()
