"""Microvascular invasion and TACE on phantoms: trained on hospital A, validated on B, beside an oracle of the signal.

    .venv/bin/python benchmarks/mvi_and_tace.py SYSTEM... [--patients 140] [--new 120] [--seed 1] [--new-seed 1000]
        [--slices 32] [--thickness 5] [--set name=value]

The oracle of microvascular invasion reads what a picture can show of it, how far the margin is infiltrated, without
error; that of survival the log hazard of recurrence and aggressiveness, from which death is drawn. `--full` runs the
networks of the papers forward once. Without signal: benchmarks/no_signal.py.
"""

import argparse
import time
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
from two_hospitals import study

from hepatica.cohort import Cohort, load_cohort, read_predictions
from hepatica.cohort.phantom.patient import draw_patients
from hepatica.evaluate import Comparison, Risk, auroc, c_index, compare_auroc, compare_c_index, kaplan_meier, log_rank_p
from hepatica.protocol import override
from hepatica.radiology.phantom import PhantomSettings
from hepatica.runs import train, validate
from hepatica.systems import find_system

DIFFICULTY = 0.5


def run(name: str, given: argparse.Namespace, *, folder: Path) -> None:
    """One system."""
    system = find_system(name)
    seeds = {"A": given.seed, "B": given.new_seed}
    counts = {"A": given.patients, "B": given.new}
    homes = {
        hospital: folder / f"{system.modality}_{system.population.name}_{hospital}_{seeds[hospital]}"
        for hospital in "AB"
    }
    for hospital, home in homes.items():
        if not (home / "cohort.toml").exists():
            scans = PhantomSettings(matrix=given.matrix, slices=given.slices, thickness_mm=given.thickness)
            system.phantom(home, patients=counts[hospital], seed=seeds[hospital], hospital=hospital, settings=scans)
    settings = override(system.quick, {"seed": given.seed} | tomllib.loads("\n".join(given.set)))
    out = folder / f"{name}_{seeds['A']}_{seeds['B']}"
    start = time.perf_counter()
    train(system, homes["A"], run=out, settings=settings, prepared=folder / f"{homes['A'].name}_{name}")
    print(f"\n{name}: {counts}, seed {given.seed}, {time.perf_counter() - start:.0f} s of training")
    validate(out, homes["B"], out=out / "external" / "phantom_B")
    cohort = load_cohort(homes["B"])
    people = draw_patients(
        given.new, population=system.population, seed=seeds["B"], difficulty=DIFFICULTY, hospital="B"
    )
    truth = pd.read_csv(homes["B"] / "truth.csv", index_col="patient_id")
    truth["infiltration"] = [max(lesion.infiltration for lesion in each.tumour.lesions) for each in people]
    show(out / "external" / "phantom_B", cohort=cohort, truth=truth)


def show(results: Path, *, cohort: Cohort, truth: pd.DataFrame) -> None:
    """The external score of each endpoint, of what stands beside it, and of the oracle."""
    table = read_predictions(results / "predictions.parquet")
    patients = table[table["specimen_id"].isna() & table["score"].notna()]
    file = results / "comparators.parquet"
    beside = pd.read_parquet(file) if file.exists() else pd.DataFrame()
    for endpoint, rows in patients.groupby("endpoint", sort=False):
        rows = rows.set_index("patient_id")
        score, known = rows["score"].astype(float), cohort.patients.loc[rows.index]
        others = {str(each): beside[each].loc[rows.index].to_numpy() for each in beside}
        if endpoint == "mvi":
            _binary(score, known["mvi"], others | {"oracle": truth.loc[rows.index, "infiltration"].to_numpy()})
        else:
            oracle = truth.loc[rows.index, "recurrence_log_hazard"] + 0.5 * truth.loc[rows.index, "aggressiveness"]
            _survival(str(endpoint), rows, known, others | {"oracle": oracle.to_numpy()})


def _binary(score: pd.Series, label: pd.Series, others: dict[str, np.ndarray]) -> None:
    truth = label.to_numpy(int)
    print(f"AUROC of mvi, {len(truth)} patients, {truth.sum()} with it: {auroc(truth, score=score)}")
    for name, other in others.items():
        against = _against(compare_auroc(truth, score_a=score, score_b=other))
        print(f"  {name}: {auroc(truth, score=other)}; system less this: {against}")


def _survival(endpoint: str, rows: pd.DataFrame, known: pd.DataFrame, others: dict[str, np.ndarray]) -> None:
    time_, event = known[f"{endpoint}_months"].to_numpy(), (known[f"{endpoint}_event"] == 1).to_numpy(int)
    score = Risk(rows["score"].to_numpy(float))
    own = c_index(time_, event=event, score=score)
    print(f"C-index of {endpoint}, {len(event)} patients, {event.sum()} events: {own}")
    for name, other in others.items():
        found = compare_c_index(time_, event=event, score_a=score, score_b=Risk(other))
        print(f"  {name}: {c_index(time_, event=event, score=Risk(other))}; system less this: {_against(found)}")
    high = (rows["group"] == "high").to_numpy()
    groups = {"high": high, "low": ~high}
    curves = {name: kaplan_meier(time_[who], event=event[who]).at([24.0]).iloc[0] for name, who in groups.items()}
    free = ", ".join(f"{name} {each.survival:.2f} ({each.low:.2f} to {each.high:.2f})" for name, each in curves.items())
    log_rank = log_rank_p(time_, event=event, group=high)
    print(f"  by the locked cut-off {high.sum()} are high; free of the event at 24 months: {free}")
    print(f"  log-rank P {log_rank.value:.2g}")


def _against(found: Comparison) -> str:
    return f"{found.difference}, P {found.p:.2g}"


if __name__ == "__main__":
    study(__doc__, run, patients=140, new=120, seed=1, new_seed=1000, matrix=128, slices=32, thickness=5)
