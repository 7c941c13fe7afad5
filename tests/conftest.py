"""Fixtures for every room: tiny cohorts to load, to break or to train on, and a run trained on one."""

import gc
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from _pytest.nodeid import coerce_node_id
from file_server import FileServer, serving
from services import program, setting

HEAD = """\
name = "tiny"
hospital = "Tiny General"

[endpoints.recurrence]
time = "recurrence_months"
event = "recurrence_event"

[endpoints.overall_survival]
time = "overall_survival_months"
event = "overall_survival_event"
"""

PATIENTS = """\
patient_id,recurrence_months,recurrence_event,overall_survival_months,overall_survival_event,afp_ng_ml,treatment
P1,6,1,14,1,400,none
P2,30,0,30,0,5.5,none
P3,11,1,40,0,,sorafenib
P4,50,0,50,1,12,none
P5,24,1,26,1,80,none
P6,9,0,9,0,3,none
"""

SPECIMENS = """\
patient_id,specimen_id,modality,path,mpp
P1,S1,slide,slides/1.svs,0.25
P1,S2,slide,slides/2.svs,
P2,S3,slide,slides/3.svs,
P3,S4,slide,slides/4.svs,
P4,S5,slide,slides/5.svs,
P5,S6,slide,slides/6.svs,
P6,S7,slide,slides/7.svs,
"""


@pytest.fixture(scope="session")
def dciodvfy() -> str:
    """Path of the validator of DICOM objects."""
    return program("dciodvfy")


@pytest.fixture
def postgresql() -> Iterator[str]:
    """URL of a PostgreSQL database, with a schema of its own that is dropped after the test."""
    url, schema = setting("HEPATICA_POSTGRES"), f"test_{uuid4().hex}"
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{url}?options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    """A store of files, by http on the loopback."""
    with serving() as found:
        yield found


@pytest.fixture
def memory_store(tmp_path, monkeypatch) -> dict[str, Any]:
    """A store in memory that takes results as memory://…, empty at first: what it has, by key."""
    from fsspec.implementations.memory import MemoryFileSystem

    from hepatica.cohort.remote import mirror, transfer

    monkeypatch.setattr(transfer, "SCHEMES", (*transfer.SCHEMES, "memory"))
    monkeypatch.setattr(mirror, "WRITTEN", (*mirror.WRITTEN, "memory"))
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "mirrors"))
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    return MemoryFileSystem.store


