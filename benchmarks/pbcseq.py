"""Pbcseq: Ioannou 2020's network on real visits, those of the Mayo Clinic's trial of primary biliary cholangitis.

Run: HEPATICA_DATA=DATA .venv/bin/python benchmarks/pbcseq.py [--table pbc2] [--competing] [--splits 10] [--out FOLDER]

DATA/clinical/pbcseq.csv (R package survival, 312 patients, 1,945 visits) becomes a cohort folder, which any command of
hepatica reads; pbc2 (R package JM) is the same visits under other names, which is checked. There is no HCC in them: the
outcome is death or transplantation within three years after month 24, or with --competing death, which transplantation
precludes (event 2; samples weighted for censoring). The network and its two logistic regressions are trained on several
random splits, as the paper does.
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
from hepatica.runs.lock import open_run
from hepatica.systems.ioannou_2020 import SYSTEM

EVENT = {"death_or_transplantation": {0: 0, 1: 1, 2: 1}, "death": {0: 0, 1: 2, 2: 1}}
"""Event of each status (1 transplantation, 2 death) by endpoint; 2 is a competing event."""
NAMES = {
    "bili": "bilirubin_mg_dl", "albumin": "albumin_g_dl", "alk.phos": "alp_u_l", "ast": "ast_u_l", "chol": "chol_mg_dl",
    "platelet": "platelets_10e9_l", "protime": "prothrombin_s", "ascites": "ascites", "hepato": "hepatomegaly",
    "spiders": "spiders", "edema": "edema", "stage": "stage",
}  # fmt: skip
PBC2 = {
    "serBilir": "bili", "serChol": "chol", "alkaline": "alk.phos", "SGOT": "ast", "platelets": "platelet",
    "prothrombin": "protime", "hepatomegaly": "hepato", "histologic": "stage", "drug": "trt",
}  # fmt: skip
CODES = {
    "No": 0, "Yes": 1, "No edema": 0, "edema no diuretics": 0.5, "edema despite diuretics": 1, "alive": 0,
    "transplanted": 1, "dead": 2, "female": "f", "male": "m", "D-penicil": 1, "placebo": 0,
}  # fmt: skip
CHANGES = {
    "columns": tuple(NAMES.values()), "baseline": ("age_years", "sex=f", "drug"), "test": 0.3,
    "epochs": 60,
}  # fmt: skip


def read_visits(folder: Path, table: str) -> pd.DataFrame:
    """Rows of pbcseq.csv, or of as_pbc2.csv under the same names and codes; ValueError where these are not the same."""
    rows = pd.read_csv(folder / "pbcseq.csv")
    if table == "pbcseq":
        return rows
    other = pd.read_csv(folder / "as_pbc2.csv").rename(columns=PBC2)
    for name in other.select_dtypes("object"):
        other[name] = other[name].map(lambda cell: CODES.get(cell, cell)).infer_objects()
    other = other.assign(day=(other["year"] * 365.25).round().astype(int), futime=(other["years"] * 365.25).round())
    same = ["id", "day", "futime", "status", "trt", "sex", *NAMES]
    pd.testing.assert_frame_equal(other[same], rows[same], check_dtype=False)
    return other


def write_cohort(rows: pd.DataFrame, folder: Path, *, endpoint: str) -> Path:
    """Turn visits into a cohort folder, days into months."""
    first = rows.drop_duplicates("id")
    patients = pd.DataFrame(
        {
            "patient_id": [f"pbc{each:03d}" for each in first["id"]],
            "age_years": first["age"].round(1),
            "sex": first["sex"],
            "drug": first["trt"],
            f"{endpoint}_months": (first["futime"] * 12 / 365.25).round(2),
            f"{endpoint}_event": first["status"].map(EVENT[endpoint]),
        }
    )
    visits = rows[list(NAMES)].rename(columns=NAMES)
    visits.insert(0, "patient_id", [f"pbc{each:03d}" for each in rows["id"]])
    visits.insert(1, "day", rows["day"])
    head = {
        "name": "pbcseq", "hospital": "mayo", "notes": "Primary biliary cholangitis; R survival::pbcseq.",
        "endpoints": {endpoint: {"time": f"{endpoint}_months", "event": f"{endpoint}_event"}},
        "tables": {"visits": {"path": "visits.csv", "patient": "patient_id", "time": "day", "unit": "days"}},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    patients.to_csv(folder / "patients.csv", index=False)
    visits.to_csv(folder / "visits.csv", index=False)
    (folder / "cohort.toml").write_text(tomli_w.dumps(head))
    return folder


def scores(run: Path, cohort: Path) -> pd.DataFrame:
    """label, network and both regressions of the test patients whose outcome is known."""
    loaded, target = load_cohort(cohort), SYSTEM.targets(open_run(run).settings)[0]
    own = patient_scores(read_predictions(run / "predictions.parquet"), target=target, fold="test")["score"]
    table = pd.read_parquet(run / "comparators.parquet").assign(network=own, label=loaded.label(target))
    return table.loc[own.index].dropna(subset=["label", "network"])


def main() -> None:
    """Convert, train on each split, and print AUROC of each model and the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=("pbcseq", "pbc2"), default="pbcseq")
    parser.add_argument("--competing", action="store_true")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(tempfile.mkdtemp()))
    options = parser.parse_args()
    endpoint = "death" if options.competing else "death_or_transplantation"
    rows = read_visits(Path(os.environ["HEPATICA_DATA"]) / "clinical", options.table)
    cohort = write_cohort(rows, options.out / "cohort", endpoint=endpoint)
    changes = CHANGES | {"endpoint": endpoint, "controls": "weighted" if options.competing else "followed"}
    found: dict[str, list[float]] = {}
    for seed in range(options.splits):
        run = options.out / f"run_{seed}"
        train(SYSTEM, cohort, run=run, settings=override(SYSTEM.settings, changes | {"seed": seed}))
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
