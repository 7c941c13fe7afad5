"""Systems of focal lesions on phantoms: trained on hospital A, validated on B, beside an oracle of what shows.

    .venv/bin/python benchmarks/lesion_systems.py SYSTEM... [--patients 160] [--new 100] [--seed 1] [--epochs 20]
    .venv/bin/python benchmarks/lesion_systems.py --full

The oracle of a response is a logistic regression, fitted to hospital A, on what the phantom shows of the largest lesion
(lesions_truth.csv: arterial enhancement, margin, diameter): no picture says more. Classes of lesions are what their
kinds look like: their oracle is 1. `--full`: the papers' networks alone, all of them by default, each forward once.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from two_hospitals import shape

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.evaluate import auroc
from hepatica.protocol import override
from hepatica.radiology.phantom import PhantomSettings
from hepatica.report import write_report
from hepatica.runs import train, validate
from hepatica.systems import all_systems, find_system

NAMES = [name for name, each in all_systems().items() if each.first.region == "lesion"]
SHOWN = ("infiltration", "vascularity", "diameter_cm")


def main() -> None:
    """Print statistics of each system on hospital B."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("systems", nargs="*", default=sorted(NAMES))
    for name, usual in (("patients", 160), ("new", 100), ("seed", 1), ("matrix", 128), ("slices", 32), ("epochs", 20)):
        arguments.add_argument(f"--{name}", type=int, default=usual)
    arguments.add_argument("--difficulty", type=float, default=0.3)
    arguments.add_argument("--thickness", type=float, default=5.0, help="of slices, mm")
    arguments.add_argument("--set", action="append", default=[], help="a setting: name=value")
    arguments.add_argument("--full", action="store_true", help="the paper's network alone, forward once")
    arguments.add_argument("--folder", type=Path, help="keeps phantoms, prepared lesions and runs")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.systems:
            forward(name) if given.full else run(name, given, folder=given.folder or Path(temporary))


def forward(name: str) -> None:
    """One crop through the network of the paper, after another that warms it up; a row of a table."""
    system = find_system(name)
    settings, network = system.settings, system.build(system.settings, pretrained=False).eval()
    crop = torch.rand(1, *shape(settings))
    given = crop if len(system.rooms) == 1 else {"mr": crop, "table": torch.zeros(1, len(settings.columns))}
    with torch.inference_mode():
        network(given)
        start = time.perf_counter()
        classes = network(given).logits.shape[1]
    seconds, parameters = time.perf_counter() - start, sum(each.numel() for each in network.parameters())
    size = " x ".join(map(str, (len(settings.phases), *settings.voxels)))
    print(f"| `{name}` | {size} | {classes} | {parameters:,} | {seconds:.2f} |")


def run(name: str, given: argparse.Namespace, *, folder: Path) -> None:
    """One system; those of one population share its phantoms."""
    system = find_system(name)
    scans = PhantomSettings(matrix=given.matrix, slices=given.slices, thickness_mm=given.thickness)
    shown = f"{system.modality}_{system.population.name}_{given.seed}"
    home, away = (folder / f"{shown}_{hospital}" for hospital in "AB")
    start = time.perf_counter()
    for where, hospital, count, seed in (
        (home, "A", given.patients, given.seed),
        (away, "B", given.new, 999 + given.seed),
    ):
        options = {"patients": count, "seed": seed, "hospital": hospital, "difficulty": given.difficulty}
        system.phantom(where, settings=scans, **options)
    print(f"{name}: phantoms in {time.perf_counter() - start:.0f} s")
    changes = {"epochs": given.epochs} | dict(each.split("=") for each in given.set)
    settings, start = override(system.quick, changes), time.perf_counter()
    own = folder / f"{name}_{given.seed}_{'_'.join(given.set)}"
    train(system, home, run=own, settings=settings, prepared=folder / f"{shown}_{name}_A")
    out = own / "external" / "phantom_B"
    validate(own, away, out=out)
    print(f"{name}: trained and validated in {time.perf_counter() - start:.0f} s; {write_report(own)}")
    wanted = ("accuracy", "auroc_macro", "kappa", "auroc", "lesion_accuracy", "lesion_auroc_macro")
    for row in read_json(out / "metrics.json"):
        if row["metric"] in wanted:
            print(f"  {row['target']} {row['metric']} {row['value']} ({row['low']} to {row['high']}), n {row['n']}")
    if "response" in load_cohort(away).endpoints:
        oracle(home, away)


def oracle(home: Path, away: Path) -> None:
    """AUROC of objective response by what shows."""
    tables = [
        pd.read_csv(each / "lesions_truth.csv").query("number == 1").set_index("patient_id") for each in (home, away)
    ]
    values = [np.log(each[list(SHOWN)].clip(lower=1e-3)).assign(infiltration=each["infiltration"]) for each in tables]
    known = [load_cohort(each).patients["response"].astype(int) for each in (home, away)]
    fitted = LogisticRegression().fit(values[0], known[0].loc[values[0].index])
    print(f"  oracle {auroc(known[1].loc[values[1].index], score=fitted.decision_function(values[1]))}")


if __name__ == "__main__":
    main()
