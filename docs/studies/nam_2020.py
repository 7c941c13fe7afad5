"""Nam 2020 on phantoms and on 227 resections: the numbers of docs/studies/nam_2020.md.

    .venv/bin/python docs/studies/nam_2020.py FOLDER [--resections asaur_hepatoCellular.csv] [--weighted]

Trains both systems on PAIRS pairs of phantom hospitals of the sizes of the papers, seeds fixed beforehand, and prints a
row a comparator: evaluable patients, share at risk, C-index in the second hospital, and the difference of the system.
With --weighted the incidence alone, by inverse probability of censoring weights.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import load_cohort
from hepatica.evaluate import Risk, c_index, cox
from hepatica.protocol import override
from hepatica.report.chapters.variables.comparators import compared
from hepatica.report.page import read_run
from hepatica.runs import train, validate
from hepatica.systems import find_system

PAIRS = tuple(range(2020, 2025))
SIZES = {"nam_2020_incidence": (424, 316), "nam_2020_moral_ai": (349, 214)}

RESECTED = """\
name = "asaur_hepatoCellular"
hospital = "Li 2014"

[endpoints.recurrence]
time = "RFS"
event = "Recurrence"
"""


def hospitals(name: str, folder: Path, seed: int, changes: dict[str, Any]) -> list[str]:
    """Rows of one pair of phantom hospitals: name, comparator, n, at risk, C-index, difference, P."""
    system, (home, away) = find_system(name), SIZES[name]
    system.phantom(folder / "home", patients=home, seed=seed, hospital="A")
    system.phantom(folder / "away", patients=away, seed=seed + 100, hospital="B")
    train(system, folder / "home", run=folder / "run", settings=override(system.settings, changes))
    validate(folder / "run", folder / "away", out=folder / "run/external/away")
    run = read_run(folder / "run")
    results, target = run.external[0], run.targets[-1]
    outcomes, beside = results.outcomes(target), results.comparators()
    truth = pd.read_csv(folder / "away/truth.csv", index_col="patient_id")["recurrence_log_hazard"]
    risk = Risk(truth.loc[outcomes.index].to_numpy())
    oracle = c_index(outcomes["time"], event=outcomes["event"], score=risk)
    own = c_index(outcomes["time"], event=outcomes["event"], score=Risk(outcomes["score"].to_numpy()))
    linear = c_index(
        outcomes["time"], event=outcomes["event"], score=cox_risk(system, folder, target.endpoint, outcomes)
    )
    events = f"events {outcomes['event'].mean():.0%}"
    rows = [f"| {seed} | {target.key} | {events} | oracle {oracle} | system {own} | Cox regression {linear} |"]
    for other in beside:
        values = beside.loc[outcomes.index, other]
        known = values.notna()
        theirs, _, found = compared(outcomes[known.to_numpy()], values[known].to_numpy(), followed=True)
        side = f"{values[known].mean():.0%}" if values[known].isin([0, 1]).all() else ""
        rows.append(f"| {other} | {known.sum()} | {side} | {theirs} | {found.difference} | {found.p:.3f} |")
    return rows


def cox_risk(system: Any, folder: Path, endpoint: str, outcomes: pd.DataFrame) -> Risk:
    """Risk by Cox regression of all patients of the first hospital on the columns that the network reads."""
    home, away = (load_cohort(folder / each) for each in ("home", "away"))
    stores = [system.prepare(each, system.settings, folder / "none") for each in (home, away)]
    known, new = (pd.DataFrame(each.values, columns=list(each.columns)) for each in stores)
    scaled = ((known - known.mean()) / known.std()).fillna(0)
    columns = [name for name in scaled if scaled[name].nunique() > 1]
    followed = home.patients[[f"{endpoint}_months", f"{endpoint}_event"]]
    fitted = cox(scaled[columns], time=followed.iloc[:, 0], event=(followed.iloc[:, 1] == 1).astype(int))
    risk = sum(
        np.log(each.ratio.value) * ((new[name] - known[name].mean()) / known[name].std()).fillna(0)
        for name, each in fitted.items()
    )
    return Risk(pd.Series(np.asarray(risk), index=away.patients.index).loc[outcomes.index].to_numpy())


def resections(table: Path, folder: Path) -> str:
    """The same network on recurrence after resection, a half of the patients for the test."""
    cohort = folder / "cohort"
    cohort.mkdir(parents=True)
    patients = pd.read_csv(table)
    columns = ["Age", "Gender", "Cirrhosis", "ALT", "AST", "AFP", "Tumorsize", "Tumordifferentiation"]
    columns += ["Vascularinvasion", "Tumormultiplicity", "Capsulation"]
    patients["patient_id"] = [f"P{number:03d}" for number in patients["Number"]]
    patients[["patient_id", *columns, "RFS", "Recurrence"]].to_csv(cohort / "patients.csv", index=False)
    (cohort / "cohort.toml").write_text(RESECTED, encoding="utf-8")
    system = find_system("nam_2020_moral_ai")
    lines = []
    for seed in PAIRS:
        settings = override(system.settings, {"columns": columns, "test": 0.5, "seed": seed})
        train(system, load_cohort(cohort), run=folder / f"run_{seed}", settings=settings)
        metrics = pd.read_json(folder / f"run_{seed}/metrics.json").query("metric == 'c_index'").iloc[0]
        lines.append((metrics["value"], metrics["low"], metrics["high"], metrics["n"]))
    line = "; ".join(f"{value:.3f} ({low:.3f} to {high:.3f})" for value, low, high, _ in lines)
    return f"Resections, {lines[0][3]:.0f} test patients: {line}; mean {np.mean([each[0] for each in lines]):.3f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resections", type=Path)
    parser.add_argument("--weighted", action="store_true")
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    changes = {"controls": "weighted"} if given.weighted else {}
    for system_name in SIZES if not given.weighted else ["nam_2020_incidence"]:
        print(f"\n{system_name}")
        for each in PAIRS:
            print("\n".join(hospitals(system_name, given.folder / system_name / str(each), each, changes)), flush=True)
    if given.resections:
        print(resections(given.resections, given.folder / "resections"))