@pytest.fixture(scope="session")
def write_cohort() -> Callable[..., Path]:
    """`write_cohort(folder, head=…, patients=…, specimens=…)` writes a cohort folder and returns it.

    Each table is the text of its file (str, or bytes where the encoding matters); what is left out is a valid default
    of six patients, two of them censored before 36 months, with two endpoints and seven empty slide files.
    """

    def write(
        folder: Path, *, head: str | bytes = HEAD, patients: str | bytes = PATIENTS, specimens: str | bytes = SPECIMENS
    ) -> Path:
        (folder / "slides").mkdir(parents=True, exist_ok=True)
        for number in range(1, 8):
            (folder / "slides" / f"{number}.svs").touch()
        for name, text in (("cohort.toml", head), ("patients.csv", patients), ("specimens.csv", specimens)):
            (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return folder

    return write


@dataclass(frozen=True)
class Trained:
    """Two phantom hospitals of a few patients, and a run of a system trained for two epochs on the first."""

    cohort: Path
    other: Path
    run: Path
    system: Any
    settings: Any


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """CNN-SASM on slides, trained once for all tests that need a locked run; copy what you mean to break."""
    from hepatica.pathology.phantom import PhantomSettings
    from hepatica.runs import train
    from hepatica.systems import find_system

    folder = tmp_path_factory.mktemp("trained")
    small = PhantomSettings(side=512)
    system = find_system("li_2025_cnn_sasm")
    settings = system.shortest_quick
    cohort = system.phantom(folder / "a", patients=18, seed=1, hospital="A", settings=small)
    other = system.phantom(folder / "b", patients=8, seed=2, hospital="B", settings=small)
    train(system, cohort, run=folder / "run", settings=settings)
    return Trained(cohort=cohort, other=other, run=folder / "run", system=system, settings=settings)


@pytest.fixture(scope="session")
def trained_ct(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two phantom hospitals with CT of a few patients, and a run of HCCNet trained for two epochs on the first."""
    from hepatica.radiology.phantom import PhantomSettings
    from hepatica.runs import train
    from hepatica.systems import find_system

    folder = tmp_path_factory.mktemp("trained_ct")
    small = PhantomSettings(matrix=96, slices=14, thickness_mm=12, expert_share=0.6)
    system = find_system("wang_2021_hccnet")
    settings = system.shortest_quick
    cohort = system.phantom(folder / "a", patients=20, seed=1, hospital="A", settings=small)
    other = system.phantom(folder / "b", patients=8, seed=2, hospital="B", settings=small)
    train(system, cohort, run=folder / "run", settings=settings)
    return Trained(cohort=cohort, other=other, run=folder / "run", system=system, settings=settings)


@dataclass(frozen=True)
class Studied:
    """The cohorts, the folder of the study, its settings, and how to do it again."""

    cohort: Path
    other: Path
    folder: Path
    settings: Any
    again: Callable[[], Path]


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """Done once for all tests; copy what you mean to break."""
    from hepatica.pathology.phantom import PhantomSettings, phantom_slides
    from hepatica.protocol import override
    from hepatica.studies import run_study
    from hepatica.studies.li_2025_cnn_sasm.settings import QUICK

    folder = tmp_path_factory.mktemp("studied")
    small = PhantomSettings(side=512)
    cohort = phantom_slides(folder / "a", patients=34, seed=3, hospital="A", settings=small)
    other = phantom_slides(folder / "b", patients=12, seed=4, hospital="B", settings=small)
    tiny = {"folds": 2, "ratios": ["1/2", "1"], "candidates": ["DenseNet121", "CNN-SASM"], "tiles_per_specimen": 2}
    settings = override(QUICK, tiny | {"epochs": 1, "warm_epochs": 1, "head_epochs": 1})

    def again() -> Path:
        return run_study("li_2025_cnn_sasm", cohort, run=folder / "study", external=[other], settings=settings)

    return Studied(cohort=cohort, other=other, folder=again(), settings=settings, again=again)


@pytest.fixture(scope="session")
def studied_spectra(tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """A study of Bae 2025 on two phantom hospitals, done once for all tests; copy what you mean to break."""
    from hepatica.protocol import override
    from hepatica.spectroscopy.phantom import phantom_spectra
    from hepatica.studies import run_study
    from hepatica.studies.bae_2025_qcnn import simulated_test
    from hepatica.studies.bae_2025_qcnn.settings import QUICK

    folder = tmp_path_factory.mktemp("studied_spectra")
    cohort = phantom_spectra(folder / "a", patients=20, seed=5, difficulty=0.0)
    other = phantom_spectra(folder / "b", patients=10, seed=6, hospital="B", difficulty=0.0)
    small = {"width": 4, "hidden": 32, "signature": 16, "batch": 64, "test": 0.5, "spectra": 60, "swept": 8}
    few = {"members": 1, "per_epoch": 512, "held_out": 256, "epochs": 2}
    settings = override(QUICK, small | few | {f"qcnn_{name}": value for name, value in few.items()})

    def again() -> Path:
        return run_study("bae_2025_qcnn", cohort, run=folder / "study", external=[other], settings=settings)

    with pytest.MonkeyPatch.context() as patch:  # every level is that of tests/studies/bae_2025_qcnn/test_robustness.py
        for name, levels in {"SNRS": (5.0, 80.0), "GAUSS_HZ": (6.0, 32.0), "TE_MS_OFF": (5.0,)}.items():
            patch.setattr(simulated_test, name, levels)
        patch.setattr(simulated_test, "BASELINES", ("none", "walk"))
        return Studied(cohort=cohort, other=other, folder=again(), settings=settings, again=again)


@dataclass(frozen=True)
class TrainedSpectra:
    """A phantom cohort with a plain effect, and the run of a system trained on it."""

    cohort: Path
    run: Path
    system: Any


@pytest.fixture(scope="session")
def trained_spectra(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainedSpectra]:
    """By the name of the system; copy what you mean to break."""
    from hepatica.protocol import override
    from hepatica.runs import train
    from hepatica.spectroscopy.phantom import phantom_spectra
    from hepatica.systems import find_system

    folder = tmp_path_factory.mktemp("spectra")
    cohort = phantom_spectra(folder / "cohort", patients=37, seed=6, difficulty=0.0)
    longer = {"per_epoch": 2048, "epochs": 4, "batch": 64, "hidden": 64, "held_out": 512}
    found = {}
    for name in ("bae_2025_ccnn", "bae_2025_qcnn"):
        system = find_system(name)
        settings = override(system.shortest_quick, longer)
        train(system, cohort, run=folder / name, settings=settings, trainer={"accelerator": "cpu"})
        found[name] = TrainedSpectra(cohort=cohort, run=folder / name, system=system)
    return found


@pytest.fixture
def real_spectra() -> Path:
    """The folder of real files of spectra; skips where there is none."""
    if "HEPATICA_DATA" not in os.environ:
        pytest.skip("HEPATICA_DATA is not set: no real files here")
    return Path(os.environ["HEPATICA_DATA"], "spectroscopy")


@pytest.fixture(scope="session")
def published() -> Callable[[Path], dict[str, tuple[float, float, float]]]:
    """`published(path)` reads the table LCModel printed: concentration, its SD in percent, ratio to Cr+PCr by name."""

    def read(path: Path) -> dict[str, tuple[float, float, float]]:
        row = r"\{\(\s*([\d.E+-]+)\s+(\d+)%\s+([\d.E+-]+)\s*(\S+)\)s\}lst"
        rows = re.findall(row, path.read_text(encoding="latin-1"))
        return {name: (float(value), float(percent), float(ratio)) for value, percent, ratio, name in rows}

    return read


HEAVY = (
    "runs", "trained", "trained_ct", "studied_spectra", "studied", "finished", "trained_spectra", "trained_qcnn",
)  # fmt: skip
"""Session fixtures that take long, the longest first: tests that share one run in one process, others by their file."""

SLOW = (
    "systems/test_outside.py", "spectroscopy/networks", "spectroscopy/fitting", "learn/test_onnx_export.py",
    "report/test_report.py",
)  # fmt: skip
"""Other files that take long, the longest first."""


def group_of(item: pytest.Item) -> str:
    """Name of the tests that stay in one process with this one."""
    marked = item.get_closest_marker("xdist_group")
    used = set(getattr(item, "fixturenames", ()))
    heavy = [name for name in HEAVY if name in used]
    return str(marked.args[0]) if marked else heavy[0] if heavy else str(item.path.relative_to(Path(__file__).parent))


def place(group: str) -> int:
    """Long groups first, so that all processes end together."""
    slow = [number for number, each in enumerate(SLOW) if each in group]
    return HEAVY.index(group) if group in HEAVY else len(HEAVY) + (slow[0] if slow else len(SLOW))


def pytest_configure(config: pytest.Config) -> None:
    """Leave the order of groups to `place`, for pytest-xdist would begin with the groups of the most tests.

    No test ends in a power cut: files are not waited for until they are on the disk.
    """
    config.option.loadscopereorder = False
    os.fsync = lambda descriptor: None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests stay together when the suite runs in several processes (pytest-xdist, loadgroup).

    pytest-xdist 3.8 writes the group into `_nodeid`, which pytest 9.2 no longer reads: it is written here, as `@group`.
    """
    items.sort(key=lambda item: place(group_of(item)))
    for item in items:
        if getattr(config.option, "loadgroup", False) and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = coerce_node_id(f"{item.nodeid}@{group_of(item)}")


def pytest_collection_finish() -> None:
    """Take all that was imported out of the sight of the garbage collector, which would go through it each time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """With --durations, say also how long each process and the longest groups took."""
    if not config.option.durations:
        return
    seconds: Counter[str] = Counter()
    for report in chain.from_iterable(terminalreporter.stats.values()):
        group, worker = getattr(report, "nodeid", "").rpartition("@")[2], getattr(report, "worker_id", "")
        if worker:
            seconds.update({f"process {worker}": report.duration, f"group {Path(group).name}": report.duration})
    for name, total in seconds.most_common(20):
        terminalreporter.write_line(f"{total:8.1f} s {name}")
