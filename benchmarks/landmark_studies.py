"""Landmark studies: what Ioannou 2020 and Phan 2020 find in phantoms, beside their baselines and an oracle.

Run: .venv/bin/python benchmarks/landmark_studies.py [ioannou_2020 | phan_2020] [--patients 2000] [--null]

A system is trained at its `quick` settings on phantom hospital A (seed 1), locked, and validated on hospital B
(seed 2). The oracle knows when each patient's HCC really comes; a fifth of the recorded times are those of strangers
(difficulty 0.5), so that it errs, too. With --null, outcomes are dealt among the patients at random, 20 times with
seeds 100 to 119: 95 % intervals of AUROC should contain 0.5 at least 17 times.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import load_cohort, patient_scores, read_predictions
from hepatica.evaluate import Estimate, auroc, binary_metrics, compare_auroc
from hepatica.evaluate.binary.lead_time import lead_time
from hepatica.protocol import override
from hepatica.runs import train, validate
from hepatica.systems import find_system

SEEDS = range(100, 120)


def outcomes(folder: Path, cohort: Path, *, fold: str, target: Any) -> pd.DataFrame:
    """score, group, label, time, comparators, svr and the oracle's score of the reported patients of known outcome."""
    loaded = load_cohort(cohort)
    table = patient_scores(read_predictions(folder / "predictions.parquet"), target=target, fold=fold)
    endpoint = loaded.survival(target.endpoint)
    truth = pd.read_csv(cohort / "truth.csv").set_index("patient_id")
    table = table.assign(
        label=loaded.label(target),
        time=loaded.patients[endpoint.time],
        oracle=-truth["recurrence_months_uncorrupted"],
        svr=loaded.table("visits").query("months <= 24").groupby("patient_id")["svr"].max(),
    )
    if (folder / "comparators.parquet").exists():
        table = table.join(pd.read_parquet(folder / "comparators.parquet"))
    return table.dropna(subset=["label", "score"])


def study(name: str, *, patients: int, changes: dict[str, Any], **phantom: Any) -> Callable[..., pd.DataFrame]:
    """Train and validate; what reads the results of the external cohort, of all history or of some months."""
    system, folder = find_system(name), Path(tempfile.mkdtemp())
    settings = override(system.quick, changes)
    home, away = (
        system.phantom(folder / hospital, patients=patients, seed=seed, hospital=hospital, **phantom)
        for hospital, seed in {"A": 1, "B": 2}.items()
    )
    train(system, home, run=folder / "run", settings=settings)

    def read(history: float | None = None) -> pd.DataFrame:
        out = folder / f"external_{history}"
        validate(folder / "run", away, out=out, changes={} if history is None else {"history": history})
        return outcomes(out, away, fold="external", target=system.targets(settings)[0])

    return read


def show(title: str, table: pd.DataFrame, score: str = "score") -> Estimate:
    """Print an AUROC."""
    found = auroc(table["label"], score=table[score])
    print(f"  {title}: AUROC {found}, n {found.n}, with HCC {int(table['label'].sum())}")
    return found


def details(table: pd.DataFrame) -> None:
    """Print comparators, the oracle, calibration, calls and lead time."""
    show("the network", table)
    for other in [each for each in table if str(each).startswith("logistic")]:
        show(str(other), table, str(other))
        test = compare_auroc(table["label"], score_a=table["score"], score_b=table[other])
        print(f"    network less {other}: {test.difference}, P {test.p:.4f}")
    show("an oracle that knows when HCC comes", table, "oracle")
    found = binary_metrics(table["label"], score=table["score"])
    for name in ("average_precision", "brier", "calibration_intercept", "calibration_slope"):
        print(f"  {name}: {found[name]}")
    called = (table["group"] == "high").astype(float)
    print(f"  share with HCC {table['label'].mean():.3f}; accuracy of calling none {1 - table['label'].mean():.3f}")
    print(f"  balanced accuracy at the locked cut-off: {auroc(table['label'], score=called)}")
    lead = lead_time(table["label"], time=table["time"], score=table["score"])
    for part in lead.parts:
        print(f"  HCC at {part.first:.1f} to {part.last:.1f} months: AUROC {part.auroc}, {part.cases} cases")
    print(f"  Spearman's correlation of time and score among cases {lead.correlation:.2f}, one-sided P {lead.p:.2g}")


def null(name: str) -> None:
    """Print how many intervals contain chance where outcomes were dealt at random."""
    system, held = find_system(name), 0
    for seed in SEEDS:
        folder = Path(tempfile.mkdtemp())
        cohorts = [
            system.phantom(folder / hospital, patients=300, seed=seed + place, hospital=hospital)
            for place, hospital in enumerate(("A", "B"))
        ]
        for cohort in cohorts:
            patients = pd.read_csv(cohort / "patients.csv")
            dealt = [each for each in patients if str(each).startswith(("incidence", "overall_survival"))]
            order = np.random.default_rng(seed).permutation(len(patients))
            patients[dealt] = patients[dealt].to_numpy()[order]
            patients.to_csv(cohort / "patients.csv", index=False)
        settings = override(system.quick, {"epochs": 6, "seed": seed})
        train(system, cohorts[0], run=folder / "run", settings=settings)
        validate(folder / "run", cohorts[1], out=folder / "out")
        table = outcomes(folder / "out", cohorts[1], fold="external", target=system.targets(settings)[0])
        found = show(f"seed {seed}", table)
        held += bool((found.low or 0) <= 0.5 <= (found.high or 1))
    print(f"{name} without signal: {held} of {len(SEEDS)} intervals contain 0.5 (wanted 17 or more)")


def main() -> None:
    """Do what is asked and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=("ioannou_2020", "phan_2020"))
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--null", action="store_true")
    options = parser.parse_args()
    if options.null:
        null(options.system)
        return
    print(f"{options.system}, {options.patients} phantom patients a hospital")
    read = study(options.system, patients=options.patients, changes={})
    details(read())
    if options.system == "phan_2020":
        return
    show("patients with sustained virologic response", read().query("svr == 1"))
    for history in (0.0, 6.0, 12.0, 24.0):
        show(f"history of {history:g} months", read(history))
    variants: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "weighted controls": ({"controls": "weighted"}, {}),
        "history masked in half of the samples": ({"mask_history": 0.5}, {}),
        **{f"30 % missing, {each}": ({}, {"missing": each}) for each in ("mcar", "mar", "mnar")},
    }
    for title, (changes, phantom) in variants.items():
        table = study(options.system, patients=options.patients, changes=changes, **phantom)()
        show(title, table)
        print(f"    calibration slope {binary_metrics(table['label'], score=table['score'])['calibration_slope']}")


if __name__ == "__main__":
    main()
