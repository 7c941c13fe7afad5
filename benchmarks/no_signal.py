"""No signal: over 20 seeds fixed beforehand, how often the interval of a system trained on nothing holds chance.

    .venv/bin/python benchmarks/no_signal.py SYSTEM [TARGET]

The outcomes of both phantom hospitals are dealt to other patients. (Were the second to keep its own, a system trained
on nothing would still differ from chance there: what it reads goes with the outcome.)
Prints each C-index (of an event of follow-up) or AUROC there, and how many 95 % intervals hold 0.5: 17 of 20 or more
are wanted, which 98 % of systems without a fault reach.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort import load_cohort
from hepatica.runs import train, validate
from hepatica.systems import find_system

SEEDS = range(20)
PATIENTS = (200, 200)


def shuffled(folder: Path, seed: int) -> Path:
    """Deal the outcomes of all endpoints, together, to other patients."""
    columns = [each for endpoint in load_cohort(folder).endpoints.values() for each in endpoint.columns]
    path = folder / "patients.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    names = [name for name in dict.fromkeys(columns) if name in table]
    table[names] = table[names].to_numpy()[np.random.default_rng(seed).permutation(len(table))]
    table.to_csv(path, index=False)
    return folder


def main(name: str, wanted: str | None = None) -> None:
    """Train, validate and count."""
    system, held = find_system(name), 0
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            home = system.phantom(folder / "home", patients=PATIENTS[0], seed=seed, hospital="A")
            away = system.phantom(folder / "away", patients=PATIENTS[1], seed=seed + 1000, hospital="B")
            train(system, shuffled(home, seed), run=folder / "run", settings=system.quick)
            validate(folder / "run", shuffled(away, seed), out=folder / "external")
            found = pd.read_json(folder / "external/metrics.json")
            found = found[found["metric"].isin(["c_index", "auroc"])].sort_values("metric", ascending=False)
            row = (found if wanted is None else found[found["target"] == wanted]).iloc[0]
        inside = row["low"] <= 0.5 <= row["high"]
        held += inside
        print(
            f"seed {seed}: {row['metric']} {row['target']} {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        )
    print(f"{name}: {held} of {len(SEEDS)} intervals hold 0.5")
    sys.exit(0 if held >= 17 else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
