"""Margin: An 2020 on phantom pairs before and after ablation: what is planted, what is found, how surely, how fast.

    .venv/bin/python benchmarks/margin.py FOLDER [--patients 60 40] [--seeds 1 2]

Trained at `quick` in hospital A; measured in hospital B: the median error of the least margin (aim: 1 mm), how often
its 90 % interval holds the truth (aim: 85 %), the error of landmarks, the share of folded voxels, seconds a pair (aim:
90 on two cores), and the C-index of local progression beside that of the planted margin itself, an oracle. The phantom
has voxels of 2.5 mm.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.cohort.phantom import ABLATED
from hepatica.evaluate import c_index
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.runs import train, validate
from hepatica.systems import find_system

SCANS = PhantomSettings(matrix=160, slices=56, thickness_mm=2.5)
DIFFICULTY = 0.3


def main() -> None:
    """Print them."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--patients", type=int, nargs=2, default=(60, 40))
    arguments.add_argument("--seeds", type=int, nargs=2, default=(1, 2))
    given = arguments.parse_args()
    system = find_system("an_2020")
    homes = [
        phantom_ct(
            given.folder / f"{hospital}_{seed}", patients=count, seed=seed, hospital=hospital, population=ABLATED,
            settings=SCANS, difficulty=DIFFICULTY,
        )
        for hospital, count, seed in zip("AB", given.patients, given.seeds, strict=True)
    ]  # fmt: skip
    run = given.folder / "run"
    train(system, homes[0], run=run, settings=system.quick)
    begun = time.perf_counter()
    validate(run, homes[1], out=run / "external")
    print(f"{(time.perf_counter() - begun) / given.patients[1]:.1f} s a pair, reading and rigid registration included")
    measured(run / "external", homes[1])


def measured(out: Path, folder: Path) -> None:
    """Print errors, coverage and the C-index of one cohort."""
    cohort = load_cohort(folder)
    rows = pd.read_parquet(out / "regions.parquet").set_index("patient_id")
    true = cohort.patients["ablative_margin_mm"].loc[rows.index]
    for name, found in (("registered", rows["score"]), ("rigid alone", rows["rigid_margin_mm"])):
        error = found - true
        print(f"{name}: median error {error.abs().median():.2f} mm, bias {error.mean():+.2f}, of {len(error)}")
    held = (rows["margin_low_mm"] <= true) & (true <= rows["margin_high_mm"])
    print(f"90 % interval holds the planted margin in {held.sum()} of {len(held)}, {held.mean():.0%}")
    print(
        f"landmarks {rows['rigid_landmark_error_mm'].mean():.2f} mm -> {rows['landmark_error_mm'].mean():.2f} mm,"
        f" folded {rows['folded_share'].max():.2%} at most"
    )
    found = {row["metric"]: row for row in read_json(out / "metrics.json") if row["target"] == "local_progression"}
    row = found["c_index"]
    print(f"local progression: C {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f}), n {row['n']}")
    patients = cohort.patients.loc[rows.index]
    time_, event = patients["local_progression_months"].to_numpy(), patients["local_progression_event"].to_numpy(int)
    best = c_index(time_, event=event, score=-np.asarray(true))
    print(f"oracle, the planted margin: C {best.value:.3f} ({best.low:.3f} to {best.high:.3f})")


if __name__ == "__main__":
    main()
