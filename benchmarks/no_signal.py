"""No signal: over 20 seeds fixed beforehand, how often the interval of a system trained on nothing holds chance.

    .venv/bin/python benchmarks/no_signal.py SYSTEM [TARGET] [--patients 200] [--seeds 0 20] [--side 512]
        [--set NAME=VALUE]

The outcomes of both phantom hospitals are dealt to other patients. (Were the second to keep its own, a system trained
on nothing would still differ from chance there: what it reads goes with the outcome.)
Prints each C-index (of an event of follow-up), AUROC or, of several classes, mean AUROC of one against the others
there, and how many 95 % intervals hold 0.5: 17 of 20 or more are wanted, which 98 % of systems without a fault reach.
Of subtypes also the P of survival between them by permutation, and how many are 0.05 or less: 3 or fewer of 20.
`--side` is that in pixels of phantom slides, one a patient, or of scans of 16 slices, smaller than usual; `--seeds` are
some of the 20 alone.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.cohort import LesionClasses, load_cohort
from hepatica.pathology.phantom import PhantomSettings
from hepatica.protocol import override
from hepatica.radiology.phantom import PhantomSettings as ScanSettings
from hepatica.runs import train, validate
from hepatica.systems import find_system

METRICS = ("c_index", "auroc_macro", "auroc")
"""By which a system is judged, the first one that it has."""


def shuffled(folder: Path, seed: int) -> Path:
    """Deal the outcomes of all endpoints, together, to other patients."""
    columns = [each for endpoint in load_cohort(folder).endpoints.values() for each in endpoint.columns]
    path = folder / "patients.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    names = [name for name in dict.fromkeys(columns) if name in table]
    table[names] = table[names].to_numpy()[np.random.default_rng(seed).permutation(len(table))]
    table.to_csv(path, index=False)
    for endpoint in load_cohort(folder).endpoints.values():
        if isinstance(endpoint, LesionClasses):
            deal_lesions(folder / "lesions.csv", endpoint, seed)
    return folder


def deal_lesions(path: Path, endpoint: LesionClasses, seed: int) -> None:
    """Deal the class of a patient's largest lesion, for all of their lesions, to other patients."""
    table = pd.read_csv(path, dtype={"patient_id": str})
    own = endpoint.of_patients(table)
    dealt = pd.Series(own.to_numpy()[np.random.default_rng(seed).permutation(len(own))], index=own.index)
    table.assign(**{endpoint.lesion: table["patient_id"].map(dealt)}).to_csv(path, index=False)


def main() -> None:
    """Train, validate and count."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("system")
    arguments.add_argument("target", nargs="?")
    arguments.add_argument("--patients", type=int, default=200, help="of each hospital")
    arguments.add_argument("--seeds", type=int, nargs=2, default=(0, 20), help="the first, and one beyond the last")
    arguments.add_argument("--side", type=int, help="of phantom slides or scans, in pixels")
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the trial")
    given = arguments.parse_args()
    changes = dict(each.split("=", 1) for each in given.set)
    rows = [one(seed, given, changes) for seed in range(*given.seeds)]
    inside = sum(row["low"] <= 0.5 <= row["high"] for row in rows)
    print(f"{given.system}: {inside} of {len(rows)} intervals hold 0.5")
    small = [row["p"] <= 0.05 for row in rows if np.isfinite(row["p"])]
    if small:
        print(f"{given.system}: {sum(small)} of {len(small)} P of survival between subtypes are 0.05 or less")
    sys.exit(0 if inside >= 0.85 * len(rows) and sum(small) <= 0.15 * len(rows) else 1)


def one(seed: int, given: argparse.Namespace, changes: dict[str, str]) -> pd.Series:
    """Value and interval in the second hospital, and of subtypes the `p` of their survival there, else NaN."""
    system = find_system(given.system)
    slides = PhantomSettings(side=given.side or 512, images=1)
    scans = ScanSettings(matrix=given.side or 96, slices=16, thickness_mm=10)
    drawn = {"settings": slides if system.modality == "slide" else scans} if given.side else {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        home = system.phantom(folder / "home", patients=given.patients, seed=seed, hospital="A", **drawn)
        away = system.phantom(folder / "away", patients=given.patients, seed=seed + 1000, hospital="B", **drawn)
        train(system, shuffled(home, seed), run=folder / "run", settings=override(system.quick, changes))
        validate(folder / "run", shuffled(away, seed), out=folder / "external")
        found = pd.read_json(folder / "external/metrics.json")
    by_chance = found.loc[found["metric"] == "log_rank_permutation_p", "value"]
    found = found[found["metric"].isin(METRICS)].sort_values(
        "metric", key=lambda each: each.map(METRICS.index), kind="stable"
    )
    row = (found if given.target is None else found[found["target"] == given.target]).iloc[0]
    value = f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    p = by_chance.astype(float).get(by_chance.first_valid_index(), np.nan)
    print(f"seed {seed}: {row['metric']} {row['target']} {value}" + f", P {p:.3f}" * np.isfinite(p), flush=True)
    return pd.concat([row, pd.Series({"p": p})])


if __name__ == "__main__":
    main()
