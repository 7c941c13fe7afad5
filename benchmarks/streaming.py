"""Streaming: peak memory over slides of growing side, cohorts of growing number, and tables of growing length.

    OMP_NUM_THREADS=1 python benchmarks/streaming.py FOLDER [--stages sides,numbers,index,table]

`sides`: `hepatica features` of one slide, a phantom repeated to a square of so many pixels as a pyramid of JPEG tiles.
`numbers`: the same of so many slides of 2,048 pixels, all different files. `index`: the store that training reads, of
so many feature files of 10,000 tiles. `table`: predictions.csv and specimens.csv of so many specimens, put together
from folders of 16 of them, as `hepatica predict` does. Each is a process of its own, whose peak memory beyond that at
the start is printed, with seconds, and the slope of log memory over log size. FOLDER is made, and used again.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import numpy as np
import pandas as pd
from scale import peak, slope

SIZES = {
    "sides": (2048, 8192, 16384, 32768),
    "numbers": (8, 32, 128),
    "index": (10, 40, 160),
    "table": (15_000, 60_000, 240_000, 960_000),
}
SMALL = {"encoder": "resnet18.tv_in1k", "encoder_shape": {"channels": [4, 8, 8, 16]}, "weights": "random"}
TILES, WIDTH, AT_ONCE = 10_000, 8, 16


def phantom(folder: Path) -> Path:
    """One phantom slide of 2,048 pixels."""
    from hepatica.cohort.units import SlidePixels
    from hepatica.pathology.phantom import PhantomSettings, phantom_slides

    if not (folder / "source" / "cohort.toml").exists():
        settings = PhantomSettings(side=SlidePixels(2048), images=1)
        phantom_slides(folder / "source", patients=2, seed=1, hospital="A", settings=settings)
    return sorted((folder / "source").rglob("*.tif*"))[0]


def cohort(folder: Path, *, names: list[str], kind: str = "slide") -> Path:
    """A cohort of these files, a patient each."""
    table = pd.DataFrame({"patient_id": [f"P{k}" for k in range(len(names))], "path": names})
    table.assign(specimen_id=table["patient_id"], modality=kind).to_csv(folder / "specimens.csv", index=False)
    table[["patient_id"]].assign(months=1, died=1).to_csv(folder / "patients.csv", index=False)
    ends = '[endpoints.overall_survival]\ntime = "months"\nevent = "died"\n'
    (folder / "cohort.toml").write_text(f'name = "a"\nhospital = "a"\nphantom = true\n{ends}')
    return folder


def make_sides(folder: Path, size: int) -> None:
    """A slide of that side."""
    import pyvips

    image = pyvips.Image.new_from_file(str(phantom(folder.parent)))[:3]
    pyramid = {"tile": True, "pyramid": True, "tile_width": 512, "tile_height": 512, "bigtiff": True}
    image.replicate(size // 2048, size // 2048).tiffsave(
        str(folder / "slide.tif"), compression="jpeg", Q=80, **pyramid, xres=2000, yres=2000, resunit="cm"
    )
    cohort(folder, names=["slide.tif"])


def make_numbers(folder: Path, size: int) -> None:
    """So many slides, which differ in a byte behind the image."""
    content = phantom(folder.parent).read_bytes()
    for number in range(size):
        (folder / f"{number}.tif").write_bytes(content + number.to_bytes(4, "big"))
    cohort(folder, names=[f"{number}.tif" for number in range(size)])


def make_index(folder: Path, size: int) -> None:
    """So many files of features."""
    import h5py

    chance = np.random.default_rng(1)
    corners = np.stack(np.divmod(np.arange(TILES), 100), axis=1) * 224
    for number in range(size):
        with h5py.File(folder / f"{number}.h5", "w") as file:
            file["features"], file["coords"] = chance.random((TILES, WIDTH), np.float32), corners
    cohort(folder, names=[f"{number}.h5" for number in range(size)])


def make_table(folder: Path, size: int) -> None:
    """So many rows of specimens, and one of each patient of three, in folders of a few."""
    for start in range(0, size, AT_ONCE):
        part = folder / "parts" / f"{start:07}"
        part.mkdir(parents=True)
        names = [f"S{number:07}" for number in range(start, start + AT_ONCE)]
        who = [f"P{number // 3:07}" for number in range(start, start + AT_ONCE)]
        rows = pd.DataFrame({"patient_id": who, "specimen_id": names})
        rows = pd.concat([rows, rows[["patient_id"]].drop_duplicates()])
        about = {"lesion_id": None, "fold": "predicted", "task": "survival", "endpoint": "overall_survival"}
        more = {"horizon_months": None, "class_or_quantity": None, "score": 0.123456, "group": "high"}
        judged = {"applicability": "in_domain", "reason": None, "seen_in_training": False, "path": None}
        rows.assign(**about, **more, **judged).to_csv(part / "predictions.csv", index=False)
        read = pd.DataFrame({"row": range(start + 2, start + 2 + AT_ONCE), "patient_id": who, "specimen_id": names})
        read.assign(tiles=1000, **{f"measure_{k}": 0.123456 for k in range(20)}).to_csv(
            part / "specimens.csv", index=False
        )


def sides(folder: Path) -> None:
    """Features of the cohort, one slide after the other."""
    from hepatica.pathology.features.room import FeaturePlan
    from hepatica.runs.features import features

    rmtree(folder / "out", ignore_errors=True)
    plan = FeaturePlan(**SMALL, epochs=1, batch=1, learning_rate=0.1, side=224, mpp=0.5, tiles_at_once=32)
    features(folder, out=folder / "out", settings=plan)


numbers = sides


def index(folder: Path) -> None:
    """The store of features that were made."""
    from hepatica.cohort import load_cohort
    from hepatica.pathology.features.room import FeaturePlan, complete, prepare

    loaded = load_cohort(folder)
    plan = complete(loaded, FeaturePlan(epochs=1, batch=1, learning_rate=0.1))
    store = prepare(loaded, plan, folder / "prepared")
    chance = np.random.default_rng(1)
    assert store.read(np.sort(chance.integers(0, len(store), 1000))).shape == (1000, WIDTH)


def table(folder: Path) -> None:
    """Both tables."""
    from hepatica.runs.predict import _join

    (folder / "out").mkdir(exist_ok=True)
    _join(sorted((folder / "parts").iterdir()), folder / "out")


def alone(stage: Callable[[Path], None], folder: Path) -> None:
    """In a process of its own: the stage, with seconds and peak memory in MB at the start and of all."""
    import hepatica.pathology.features.room
    import hepatica.runs.predict  # noqa: F401 - all that a stage imports, so that it counts as idle

    Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    idle, begun = peak(), time.perf_counter()
    stage(folder)
    print(json.dumps({"seconds": time.perf_counter() - begun, "idle": idle, "peak": peak()}))


def main() -> None:
    """Print a row a stage and size, and the slopes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stages", default=",".join(SIZES))
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        alone(globals()[given.alone], given.folder)
        return
    print("stage        size   seconds  MB beyond idle")
    for stage in given.stages.split(","):
        found = []
        for size in SIZES[stage]:
            folder = given.folder.resolve() / f"{stage}_{size}"
            if not folder.exists():
                folder.mkdir(parents=True)
                globals()[f"make_{stage}"](folder, size)
            words = [sys.executable, __file__, str(folder), "--alone", stage]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            own = json.loads(done.stdout.splitlines()[-1])
            found.append(own["peak"] - own["idle"])
            print(f"{stage:8} {size:8} {own['seconds']:9.1f} {found[-1]:15.0f}", flush=True)
        print(f"{stage:8} slope of memory {slope(list(SIZES[stage]), found):.2f}", flush=True)


if __name__ == "__main__":
    main()
