"""Xie 2018 on phantoms: AUROC of the network, the paper's other models and an oracle, by the kind of control.

    python benchmarks/xie_2018.py [--patients 243] [--new 400] [--seed 1] [--nulls 20]

The oracle knows how the phantom's genes follow HCC and fibrosis and takes the ratio of likelihoods. `--nulls`: as many
further seeds, fixed beforehand, in which HCC is permuted among patients; counts intervals of the AUROC that hold 0.5.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from hepatica.cohort import load_cohort
from hepatica.cohort.phantom import SCREENED
from hepatica.cohort.phantom.tables import MATRICES
from hepatica.evaluate import auroc, compare_auroc
from hepatica.omics.room import GENES
from hepatica.protocol import override
from hepatica.runs import train, validate
from hepatica.systems.xie_2018 import PANEL, SYSTEM


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in (("patients", 243), ("new", 400), ("seed", 1), ("nulls", 20)):
        arguments.add_argument(f"--{name}", type=int, default=usual)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(folder, given.patients, given.new, given.seed)
        show(folder)
    held = 0
    for seed in range(100, 100 + given.nulls):
        with tempfile.TemporaryDirectory() as name:
            run(Path(name), given.patients, given.new, seed, dealt=True)
            label, scores = external(Path(name))
            found = auroc(label["hcc"], score=scores["network"])
            held += found.low <= 0.5 <= found.high
    print(f"HCC permuted among patients: {held} of {given.nulls} intervals hold 0.5")


def run(folder: Path, patients: int, new: int, seed: int, *, dealt: bool = False) -> None:
    """Train on phantom hospital A, validate on B."""
    for name, count in (("A", patients), ("B", new)):
        GENES.phantom(folder / name, patients=count, seed=seed, hospital=name)
        if dealt:
            path = folder / name / "blood.csv"
            table = pd.read_csv(path)
            table["patient_id"] = np.random.default_rng(seed).permutation(table["patient_id"])
            table.to_csv(path, index=False)
    train(SYSTEM, folder / "A", run=folder / "run", settings=override(SYSTEM.settings, {"seed": seed}))
    validate(folder / "run", folder / "B", out=folder / "out")


def external(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels, and scores of the network and each comparator, of the external patients."""
    cohort = load_cohort(folder / "B")
    predictions = pd.read_parquet(folder / "out" / "predictions.parquet")
    own = predictions[predictions["specimen_id"].isna() & (predictions["endpoint"] == "hcc")]
    scores = pd.read_parquet(folder / "out" / "comparators.parquet")
    scores.insert(0, "network", own.set_index("patient_id")["score"].reindex(scores.index))
    return cohort.patients.loc[scores.index, ["hcc", "hcc_vs_healthy", "hcc_vs_cirrhosis"]], scores


def oracle(values: np.ndarray) -> np.ndarray:
    """Log of the ratio of likelihoods, of HCC to no HCC, of the nine genes (n, 9)."""
    _, level, programmes = MATRICES["blood"]
    weights = pd.DataFrame({gene: follows for genes, follows in programmes for gene in genes}).fillna(0)[list(PANEL)]

    def likelihood(hcc: int, stages: tuple[float, ...]) -> np.ndarray:
        means = [level + weights.loc["hcc"] * hcc + weights.loc["metavir"] * stage for stage in range(5)]
        logs = [-(((values - mean.to_numpy()) / 0.7) ** 2).sum(axis=1) / 2 for mean in means]
        with np.errstate(divide="ignore"):
            return np.asarray(logsumexp(np.stack(logs) + np.log(stages)[:, None], axis=0))

    return likelihood(1, SCREENED.metavir_hcc) - likelihood(0, SCREENED.metavir_control)


def show(folder: Path) -> None:
    """A row a model, a column a kind of control; with the difference of the network to each, paired."""
    label, scores = external(folder)
    blood = load_cohort(folder / "B").table("blood").set_index("patient_id").loc[scores.index]
    scores["oracle"] = oracle(blood[list(PANEL)].to_numpy())
    for target in label:
        known = label[target].dropna().astype(int)
        print(f"{target}: {int(known.sum())} with HCC, {int((1 - known).sum())} controls")
        for name, score in scores.loc[known.index].items():
            found = auroc(known, score=score)
            apart = compare_auroc(known, score_a=scores.loc[known.index, "network"], score_b=score)
            beside = "" if name == "network" else f"; network less this {apart.difference}, P = {apart.p:.2g}"
            print(f"  {name}: {found}{beside}")


if __name__ == "__main__":
    main()
