"""Mutants: whether any file, damaged in any way, is read or refused, in bounded time and memory, without a traceback.

    .venv/bin/python benchmarks/mutants.py FOLDER [--mutants 2000] [--seed 0] [--only NAME,NAME]

Originals are small phantoms made in FOLDER and, where HEPATICA_DATA is set, real files of up to LARGEST bytes. Each
mutant is an original that was cut, overwritten, filled, repeated or given absurd numbers; what is compressed is damaged
inside as often as outside. It is read in a process of its own as a command would read it, with the files beside it: a
slide or study is prepared by a system of its room, a spectrum is preprocessed, a table is loaded. Counted are what was
read, what was refused with an error of ours, what a room's reader had not foreseen (refused by `cohort.preparation` for
it), and the failures: tracebacks, deaths, readings of more than SECONDS and processes of more than MEMORY. Each failing
mutant is kept in FOLDER/failed. The exit code is 1 where there was one.
"""

import argparse
import gzip
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort import HepaticaError, MicronsPerPixel, load_cohort, read_predictions
from hepatica.cohort.phantom import phantom_tables
from hepatica.cohort.predictions import write_predictions
from hepatica.evaluate import read_readers
from hepatica.pathology.phantom import PhantomSettings as SlidePhantom
from hepatica.pathology.phantom import phantom_slides
from hepatica.radiology.phantom import PhantomSettings as CtPhantom
from hepatica.radiology.phantom import phantom_ct
from hepatica.runs.inputs import read_inputs
from hepatica.spectroscopy.basis.basis_file import read_basis, write_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.reading.coord import read_coord
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.systems import find_system

SECONDS, MEMORY, LARGEST = 10, 1.5 * 2**30, 3 * 2**20
MOST = 12
Original = tuple[str, Path, Callable[[Path], object]]
"""Name of the reader, file, and the reader."""

ROOMS = {"slide": "li_2025_cnn_sasm", "ct": "wang_2021_hccnet"}
SUFFIXES = {
    "slide": (".svs", ".tif", ".tiff", ".ndpi", ".png", ".mrxs"),
    "ct": (".dcm", ".nii", ".nii.gz", ".zip"),
}
ABSURD = (b"999999999", b"-1", b"1e308", b"nan", b"0", b"4294967295")
FORESEEN, UNFORESEEN = "refused", "not foreseen by its reader"
_UNFORESEEN = "the file cannot be read ("


def prepared(room: str) -> Callable[[Path], None]:
    """A specimen is read by the room of a system."""
    system = find_system(ROOMS[room])

    def read(path: Path) -> None:
        path = path.parent if path.suffix == ".dcm" else path  # a study is a folder
        with tempfile.TemporaryDirectory() as folder:
            cohort = read_inputs([path], modality=room, mpp=MicronsPerPixel(0.5) if room == "slide" else None)
            system.prepare(cohort, system.shortest_quick, Path(folder))

    return read


def tables(path: Path) -> None:
    """A cohort is loaded with all its tables."""
    cohort = load_cohort(path.parent)
    for name in cohort.tables:
        cohort.table(name)


def spectrum(path: Path) -> None:
    """A spectrum of any acquisition is read and preprocessed; what its file does not say is given."""
    read_spectrum(path, header_overrides=Header(f0_mhz=123.2, te_ms=30, tr_ms=3000, reference_ppm=4.65))


def make_phantoms(folder: Path, only: Collection[str]) -> None:
    """Make them in a process of its own: a process with threads, which drawing leaves, must not be forked."""
    child = os.fork()
    if child == 0:
        if "slide" in only:
            phantom_slides(folder / "slide", patients=1, seed=1, settings=SlidePhantom(side=512))
        if "ct" in only:
            phantom_ct(folder / "ct", patients=1, seed=1, settings=CtPhantom(matrix=64, slices=10, thickness_mm=16))
        phantom_spectra(folder / "spectrum", patients=1, seed=1)
        phantom_tables(folder / "tables", patients=30, seed=1, endpoints="all")
        _further(folder / "further")
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("the phantoms could not be made")


def _further(folder: Path) -> None:
    """A basis in each format, priors, a table of predictions and one of readings."""
    folder.mkdir()
    basis = simulate_basis(Acquisition(points=256), names=("Cho", "Bet"))
    for ending in ("basis", "txt", "nii.gz"):
        write_basis(basis, path=folder / f"small.{ending}")
    shutil.copy(str(files("hepatica.spectroscopy.priors").joinpath("priors.toml")), folder / "priors.toml")
    cases = pd.DataFrame({"patient_id": [f"P{number}" for number in range(40)], "score": np.linspace(0, 1, 40)})
    asked = {"specimen_id": pd.NA, "fold": "test", "endpoint": "hcc", "horizon_months": pd.NA, "group": "low"}
    write_predictions(cases.assign(**asked), path=folder / "predictions.parquet")
    readings = [(case, reader, case % 2, (case + reader) % 3 % 2) for case in range(30) for reader in range(3)]
    pd.DataFrame(readings, columns=["case", "reader", "truth", "call"]).to_csv(folder / "readers.csv", index=False)


FURTHER: Sequence[tuple[str, tuple[str, ...], Callable[[Path], object]]] = (
    ("spectrum", ("spectrum/*/*.nii.gz", "spectroscopy/*/*.*"), spectrum),
    ("coord", ("spectroscopy/*/*.coord", "spectroscopy/*/*.COORD"), read_coord),
    ("basis", ("further/small.*", "spectroscopy/*/*.basis"), read_basis),
    ("priors", ("further/priors.toml",), read_priors),
    ("predictions", ("further/predictions.parquet",), read_predictions),
    ("readers", ("further/readers.csv",), read_readers),
    ("tables", ("tables/*.csv", "tables/*.toml"), tables),
)
"""Where the files of each further reader are, below the folder of phantoms or of real files."""

