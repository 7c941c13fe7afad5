"""UCI HCC Survival: scores, stages, a logistic regression and a network against death within a year, 165 patients.

    HEPATICA_DATA=DATA .venv/bin/python benchmarks/uci_hcc.py FOLDER
    PYTHONPATH=benchmarks .venv/bin/hepatica train uci_hcc:SYSTEM FOLDER/cohort --run FOLDER/run

The first writes DATA/clinical/uci_hcc_165.csv as a cohort folder and prints the numbers of docs/studies/uci_hcc.md, the
second trains the network of Nam 2020 on it, as every other system is trained. Leucocytes and platelets are per µL in
most rows and in 10^9/L in the others: those of 1,000 and more are divided by 1,000. A platelet count of 1.71 is
neither, and left out. That nobody was on dialysis, and 40 U/L as the upper limit of AST, are ours.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w
from sklearn.model_selection import StratifiedKFold

from hepatica.clinical.comparators import published
from hepatica.clinical.scores import SCORES, add_scores
from hepatica.cohort import Binary, Cohort, Months, load_cohort
from hepatica.evaluate import auroc, auroc_over_folds, fit_logistic, missing_shares
from hepatica.systems.nam_2020_incidence import SYSTEM as NAM

ENDPOINT = "death_within_a_year"
NUMBERS = {
    "Age": "age_years", "INR": "inr", "AFP": "afp_ng_ml", "Hemoglobin": "haemoglobin_g_dl",
    "Platelets": "platelets_10e9_l", "Leucocytes": "leucocytes_10e9_l", " Albumin": "albumin_g_dl",
    "Total_Bil": "bilirubin_mg_dl", "ALT": "alt_u_l", "AST": "ast_u_l", "GGT": "ggt_u_l", "ALP": "alp_u_l",
    "Creatinine": "creatinine_mg_dl", "Nodules": "tumour_number", "Major_Dim": "tumour_size_cm",
}  # fmt: skip
PERFORMANCE = {"Active": 0, "Restricted": 1, "Ambulatory": 2, "Selfcare": 3, "Disabled": 4}
ASCITES = {"None": "none", "Mild": "mild", "Moderate/Severe": "moderate"}
ENCEPHALOPATHY = {"None": 0, "Grade I/II": 2, "Grade III/IV": 3}
FLAGS = {"Cirrhosis": "cirrhosis", "PVT": "vascular_invasion", "Metastasis": "extrahepatic_spread"}
PREDICTORS = (
    "age_years", "log10 afp_ng_ml", "haemoglobin_g_dl", "albumin_g_dl", "log10 bilirubin_mg_dl", "log10 alp_u_l", "inr",
    "tumour_number", "tumour_size_cm", "ecog", "vascular_invasion=yes", "extrahepatic_spread=yes", "ascites=none",
)  # fmt: skip
FOLDS, REPEATS = 5, 20

SYSTEM = replace(
    NAM,
    name="uci_hcc:SYSTEM",
    question="Will this patient with HCC die within a year?",
    task=Binary(ENDPOINT),
    settings=replace(NAM.settings, columns=PREDICTORS, horizons=(Months(12),), test=0.3),
    comparators=published("albi", "child_pugh_points", "meld", "hap", "bclc", "cnlc", "milan"),
    meaning="probability of death within a year",
)


def write_cohort(source: Path, folder: Path) -> Path:
    """Turn the table into a cohort folder; `None` is a category of it, and not a missing value."""
    table = pd.read_csv(source, na_values="?", keep_default_na=False)
    patients = table[list(NUMBERS)].rename(columns=NUMBERS)
    for name in ("platelets_10e9_l", "leucocytes_10e9_l"):
        patients[name] = patients[name].where(patients[name] < 1000, patients[name] / 1000)
    patients["platelets_10e9_l"] = patients["platelets_10e9_l"].where(patients["platelets_10e9_l"] >= 5)
    patients["tumour_number"] = patients["tumour_number"].where(patients["tumour_number"] > 0)
    patients = patients.assign(
        sex=table["Gender"].str.lower(),
        ecog=table["PS"].map(PERFORMANCE),
        ascites=table["Ascites"].map(ASCITES),
        encephalopathy=table["Encephalopathy"].map(ENCEPHALOPATHY),
        ast_uln_u_l=40,
        dialysis="no",
        **{name: table[column].str.lower() for column, name in FLAGS.items()},
        **{ENDPOINT: (table["Class"] == "Dies").astype(int)},
    )
    patients["child_pugh"] = add_scores(patients, names=["child_pugh_points"])["child_pugh_points_band"]
    patients.insert(0, "patient_id", [f"U{row:03d}" for row in range(1, len(table) + 1)])
    head = {
        "name": "uci_hcc", "hospital": "Coimbra", "notes": "UCI HCC Survival, 165 patients, CC BY 4.0",
        "endpoints": {ENDPOINT: {"label": ENDPOINT}},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    patients.to_csv(folder / "patients.csv", index=False)
    (folder / "cohort.toml").write_text(tomli_w.dumps(head))
    return folder


def risks(patients: pd.DataFrame) -> pd.DataFrame:
    """Every score and stage that the table allows, as a risk: beyond criteria 1, stages by their number."""
    found = add_scores(patients)
    names = [name for name in found if name in SCORES]
    values = {name: found[name].cat.codes.replace(-1, np.nan) if SCORES[name].stages else found[name] for name in names}
    return pd.DataFrame(
        {name: 1 - each if SCORES[name].unit.startswith("1 within") else each for name, each in values.items()}
    )


def regression(cohort: Cohort) -> None:
    """Print the AUROC of a logistic regression in patients whom it was not fitted to, by repeats of five folds."""
    label = cohort.patients[ENDPOINT].to_numpy(int)
    columns = [each.removeprefix("log10 ").partition("=")[0] for each in PREDICTORS]
    table, means = cohort.patients[columns], []
    for seed in range(REPEATS):
        risk, fold = np.zeros(len(label)), np.zeros(len(label), int)
        for place, (own, others) in enumerate(
            StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(risk, label)
        ):
            risk[others] = fit_logistic(table.iloc[own], label=label[own]).risk(table.iloc[others])
            fold[others] = place
        found, _ = auroc_over_folds(label, score=risk, fold=fold)
        means.append(found.value)
        if seed == 0:
            print(f"logistic regression, first five folds: AUROC {found}")
    print(f"{REPEATS} splits: mean {np.mean(means):.3f} ({min(means):.3f} to {max(means):.3f})")


def main(folder: Path) -> None:
    """Write the cohort and print: missing values, each score, the regression."""
    source = Path(os.environ["HEPATICA_DATA"]) / "clinical" / "uci_hcc_165.csv"
    cohort = load_cohort(write_cohort(source, folder / "cohort"))
    label = cohort.patients[ENDPOINT]
    print(f"{len(label)} patients, {label.sum():.0f} died within a year")
    print(missing_shares(cohort.patients).query("missing > 0").to_string())
    for name, risk in risks(cohort.patients).items():
        known = risk.notna()
        found = auroc(label[known], score=risk[known]) if risk[known].nunique() > 1 else "the same for all"
        print(f"{name}: evaluable {known.sum()}, died {label[known].sum():.0f}, AUROC {found}")
    regression(cohort)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
