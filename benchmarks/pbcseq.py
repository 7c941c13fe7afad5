"""Pbcseq: Ioannou 2020's network on real visits, those of the Mayo Clinic's trial of primary biliary cholangitis.

Run: HEPATICA_DATA=DATA .venv/bin/python benchmarks/pbcseq.py [--splits 10] [--out FOLDER]

DATA/clinical/pbcseq.csv (R package survival, 312 patients, 1,945 visits) becomes a cohort folder, which any command of
hepatica reads. There is no HCC in it: the outcome is death or transplantation within three years after month 24. The
network and its two logistic regressions are trained on several random splits, as the paper does.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w

from hepatica.cohort import load_cohort, patient_scores, read_predictions
from hepatica.evaluate import auroc, compare_auroc
from hepatica.protocol import override
from hepatica.runs import train
from hepatica.systems.ioannou_2020 import SYSTEM

ENDPOINT = "death_or_transplantation"
NAMES = {
    "bili": "bilirubin_mg_dl", "albumin": "albumin_g_dl", "alk.phos": "alp_u_l", "ast": "ast_u_l", "chol": "chol_mg_dl",
    "platelet": "platelets_10e9_l", "protime": "prothrombin_s", "ascites": "ascites", "hepato": "hepatomegaly",
    "spiders": "spiders", "edema": "edema", "stage": "stage",
}  # fmt: skip
CHANGES = {
    "endpoint": ENDPOINT, "columns": tuple(NAMES.values()), "baseline": ("age_years", "sex=f", "drug"), "test": 0.3,
    "epochs": 60,
}  # fmt: skip


def write_cohort(source: Path, folder: Path) -> Path:
    """Turn pbcseq.csv into a cohort folder: status 1 (transplantation) and 2 (death) are the event, days months."""
    rows = pd.read_csv(source)
    first = rows.drop_duplicates("id")
    patients = pd.DataFrame(
        {
            "patient_id": [f"pbc{each:03d}" for each in first["id"]],
            "age_years": first["age"].round(1),
            "sex": first["sex"],
            "drug": first["trt"],
            f"{ENDPOINT}_months": (first["futime"] * 12 / 365.25).round(2),
            f"{ENDPOINT}_event": (first["status"] > 0).astype(int),
        }
    )
    visits = rows[list(NAMES)].rename(columns=NAMES)
    visits.insert(0, "patient_id", [f"pbc{each:03d}" for each in rows["id"]])
    visits.insert(1, "day", rows["day"])
    head = {
        "name": "pbcseq", "hospital": "mayo", "notes": "Primary biliary cholangitis; R package survival, pbcseq.",
        "endpoints": {ENDPOINT: {"time": f"{ENDPOINT}_months", "event": f"{ENDPOINT}_event"}},
        "tables": {"visits": {"path": "visits.csv", "patient": "patient_id", "time": "day", "unit": "days"}},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    patients.to_csv(folder / "patients.csv", index=False)
    visits.to_csv(folder / "visits.csv", index=False)
    (folder / "cohort.toml").write_text(tomli_w.dumps(head))
    return folder


def scores(run: Path, cohort: Path) -> pd.DataFrame:
    """label, network and both regressions of the test patients whose outcome is known."""
    loaded, target = load_cohort(cohort), SYSTEM.targets(override(SYSTEM.settings, CHANGES))[0]
    own = patient_scores(read_predictions(run / "predictions.parquet"), target=target, fold="test")["score"]
    table = pd.read_parquet(run / "comparators.parquet").assign(network=own, label=loaded.label(target))
    return table.loc[own.index].dropna(subset=["label", "network"])


def main() -> None:
    """Convert, train on each split, and print AUROC of each model and the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(tempfile.mkdtemp()))
    options = parser.parse_args()
    cohort = write_cohort(Path(os.environ["HEPATICA_DATA"]) / "clinical" / "pbcseq.csv", options.out / "cohort")
    found: dict[str, list[float]] = {}
    for seed in range(options.splits):
        run = options.out / f"run_{seed}"
        train(SYSTEM, cohort, run=run, settings=override(SYSTEM.settings, CHANGES | {"seed": seed}))
        table = scores(run, cohort)
        models = [name for name in ("network", *table) if name != "label"]
        for name in dict.fromkeys(models):
            estimate = auroc(table["label"], score=table[name])
            found.setdefault(name, []).append(estimate.value)
            if seed == 0:
                print(f"split 0, {name}: AUROC {estimate}, n {estimate.n}, events {int(table['label'].sum())}")
        if seed == 0:
            for other in (name for name in found if name != "network"):
                test = compare_auroc(table["label"], score_a=table["network"], score_b=table[other])
                print(f"split 0, network less {other}: {test.difference}, P {test.p:.2f}")
    for name, values in found.items():
        print(f"{name}: mean AUROC {np.mean(values):.3f} (SD {np.std(values, ddof=1):.3f}) of {len(values)} splits")


if __name__ == "__main__":
    main()
