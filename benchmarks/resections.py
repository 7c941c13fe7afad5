"""Resections: stages, Kaplan-Meier curves and Cox models of 227 patients after resection of HCC (Li 2014).

Run: HEPATICA_DATA=DATA .venv/bin/python benchmarks/resections.py [--out FOLDER]

DATA/clinical/asaur_hepatoCellular.csv becomes a cohort folder. It has categories where the rules want numbers: a tumour
of size 1 or 2 (up to, or above, 5 cm: the table does not say so, ours), one or several, vascular invasion without its
kind. A rule is evaluable in a patient where it gives the same for every tumour that fits these categories.
"""

import argparse
import os
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w

from hepatica.clinical.scores import score
from hepatica.cohort import Cohort, load_cohort
from hepatica.evaluate import Risk, c_index, cox, kaplan_meier, log_rank_p

ENDPOINTS = {"overall_survival": ("OS", "Death"), "recurrence": ("RFS", "Recurrence")}
SIZES = {1: (0.5, 1.5, 2.5, 3.5, 4.4, 4.8), 2: (5.1, 6.2, 6.8, 9.0, 20.0)}
"""Diameters in cm on either side of each limit of the rules."""
NUMBERS = {1: (1,), 2: (2, 3, 4, 8, 12)}
NO, YES = ("no",), ("no", "yes")
RULES = ("milan", "ucsf", "up_to_seven", "ajcc_7", "ajcc_8")
CLINICAL = {
    "Age": "age_years", "Gender": "sex", "HBsAg": "hbsag", "Cirrhosis": "cirrhosis", "ALT": "alt_group",
    "AST": "ast_group", "AFP": "afp_group", "Tumorsize": "size_group", "Tumordifferentiation": "differentiation",
    "Vascularinvasion": "any_vascular_invasion", "Tumormultiplicity": "number_group", "Capsulation": "capsule_present",
    "TNM": "tnm_recorded", "BCLC": "bclc_recorded", "CXCL17P": "cxcl17_peritumoural",
}  # fmt: skip
MODEL = tuple(name for name in CLINICAL.values() if not name.endswith("_recorded") and name != "cxcl17_peritumoural")
AT, FOLDS, REPEATS = 60, 5, 10


