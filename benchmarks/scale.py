"""Scale: time and memory a patient of cohorts of 2,500 to 20,000 patients, three stub specimens each.

    OMP_NUM_THREADS=1 python benchmarks/scale.py FOLDER [--sizes 2500,5000,10000,20000] [--stages load,jobs,…]

A stub is a file of features of four tiles, eight numbers each, as HDF5, read by saillard_2020, which is trained on 60
others. Each stage is a process of its own, whose peak memory is printed: `load` (load_cohort), `validate` (each file
digested, read, checked and noted in the ledger; inference; metrics with intervals), `report` (the page of that
validation), `jobs` (three jobs a patient added to the ledger, 1,000 claimed and finished). Slopes are of log CPU
seconds, which other work on the machine hardly changes, and of log peak memory beyond that of an idle process, over log
patients; 1 is a constant cost a patient. FOLDER is made, and used again.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import h5py
import numpy as np
import pandas as pd

SPECIMENS = 3
HEAD = """name = "{name}"
hospital = "{name}"
specimen_root = "files"
phantom = true
[endpoints.overall_survival]
time = "months"
event = "died"
"""
DONE = 1000
"""Jobs that are claimed and finished: what one costs must not grow with the table."""

STAGES = ("load", "validate", "report", "jobs")


def stubs(folder: Path, *, count: int) -> None:
    """Write files of features, no two alike, a thousand a folder."""
    for number in range(count):
        path = folder / f"{number // 1000}" / f"{number}.h5"
        if not path.exists():
            chance = np.random.default_rng(number)  # its own: an interrupted call goes on with other files
            path.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(path, "w") as file:
                file["features"] = chance.normal(size=(4, 8)).astype(np.float32)
                file["coords"] = np.array([[0, 0], [256, 0], [0, 256], [256, 256]])


def cohort(folder: Path, *, patients: int, first: int, files: Path) -> Path:
    """A cohort whose specimens are the files from `first` on."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.arange(first, first + SPECIMENS * patients)
    names = [f"P{number // SPECIMENS:06}" for number in numbers]
    table = pd.DataFrame({"patient_id": names, "specimen_id": [f"S{number:06}" for number in numbers]})
    paths = [f"{number // 1000}/{number}.h5" for number in numbers]
    table.assign(modality="slide", path=paths).to_csv(folder / "specimens.csv", index=False)
    chance = np.random.default_rng(first)
    months, died = chance.exponential(40, patients).round(1) + 0.1, chance.random(patients) < 0.5
    who = table["patient_id"].drop_duplicates().reset_index(drop=True)
    pd.DataFrame({"patient_id": who, "months": months, "died": died.astype(int)}).to_csv(
        folder / "patients.csv", index=False
    )
    (folder / "cohort.toml").write_text(HEAD.format(name=folder.name))
    if not (folder / "files").exists():
        (folder / "files").symlink_to(files)
    return folder


def train_on(folder: Path, source: Path) -> None:
    """A small run."""
    from hepatica.protocol import override
    from hepatica.runs import train
    from hepatica.systems import find_system

    system = find_system("saillard_2020")
    train(system, source, run=folder, settings=override(system.shortest_quick, {"extreme": 2}))


def load(folder: Path, size: int) -> None:
    """Read and check the cohort."""
    from hepatica.cohort import load_cohort

    assert len(load_cohort(folder / str(size)).specimens) == SPECIMENS * size


def validate(folder: Path, size: int) -> None:
    """Predict and evaluate it."""
    from hepatica.runs import validate as validate_run

    validate_run(folder / "run", folder / str(size), out=folder / f"results_{size}")


def report(folder: Path, size: int) -> None:
    """Write the page."""
    from hepatica.report import write_report

    write_report(folder / "run", external=[folder / f"results_{size}"])


def jobs(folder: Path, size: int) -> None:
    """Add three jobs a patient, then claim and finish `DONE` of them."""
    from hepatica.runs.jobs import Jobs

    table = Jobs(folder / f"jobs_{size}.sqlite")
    table.add_all([("nothing", {"row": row}) for row in range(SPECIMENS * size)])
    for _ in range(DONE):
        job = table.claim("w")
        assert job is not None
        assert table.finish(job)


def alone(stage: Callable[[Path, int], None], folder: Path, size: int) -> None:
    """In a process of its own: the stage, with seconds and peak memory in MB before and at the end."""
    import hepatica.report
    import hepatica.runs  # noqa: F401 - all that a stage imports, so that it counts as idle

    Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    idle, begun, used = peak(), time.perf_counter(), time.process_time()
    stage(folder, size)
    cpu, seconds = time.process_time() - used, time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "cpu": cpu, "idle": idle, "peak": peak()}))


def peak() -> float:
    """Most memory that this process has had, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def slope(sizes: list[int], values: list[float]) -> float:
    """Of log values over log sizes, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(values, 1e-3)), 1)[0])


def main() -> None:
    """Print a row a stage and size, and the slopes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", default="2500,5000,10000,20000")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.alone:
        alone(globals()[given.alone[0]], folder, int(given.alone[1]))
        return
    sizes = [int(each) for each in given.sizes.split(",")]
    files = folder / "files"
    stubs(files, count=SPECIMENS * (max(sizes) + 60))
    if not (folder / "run" / "model.json").exists():
        train_on(folder / "run", cohort(folder / "few", patients=60, first=SPECIMENS * max(sizes), files=files))
    for size in sizes:
        cohort(folder / str(size), patients=size, first=0, files=files)
    print("stage     patients   seconds  CPU seconds  CPU ms/patient  MB beyond idle  kB/patient")
    for stage in given.stages.split(","):
        found = []
        for size in sizes:
            if stage == "validate":
                rmtree(folder / f"results_{size}", ignore_errors=True)
            elif stage == "jobs":
                (folder / f"jobs_{size}.sqlite").unlink(missing_ok=True)
            words = [sys.executable, __file__, str(folder), "--alone", stage, str(size)]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            own = json.loads(done.stdout.splitlines()[-1])
            found.append(own)
            more = own["peak"] - own["idle"]
            print(
                f"{stage:9} {size:8} {own['seconds']:9.1f} {own['cpu']:12.1f} {1000 * own['cpu'] / size:15.2f}"
                f" {more:15.0f} {1000 * more / size:11.1f}",
                flush=True,
            )
        used, more = [each["cpu"] for each in found], [each["peak"] - each["idle"] for each in found]
        print(
            f"{stage:9} slope of CPU seconds {slope(sizes, used):.2f}, of memory {slope(sizes, more):.2f}", flush=True
        )


if __name__ == "__main__":
    main()
