"""Kills: whether commands that are stopped at random moments end, when repeated, as if nothing had happened.

    .venv/bin/python benchmarks/kills.py FOLDER [--kills 30] [--seed 0] [--commands train,validate,predict,quantify]

On small phantoms in FOLDER, each command is run once to its end. Then, `--kills` times, one of them is started anew,
sent SIGKILL, SIGTERM or SIGINT at a random moment, once or twice, and repeated until it ends. Its exit code must be
that of the signal, its last line on stderr the sentence of `cli.end`, and every file at the end must be, byte for
byte, that of the command that was left alone, but for times (log.jsonl, the ledger, headers of
NIfTI-MRS). Printed is one line a kill; the exit code is 1 where one of them failed.
"""

import argparse
import gzip
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from hepatica.pathology.phantom import PhantomSettings
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.systems import find_system

MAIN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from hepatica.cli import main; main()"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SENTENCE = "stopped; the same command resumes"
OF_TIME = ("log.jsonl", "ledger")
"""Files and folders that tell when something happened."""


def phantoms(folder: Path) -> None:
    """Two hospitals with slides, one with spectra."""
    system, small = find_system("li_2025_cnn_sasm"), PhantomSettings(side=512)
    for number, name in enumerate("ab", start=1):
        system.phantom(
            folder / name, patients=12 + 6 * (name == "a"), seed=number, hospital=name.upper(), settings=small
        )
    phantom_spectra(folder / "spectra", patients=3, seed=3)


def command(name: str, folder: Path, out: Path) -> list[str]:
    """The words of a command whose results go into `out`."""
    run, quick = folder / "whole" / "train", ["--quick"]
    spectra = sorted((folder / "spectra").rglob("*.nii.gz"))[:4]
    shortest = [f"--set={each}" for each in ("epochs=2", "warm_epochs=1", "tiles_per_specimen=2")]
    words: dict[str, list[object]] = {
        "train": [
            "train",
            "li_2025_cnn_sasm",
            folder / "a",
            "--run",
            out,
            *quick,
            *shortest,
        ],
        "validate": ["validate", run, folder / "b", "--out", out],
        "predict": ["predict", run, folder / "b", "--out", out, "--pictures", 2],
        "quantify": ["quantify", *spectra, "--out", out],
    }
    return list(map(str, words[name]))


def start(words: Sequence[str]) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    script = [sys.executable, "-c", MAIN, *words]
    return subprocess.Popen(script, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def stopped(words: Sequence[str], number: signal.Signals, *, after: float) -> str:
    """What was wrong with how a command ended that was sent a signal; nothing where all was right."""
    process = start(words)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    _, said = process.communicate(timeout=60)
    if process.returncode == 0:
        return ""  # it had ended before
    if process.returncode == -number:  # SIGKILL, or before the command line was there
        return ""
    if process.returncode != 128 + number:
        return f"exit code {process.returncode}, wanted {128 + number}: {said.strip().splitlines()[-1:]}"
    return "" if said.strip().endswith(SENTENCE) else f"said {said.strip()[-200:]!r}, wanted {SENTENCE!r}"


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of every file but those of time, by its place."""
    found = (path for path in folder.rglob("*") if path.is_file())
    places = {path.relative_to(folder): path for path in found}
    return {str(place): timeless(path) for place, path in places.items() if not {*place.parts} & {*OF_TIME}}


def timeless(path: Path) -> bytes:
    """The bytes of a file, without the time that NIfTI-MRS has in its header."""
    content = path.read_bytes()
    return re.sub(rb'"Time": "[^"]*"', b"", gzip.decompress(content)) if path.suffix == ".gz" else content


def difference(first: Path, second: Path) -> str:
    """The files that are not the same; hidden ones are left by a SIGKILL in the middle of writing."""
    one, other = files(first), files(second)
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    names = [name for name in names if not Path(name).name.startswith(".")]
    return f"{len(names)} files differ: {', '.join(names[:5])}" if names else ""


def whole(name: str, folder: Path) -> float:
    """Run a command to its end in folder/whole; the seconds it took."""
    begun = time.perf_counter()
    process = start(command(name, folder, folder / "whole" / name))
    _, said = process.communicate()
    if process.returncode:
        sys.exit(f"{name} failed by itself: {said}")
    return time.perf_counter() - begun


def kill(name: str, folder: Path, *, seconds: float, rng: random.Random) -> tuple[str, str]:
    """Kill a command once or twice, let it end, compare; what was done and what was wrong."""
    out, done = folder / "killed" / name, []
    shutil.rmtree(out, ignore_errors=True)
    for _ in range(rng.choice((1, 1, 2))):
        number, after = rng.choice(SIGNALS), rng.uniform(0, seconds)
        done.append(f"{number.name} after {after:.1f} s")
        if fault := stopped(command(name, folder, out), number, after=after):
            return ", ".join(done), fault
    process = start(command(name, folder, out))
    _, said = process.communicate()
    fault = f"did not go on: {said.strip()}" if process.returncode else difference(folder / "whole" / name, out)
    return ", ".join(done), fault


def main() -> None:
    """Print what became of each kill."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", default="train,validate,predict,quantify")
    given = parser.parse_args()
    names, rng, folder = given.commands.split(","), random.Random(given.seed), given.folder.resolve()
    phantoms(folder)
    seconds = {name: whole(name, folder) for name in dict.fromkeys(("train", *names))}
    print("whole commands:", ", ".join(f"{name} {taken:.1f} s" for name, taken in seconds.items()), flush=True)
    faults = 0
    for place in range(given.kills):
        name = names[place % len(names)]
        done, fault = kill(name, folder, seconds=seconds[name], rng=rng)
        faults += bool(fault)
        print(f"{place + 1:3d} {name}: {done}: {fault or 'as if nothing had happened'}", flush=True)
    print(f"{given.kills - faults} of {given.kills} ended byte-identical with the right exit codes")
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
