"""G2Vec on phantoms: what it finds of a planted signal, beside other selections and an oracle, and without any signal.

    .venv/bin/python benchmarks/g2vec_phantom.py FOLDER

Trained on phantom hospital A, validated on hospital B. Planted: 12 genes of the phantom that follow aggressiveness, on
which survival depends, and sets of genes that vary together (r = 0.67) with the same mean and spread in all patients:
20 in those who die within 24 months, 20 in those who do not, and six times 10 in everybody. In the network a gene has
five edges within its set and five others. Prints AUROC in B, how many of each kind of gene are biomarkers, and in how
many of 20 pairs of hospitals whose genes were dealt to other patients the interval holds 0.5.
"""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.cohort.phantom import RESECTED, phantom_tables
from hepatica.evaluate import auroc
from hepatica.runs import train, validate
from hepatica.systems.choi_2018_g2vec import SYSTEM

PATIENTS, SEEDS = 400, 20
FOLLOWING = ["MKI67", "TOP2A", "AURKA", "BIRC5", "CDK1", "ALB", "CYP3A4", "APOA1", "TTR", "CD8A", "GZMB", "CD274"]
LINKED = {
    **{who: [f"{who}{n:02d}" for n in range(20)] for who in ("POOR", "GOOD")},
    **{f"BOTH{part}": [f"BOTH{part}{n}" for n in range(10)] for part in range(6)},
}
"""Sets of genes that vary together, by the patients in whom they do."""

SETTINGS: dict[str, dict[str, Any]] = {
    "g2vec": {},
    "g2vec, other = shortest": {"other": "shortest"},
    **{name: {"selection": name} for name in ("t", "cox", "lasso")},
}


def hospital(folder: Path, name: str, *, seed: int, shuffled: bool = False) -> Path:
    """One phantom hospital with its network; `shuffled` deals the rows of genes to other patients."""
    shutil.rmtree(folder / name, ignore_errors=True)
    path = phantom_tables(
        folder / name, patients=PATIENTS, seed=seed, hospital=name, population=RESECTED, endpoints="all", difficulty=0.0
    )
    rng = np.random.default_rng([seed, ord(name)])
    table = pd.read_csv(path / "expression.csv")
    dies = pd.read_csv(path / "truth.csv").set_index("patient_id")["death_months"].loc[table["patient_id"]] <= 24
    sets = []
    for who, genes in LINKED.items():
        linked = {"POOR": dies, "GOOD": ~dies}.get(who, dies | ~dies).to_numpy()[:, None]
        shared, own = rng.normal(size=(PATIENTS, 1)), rng.normal(size=(PATIENTS, len(genes)))
        values = 8 + np.where(linked, shared + 0.7 * own, np.hypot(1, 0.7) * own)
        sets.append(pd.DataFrame(values.round(3), columns=genes))
    table = pd.concat([table, *sets], axis=1)
    if shuffled:
        table["patient_id"] = rng.permutation(table["patient_id"])
    table.to_csv(path / "expression.csv", index=False)
    draw, every = np.random.default_rng(0), list(table.columns[1:])
    own_set = {gene: genes for genes in (FOLLOWING, *LINKED.values()) for gene in genes}
    edges = [
        (gene, other) for gene in every for other in (*draw.choice(own_set.get(gene, every), 5), *draw.choice(every, 5))
    ]
    pd.DataFrame(edges, columns=["source", "target"]).to_csv(path / "network.tsv", sep="\t", index=False)
    return path


def validated(folder: Path, changes: dict[str, Any], *, cohorts: tuple[Path, Path], name: str) -> dict[str, Any]:
    """AUROC in the second cohort of a model of the first."""
    settings = replace(SYSTEM.quick, network="network.tsv", test=0.0, **changes)
    shutil.rmtree(folder / name, ignore_errors=True)
    train(SYSTEM, cohorts[0], run=folder / name, settings=settings)
    validate(folder / name, cohorts[1], out=folder / name / "B")
    found: dict[str, Any] = next(
        each for each in read_json(folder / name / "B" / "metrics.json") if each["metric"] == "auroc"
    )
    return found


def with_signal(folder: Path) -> None:
    """Every selection, and what the truth itself reaches."""
    cohorts = (hospital(folder, "A", seed=1), hospital(folder, "B", seed=2))
    other = load_cohort(cohorts[1])
    label = other.label(SYSTEM.targets(SYSTEM.settings)[0]).dropna()
    truth = pd.read_csv(cohorts[1] / "truth.csv").set_index("patient_id").loc[label.index]
    for name in ("aggressiveness", "recurrence_log_hazard"):
        print(f"oracle, true {name}: AUROC {auroc(label, score=truth[name])}")
    for name, changes in SETTINGS.items():
        found = validated(folder, changes, cohorts=cohorts, name=f"run {name}")
        genes = pd.read_csv(folder / f"run {name}" / "work" / "genes.csv", index_col="gene")
        chosen = genes[genes["biomarker"].eq(True)]
        kinds = chosen.index.str.removeprefix("expression.").str.extract("^(POOR|GOOD|BOTH)")[0].fillna("OTHER")
        kinds = np.where(chosen.index.str.removeprefix("expression.").isin(FOLLOWING), "FOLLOWING", kinds)
        counts = chosen.groupby(["group", kinds]).size().to_dict()
        print(
            f"{name}: AUROC in B {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f}), n = {found['n']};"
            f" biomarkers {counts}; {read_json(folder / f'run {name}' / 'model.json')['training']}"
        )


def without_signal(folder: Path) -> None:
    """Genes dealt to other patients, in both hospitals."""
    hold = 0
    for seed in range(SEEDS):
        cohorts = (
            hospital(folder / "null", "A", seed=100 + seed, shuffled=True),
            hospital(folder / "null", "B", seed=200 + seed, shuffled=True),
        )
        found = validated(folder / "null", {}, cohorts=cohorts, name="run")
        hold += found["low"] <= 0.5 <= found["high"]
    print(f"without signal: {hold} of {SEEDS} intervals hold 0.5 (wanted 17 or more)")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    with_signal(Path(sys.argv[1]))
    without_signal(Path(sys.argv[1]))
