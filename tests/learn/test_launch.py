"""Launch: two processes learn what one learns, and a kill of one of them changes nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import is_running
from safetensors.torch import load_file
from torch import nn

from hepatica.cohort.atomic import read_json
from hepatica.cohort.errors import SettingsError, UnavailableError
from hepatica.learn import Arrays, Plan, Samples, watch
from hepatica.learn.fit import FINISHED, HISTORY, fit
from hepatica.learn.launch import Meeting, launch, of_ranks


class Counted(Arrays):
    """Inputs that kill the second process, once, at its seventh read; each process says how many reads it did."""

    def read(self, indices: np.ndarray) -> np.ndarray:
        reads.append(len(indices))
        MARK.with_name(f"reads_{os.environ.get('RANK')}_{MARK.exists()}").write_text(str(len(reads)))
        if os.environ.get("RANK") == "1" and len(reads) == 7 and not MARK.exists():
            MARK.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(indices)


reads: list[int] = []
MARK = Path(os.environ.get("MARK", "mark"))


def learn(folder: Path, *, dropout: float, kind: type[Arrays] = Arrays) -> None:
    """Dark tiles are 1, light ones 0."""
    labels = np.arange(32) % 2
    values = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 3), dtype=np.uint8)
    values[labels == 1] //= 3
    torch.manual_seed(0)
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(8, 2)]
    plan = Plan(epochs=4, batch=8, learning_rate=0.01)
    samples = Samples(inputs=kind(values=values), labels=labels)
    fit(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), *head), samples, plan, folder=folder, label="tiles")


def learn_all(folder: Path) -> None:
    """What each of the two processes does."""
    torch.set_num_threads(1)
    learn(folder / "plain", dropout=0)
    learn(folder / "whole", dropout=0.3)
    watch.EVERY, watch.RARELY = 0.0, 0
    learn(folder / "killed", dropout=0.3, kind=Counted)


@pytest.fixture(scope="module")
def importable() -> Iterator[None]:
    """Processes can import this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)]))
        yield


@pytest.fixture(scope="module")
def by_two(importable: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by_two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARK", str(folder / "mark"))
        launch(f"import pathlib, test_launch; test_launch.learn_all(pathlib.Path({str(folder)!r}))", processes=2)
    return folder


def test_a_killed_process_changes_no_bit_of_what_two_learn(by_two: Path) -> None:
    assert (by_two / "mark").exists()
    whole, killed = (load_file(by_two / name / FINISHED) for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def test_both_go_on_at_the_step_that_was_not_done(by_two: Path) -> None:
    """The last of 16 steps is the tenth after the kill in the seventh."""
    assert {rank: (by_two / f"reads_{rank}_True").read_text() for rank in (0, 1)} == {0: "10", 1: "10"}


def test_two_processes_learn_what_one_learns(by_two: Path, tmp_path: Path) -> None:
    """Sums are rounded in another order; what four epochs make of it stays below the bound."""
    learn(tmp_path, dropout=0)
    one, two = load_file(tmp_path / FINISHED), load_file(by_two / "plain" / FINISHED)
    assert max(float((one[name] - two[name]).abs().max() / one[name].abs().max()) for name in one) < 1e-5
    alone, both = (read_json(folder / HISTORY)["epochs"] for folder in (tmp_path, by_two / "plain"))
    assert [each["train_loss"] for each in both] == pytest.approx([each["train_loss"] for each in alone], rel=1e-5)


class Elsewhere(Meeting):
    """Another machine than the first."""

    is_here = False


def test_two_machines_learn_what_two_processes_of_one_do(importable: None, by_two: Path, tmp_path: Path) -> None:
    code = f"import pathlib, test_launch; test_launch.learn(pathlib.Path({str(tmp_path)!r}), dropout=0.3)"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(launch, code, processes=1, meeting=Meeting(machines=2, at=at))
        assert not Elsewhere(machines=2, at=at).wait(over=lambda: False)
        launch(code, processes=1, meeting=Elsewhere(machines=2, at=at))
        first.result()
    met, whole = load_file(tmp_path / FINISHED), load_file(by_two / "whole" / FINISHED)
    assert all(torch.equal(whole[name], met[name]) for name in whole)


def test_a_machine_knows_whether_it_is_the_first_and_how_it_is_reached() -> None:
    here = Meeting(machines=2, at="127.0.0.1:29500")
    assert (here.is_here, here.reached_from(), here.interface()) == (True, "127.0.0.1", "lo")
    assert not Meeting(machines=2, at="192.0.2.1:29500").is_here  # of documentation (RFC 5737)
    assert Meeting(machines=2, at="192.0.2.1:29500").wait(over=lambda: True)
    with pytest.raises(SettingsError, match="localhost leads to this machine alone; give its address"):
        _ = Meeting(machines=2, at="localhost:29500").is_here
    with pytest.raises(SettingsError, match=r"knows no nowhere\.invalid .*give its address"):
        _ = Meeting(machines=2, at="nowhere.invalid:29500").is_here


@pytest.mark.parametrize(
    ("machines", "at"), [(1, "a:1"), (2, ""), (2, "a"), (2, ":1"), (2, "a:b"), (2, "a:0"), (2, "a:65536")]
)
def test_a_meeting_needs_two_machines_and_a_place(machines: int, at: str) -> None:
    with pytest.raises(SettingsError, match="wanted 2 or more, and HOST:PORT"):
        Meeting(machines=machines, at=at)


def test_an_error_of_a_process_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hepatica.learn.launch.RESTARTS", 0)
    with pytest.raises(UnavailableError, match="2 processes ended with code 1"):
        launch("raise SystemExit(3)", processes=2)


def test_a_command_that_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    own = f"(pathlib.Path({str(tmp_path)!r}) / f'{{os.getpid()}}_{{os.getppid()}}')"
    wait = f"import os, pathlib, time; {own}.touch(); time.sleep(60)"
    running = subprocess.Popen(
        [sys.executable, "-c", f"from hepatica.learn.launch import launch; launch({wait!r}, processes=2)"]
    )
    until = time.monotonic() + 60
    while len(found := list(tmp_path.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    running.kill()
    running.wait()
    begun = {int(number) for each in found for number in each.name.split("_")}
    while (left := set(filter(is_running, begun))) and time.monotonic() < until:
        time.sleep(0.1)
    for each in left:
        os.kill(each, signal.SIGKILL)
    assert len(begun) == 3  # torchrun and two ranks
    assert not left


def test_flags_are_those_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_ranks() == {}
    for name, value in (("TORCHELASTIC_RUN_ID", "1"), ("WORLD_SIZE", "8"), ("LOCAL_WORLD_SIZE", "4")):
        monkeypatch.setenv(name, value)
    assert dict(of_ranks()) == {"devices": 4, "num_nodes": 2, "strategy": "ddp_find_unused_parameters_true"}