READERS = (*ROOMS, *(name for name, _, _ in FURTHER))


def originals(folder: Path) -> Iterator[Original]:
    """All files there are for each reader."""
    places = [folder, *([Path(os.environ["HEPATICA_DATA"])] if "HEPATICA_DATA" in os.environ else [])]
    for room, suffixes in SUFFIXES.items():
        reader, own = prepared(room), [folder / room, *places[1:]]
        for path in sorted(each for place in own for each in place.rglob("*")):
            if path.name.lower().endswith(suffixes) and _fits(path):
                yield room, path, reader
    for name, patterns, reader in FURTHER:
        for path in sorted(each for place in places for pattern in patterns for each in place.glob(pattern)):
            if _fits(path):
                yield name, path, reader


def _fits(path: Path) -> bool:
    return path.is_file() and 0 < path.stat().st_size <= LARGEST


def mutant(content: bytes, rng: random.Random) -> bytes:
    """The content, damaged in one to three ways."""
    if content.startswith(b"\x1f\x8b") and rng.random() < 0.5:
        try:
            return gzip.compress(mutant(gzip.decompress(content), rng), compresslevel=1)
        except (OSError, EOFError, zlib.error):
            pass
    for _ in range(rng.choice((1, 1, 2, 3))):
        content = _damaged(content, rng)
    return content


def _damaged(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(min(len(content), rng.choice((512, 4096, 10**9))) or 1)
    size = rng.choice((1, 2, 4, 16, 1024))
    before, after = content[:place], content[place + size :]
    match rng.randrange(6):
        case 0:
            return before
        case 1:
            return before + rng.randbytes(size) + after
        case 2:
            return before + rng.choice((b"\0", b"\xff")) * size + after
        case 3:
            return content[: place + size] + content[place:]
        case 4:
            return before + after
        case _:
            return _absurd(content, rng)


def _absurd(content: bytes, rng: random.Random) -> bytes:
    """A number of the text becomes absurd."""
    digits = [place for place in range(min(len(content), 20_000)) if content[place : place + 1].isdigit()]
    if not digits:
        return content
    place = rng.choice(digits)
    end = place
    while content[end : end + 1].isdigit():
        end += 1
    return content[:place] + rng.choice(ABSURD) + content[end:]


def placed(original: Path, folder: Path, name: str) -> Path:
    """Where the mutant goes: among the other files of a cohort, among the slices of a small study, or alone."""
    beside = [each for each in original.parent.iterdir() if each.is_file()]
    if name in ("tables", "ct", "spectrum") and sum(each.stat().st_size for each in beside) < LARGEST:
        shutil.copytree(original.parent, folder)
    folder.mkdir(exist_ok=True)
    return folder / original.name


def _sound(found: list[Original]) -> list[Original]:
    """The first MOST originals that are read as they are: what is refused at once tests little."""
    kept: list[Original] = []
    for each in found[: 10 * MOST]:
        if len(kept) < MOST and judged(each[1], each[2]) == "read":
            kept.append(each)
    return kept


def judged(path: Path, read: Callable[[Path], object]) -> str:
    """What became of reading a file in a process of its own."""
    begun, child = time.perf_counter(), os.fork()
    if child == 0:
        signal.alarm(3 * SECONDS)
        os._exit(_attempt(path, read))
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if time.perf_counter() - begun > SECONDS:
        return "more than 10 s"
    if used.ru_maxrss * 1024 > MEMORY:
        return "more than 1.5 GB"
    return {0: "read", 2: FORESEEN, 3: UNFORESEEN, 1: "traceback"}.get(code, f"died of {code}")


def _attempt(path: Path, read: Callable[[Path], object]) -> int:
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    try:
        read(path)
    except (HepaticaError, OSError) as error:
        return 3 if _UNFORESEEN in str(error) else 2
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Print what became of the mutants of each reader."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(READERS), help="readers, separated by commas")
    given = parser.parse_args()
    only = set(given.only.split(","))
    make_phantoms(given.folder, only)
    rng, found = random.Random(given.seed), [each for each in originals(given.folder) if each[0] in only]
    counts: Counter[tuple[str, str]] = Counter()
    rng.shuffle(found)
    sound = {name: _sound([each for each in found if each[0] == name]) for name in sorted({each[0] for each in found})}
    by_reader = {name: each for name, each in sound.items() if each}
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    counted = ", ".join(f"{len(each)} {name}" for name, each in by_reader.items())
    print(f"originals: {counted} of {len(found)}; {own / 2**30:.2f} GB before reading", flush=True)
    for number in range(given.mutants):
        name = list(by_reader)[number % len(by_reader)]
        _, original, read = rng.choice(by_reader[name])
        with tempfile.TemporaryDirectory() as folder:
            path = placed(original, Path(folder, "copy"), name)
            path.write_bytes(mutant(original.read_bytes(), rng))
            state = judged(path, read)
            state = judged(path, read) if "more than" in state else state  # a busy machine is no fault of the reader
            counts[name, state] += 1
            if state not in ("read", FORESEEN, UNFORESEEN):
                kept = given.folder / "failed" / f"{number:05d}_{state.replace(' ', '_')}_{path.name}"
                kept.parent.mkdir(exist_ok=True)
                shutil.copy(path, kept)
                print(f"{number}: {name} {original.name}: {state}", flush=True)
    for (name, state), count in sorted(counts.items()):
        print(f"{name:10s} {state:28s} {count}")
    failures = sum(count for (_, state), count in counts.items() if state not in ("read", FORESEEN, UNFORESEEN))
    print(f"{failures} failures of {given.mutants} mutants")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
