"""Stopping: a signal ends a command with its own exit code and a sentence, and the same command resumes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hepatica.cohort.phantom import phantom_tables
from hepatica.protocol import override
from hepatica.runs import train
from hepatica.systems import find_system

OUTSIDE = Path(__file__).parents[1] / "systems" / "outside"
MAIN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from hepatica.cli import main; main()"
"""Ctrl-C counts, although the suite may run in the background, where it is ignored."""

WAIT = """
import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)
from hepatica.cli import app, main
@app.command()
def wait():
    print('ready', flush=True)
    {}
main()
"""
PLACES = {
    "asleep": "time.sleep(60)",
    "writing_to_the_ledger": "from hepatica.cohort import Ledger; from pathlib import Path\n"
    "    with Ledger(Path('ledger')).entry('a', row=2): time.sleep(60)",
    "where_an_exception_is_lost": "type('A', (), {'__del__': lambda self: time.sleep(60)})(); time.sleep(60)",
    "while_a_thread_works": "from concurrent.futures import ThreadPoolExecutor\n"
    "    with ThreadPoolExecutor() as pool: pool.submit(time.sleep, 60)",
}
SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 130}
SAID = "stopped; the same command resumes\n"


def started(script: str, *words: object, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(OUTSIDE), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", script, *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, cwd=folder, env=environment, **pipes)


@pytest.mark.parametrize(
    ("place", "number"), [*((place, signal.SIGTERM) for place in PLACES), ("asleep", signal.SIGINT)]
)
def test_a_signal_ends_a_command_wherever_it_is(number: signal.Signals, place: str, tmp_path: Path) -> None:
    process = started(WAIT.format(PLACES[place]), "wait", folder=tmp_path)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == SIGNALS[number]
    assert said.endswith(SAID)
    assert said == SAID or "lost" in place


def test_a_fit_that_was_stopped_says_so_and_ends_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(OUTSIDE))
    cohort, folder = phantom_tables(tmp_path / "cohort", patients=60, seed=1), tmp_path / "stopped"
    system = find_system("outside_systems.table_survival:SYSTEM")
    train(system, cohort, run=tmp_path / "whole", settings=override(system.settings, {"epochs": 40}))
    words = ("train", "outside_systems.table_survival:SYSTEM", cohort, "--set", "epochs=40", "--run", folder)
    for number in (*SIGNALS, None):
        process = started(MAIN, *words, folder=tmp_path)
        before = {path.stat().st_mtime_ns for path in folder.glob("work/**/unfinished.safetensors")} | {0}
        while number and process.poll() is None:
            if {path.stat().st_mtime_ns for path in folder.glob("work/**/unfinished.safetensors")} - before:
                process.send_signal(number)
                break
            time.sleep(0.01)
        _, said = process.communicate(timeout=120)
        assert process.returncode == SIGNALS.get(number, 0), said
        assert said.endswith(SAID) == bool(number)
        assert (folder / "model.json").exists() != bool(number)
    for file in ("model.safetensors", "cutoffs.json", "predictions.parquet", "metrics.json"):
        assert (folder / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