def write_cohort(source: Path, folder: Path) -> Path:
    """Turn the table into a cohort folder."""
    table = pd.read_csv(source)
    patients = table[list(CLINICAL)].rename(columns=CLINICAL)
    patients.insert(0, "patient_id", [f"P{number:03d}" for number in table["Number"]])
    for name, (time, event) in ENDPOINTS.items():
        patients[f"{name}_months"], patients[f"{name}_event"] = table[time], table[event]
    head = {
        "name": "resections", "hospital": "Li 2014", "notes": "asaur::hepatoCellular, doi 10.1371/journal.pone.0110064",
        "endpoints": {name: {"time": f"{name}_months", "event": f"{name}_event"} for name in ENDPOINTS},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    patients.to_csv(folder / "patients.csv", index=False)
    (folder / "cohort.toml").write_text(tomli_w.dumps(head))
    return folder


def tumours(size: int, number: int, invasion: int, *, microscopic: bool) -> pd.DataFrame:
    """Every tumour that fits the categories, as the rules read it."""
    spread = NO if microscopic or not invasion else YES
    names = ["tumour_size_cm", "tumour_number", "second_cm", "vascular_invasion", "major_branch_invasion"]
    found = pd.DataFrame(product(SIZES[size], NUMBERS[number], (0.3, 1.0), spread, spread), columns=names)
    found = found[(found["vascular_invasion"] == "yes") | (found["major_branch_invasion"] == "no")]
    others = (found["tumour_number"] - 1) * found["tumour_size_cm"] * found["second_cm"]
    no = dict.fromkeys(("extrahepatic_spread", "distant_metastasis", "nodal_metastasis"), "no")
    return found.assign(
        tumour_sum_cm=found["tumour_size_cm"] + others,
        any_vascular_invasion="yes" if invasion else "no",
        adjacent_organ_invasion="no",
        **no,
    ).query("tumour_sum_cm <= 200")


def staged(patients: pd.DataFrame, *, microscopic: bool) -> pd.DataFrame:
    """Each rule of each patient, missing where the categories leave it open."""
    groups = ["size_group", "number_group", "any_vascular_invasion"]
    stages = {}
    for kind, own in patients.groupby(groups):
        fitting = tumours(*map(int, kind), microscopic=microscopic)
        found = {rule: set(score(rule, fitting)[rule].astype(str)) for rule in RULES}
        known = {rule: next(iter(each)) if len(each) == 1 else None for rule, each in found.items()}
        stages |= dict.fromkeys(own.index, known)
    return pd.DataFrame.from_dict(stages, orient="index").loc[patients.index]


def judge(cohort: Cohort, stages: pd.Series, name: str) -> None:
    """Print patients, survival at five years, log-rank P, C-index and hazard ratios by stage."""
    known = stages.dropna().replace({"1.0": "0 within", "0.0": "1 beyond"})
    order = sorted(known.unique())
    rank = known.map(order.index)
    print(f"  {stages.name}: evaluable {len(known)} of {len(stages)}")
    if len(order) < 2:
        return
    time, event = (cohort.patients.loc[known.index, f"{name}_{each}"] for each in ("months", "event"))
    for stage in order:
        own = known == stage
        free = kaplan_meier(time[own], event=event[own]).survival_at(AT)
        print(f"    {stage}: {own.sum()} patients, {event[own].sum()} events, free at {AT} months {free}")
    print(f"    log-rank P {log_rank_p(time, event=event, group=rank).value:.2g}")
    print(f"    C-index {c_index(time, event=event, score=Risk(rank.to_numpy(float)))}")
    found = cox(rank.to_frame("a stage more"), time=time, event=event)["a stage more"]
    print(f"    hazard ratio a stage more {found.ratio}, P {found.p:.2g}")


def cross_validated(cohort: Cohort, name: str, columns: tuple[str, ...]) -> np.ndarray:
    """C-index (REPEATS,) of a Cox model of these columns, in patients it was not fitted to."""
    table = cohort.patients[list(columns)].astype(float)
    table = (table - table.mean()) / table.std()
    time, event = (cohort.patients[f"{name}_{each}"].to_numpy() for each in ("months", "event"))
    found = []
    for seed in range(REPEATS):
        fold, risk = np.random.default_rng(seed).permutation(len(table)) % FOLDS, np.zeros(len(table))
        for each in range(FOLDS):
            own = fold != each
            fitted = cox(table[own], time=time[own], event=event[own])
            risk[~own] = sum(np.log(ratio.ratio.value) * table.loc[~own, term] for term, ratio in fitted.items())
        found.append(c_index(time, event=event, score=Risk(risk)).value)
    return np.array(found)


def main() -> None:
    """Convert, stage, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(tempfile.mkdtemp()))
    source = Path(os.environ["HEPATICA_DATA"]) / "clinical" / "asaur_hepatoCellular.csv"
    cohort = load_cohort(write_cohort(source, parser.parse_args().out / "cohort"))
    patients = cohort.patients
    stages = staged(patients, microscopic=False)
    assumed = staged(patients, microscopic=True).add_suffix(", all invasion taken for microscopic")
    recorded = patients[["tnm_recorded", "bclc_recorded"]].astype(int).astype(str)
    for name in ENDPOINTS:
        time, event = patients[f"{name}_months"], patients[f"{name}_event"]
        print(f"{name}: {event.sum()} events")
        for rule in (each for table in (stages, assumed, recorded) for _, each in table.items()):
            judge(cohort, rule, name)
        for term, each in cox(patients[list(MODEL)].astype(float), time=time, event=event).items():
            print(f"  Cox, all together, {term}: {each.ratio}, P {each.p:.2g}")
        for title, columns in {"all of these": MODEL, **{each: (each,) for each in recorded}}.items():
            found = cross_validated(cohort, name, columns)
            print(f"  cross-validated, {title}: C-index {found.mean():.3f} ({found.min():.3f} to {found.max():.3f})")
    print(pd.crosstab(stages["ajcc_7"].fillna("open"), patients["tnm_recorded"]))


if __name__ == "__main__":
    main()
