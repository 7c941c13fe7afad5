"""Systems that classify slides, on phantoms: trained on hospital A, validated on B, beside an oracle of the signal.

    .venv/bin/python benchmarks/slide_classes.py SYSTEM... [--patients 100] [--new 100] [--seed 1] [--epochs 20]
        [--set name=value]

The oracle scores each patient by the share of the tumour that shows what marks the class in their sections (truth.csv),
which no picture can surpass. Of grades, "poor" is told from the others, and the oracle is how aggressive the tumour is.
Without signal: benchmarks/no_signal.py.
"""

import argparse
import tomllib
from pathlib import Path

import pandas as pd
from two_hospitals import study

from hepatica.cohort import load_cohort, read_predictions
from hepatica.evaluate import auroc
from hepatica.pathology.phantom import PhantomSettings
from hepatica.protocol import override
from hepatica.runs import train, validate
from hepatica.systems import find_system

ORACLES = {
    "malignant": ("section_tumour", 1),
    "ctnnb1": ("section_pseudoglandular", 1),
    "tp53": ("section_giant", 1),
    "hcc": ("section_glandular", -1),
    "grade": ("aggressiveness", 1),
}
"""Column of truth.csv and the sign by which it goes with the endpoint."""


def run(name: str, given: argparse.Namespace, *, folder: Path) -> None:
    """One system; those that are shown the same sections share their phantoms."""
    system = find_system(name)
    shown = f"{system.first.phantom.__name__}_{system.population.name}"
    slides = PhantomSettings(side=given.side, images=1)
    home, away = (folder / f"{shown}_{hospital}" for hospital in "AB")
    home_seed, away_seed = given.seed, 999 + given.seed
    for where, hospital, count, seed in (
        (home, "A", given.patients, home_seed),
        (away, "B", given.new, away_seed),
    ):
        system.phantom(where, patients=count, seed=seed, hospital=hospital, settings=slides)
    settings = override(
        system.quick, {"epochs": given.epochs, "seed": given.seed} | tomllib.loads("\n".join(given.set))
    )
    train(system, home, run=folder / name, settings=settings)
    validate(folder / name, away, out=folder / name / "external" / "phantom_B")
    print(
        f"\n{name}: {given.patients} patients of hospital A, {given.new} of B, {given.epochs} epochs, seed {given.seed}"
    )
    show(folder / name / "external" / "phantom_B", cohort=away)


def show(results: Path, *, cohort: Path) -> None:
    """By endpoint: the external AUROC of the system, and of the oracle on the same patients."""
    table = read_predictions(results / "predictions.parquet")
    patients = table[table["specimen_id"].isna() & table["score"].notna()]
    known, truth = load_cohort(cohort).patients, pd.read_csv(cohort / "truth.csv", index_col="patient_id")
    for endpoint, rows in patients.groupby("endpoint", sort=False):
        column, sign = ORACLES[endpoint]
        if endpoint == "grade":
            rows = rows[rows["class_or_quantity"] == "poor"]
            label = (known["differentiation"] == "poor").astype(float)
        else:
            label = known[endpoint].astype(float)
        score = rows.set_index("patient_id")["score"]
        label = label.reindex(score.index).dropna()
        found = auroc(label, score=score[label.index])
        oracle = auroc(label, score=sign * truth[column][label.index])
        print(f"{endpoint}: {found}, oracle {oracle}, n = {len(label)}, {int(label.sum())} with it", flush=True)
    metrics = pd.read_json(results / "metrics.json")
    for row in metrics[metrics["target"] == "grade"].itertuples():
        print(f"{row.metric} {row.target}: {row.value:.3f} ({row.low:.3f} to {row.high:.3f})")


if __name__ == "__main__":
    study(__doc__, run, patients=100, new=100, seed=1, side=768, epochs=20)
