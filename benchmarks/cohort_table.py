"""Cohort table: seconds to load and check 50,000 specimens, against a bare pandas.read_csv of the same two tables.

    python benchmarks/cohort_table.py [--specimens 50000] [--rounds 5]

Each patient has five specimens, each specimen a file (empty) and a mask; 1000 files lie in a folder. Rounds are
interleaved, medians are compared.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import pandas as pd

from hepatica.cohort import load_cohort

HEAD = """name = "x"
specimen_root = "files"
[endpoints.death]
time = "months"
event = "died"
"""


def main() -> None:
    """Print one line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--specimens", type=int, default=50_000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = cohort(Path(name), specimens=given.specimens)
        seconds: dict[str, list[float]] = {"ours": [], "bare": []}
        for _ in range(given.rounds):
            for loop, read in (("ours", ours), ("bare", bare)):
                start = time.perf_counter()
                assert read(folder) == given.specimens
                seconds[loop].append(time.perf_counter() - start)
    mine, theirs = (median(seconds[loop]) for loop in ("ours", "bare"))
    spread = f"[{min(seconds['ours']):.2f} to {max(seconds['ours']):.2f}]"
    print(
        f"{given.specimens} specimens: {mine:.2f} s {spread}, pandas.read_csv {theirs:.3f} s, ratio {mine / theirs:.1f}"
    )


def cohort(folder: Path, *, specimens: int) -> Path:
    """Write a cohort folder whose files are empty."""
    rows = [(f"P{n // 5}", f"S{n}", "slide", f"{n // 1000}/{n}.svs", f"{n // 1000}/{n}.png") for n in range(specimens)]
    columns = ["patient_id", "specimen_id", "modality", "path", "mask"]
    table = pd.DataFrame(rows, columns=columns)
    for part in {Path(path).parent for path in table["path"]}:
        (folder / "files" / part).mkdir(parents=True)
    for path in (*table["path"], *table["mask"]):
        (folder / "files" / path).touch()
    table.to_csv(folder / "specimens.csv", index=False)
    patients = table[["patient_id"]].drop_duplicates().assign(months=12, died=0, afp_ng_ml=7.5)
    patients.to_csv(folder / "patients.csv", index=False)
    (folder / "cohort.toml").write_text(HEAD)
    return folder


def ours(folder: Path) -> int:
    """Read and checked, every file looked for."""
    return len(load_cohort(folder).specimens)


def bare(folder: Path) -> int:
    """Read alone."""
    pd.read_csv(folder / "patients.csv")
    return len(pd.read_csv(folder / "specimens.csv"))


if __name__ == "__main__":
    main()
