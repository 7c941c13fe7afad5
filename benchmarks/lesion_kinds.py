"""Lesion kinds: Yasaka 2018 and Hamm 2019 on phantoms: trained in hospital A at `quick`, validated in hospital B.

Beside each network a logistic regression of what a reader would measure: the median level of the lesion and of what is
around it in each phase of the same crops, standardised, with penalty 1 (ours); trained on the same patients.

    nice -n 15 python benchmarks/lesion_kinds.py FOLDER yasaka_2018 hamm_2019
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hepatica.cohort import Split, load_cohort
from hepatica.cohort.atomic import read_json
from hepatica.evaluate.multiclass.metrics import multiclass_metrics
from hepatica.radiology.phantom import PhantomSettings
from hepatica.runs import train, validate
from hepatica.systems import find_system

PATIENTS = {"A": 120, "B": 80}
SEEDS = {"A": 15, "B": 16}
SMALLER = PhantomSettings(matrix=160, slices=28, thickness_mm=5.5)
SHOWN = ("accuracy", "auroc_macro", "lesion_accuracy", "lesion_auroc_macro", "lesion_kappa")


def levels(store) -> tuple[np.ndarray, pd.DataFrame]:
    """Median of lesion and surroundings in each phase (n, 2 x phases) and the rows of `index`."""
    rows = []
    for place in range(len(store)):
        values, mask = store.stored(np.array([place]))[0], store.masks(np.array([place]))[0]
        inside, around = mask == 1, mask == 0
        inside = inside if inside.any() else ~around
        rows.append([float(np.median(phase[where])) for phase in values for where in (inside, around)])
    return np.array(rows), store.index


def simple(system, folders, run: Path, settings) -> dict:
    """Metrics of lesions of hospital B by the logistic regression."""
    task = system.tasks(settings)[0]
    parts = {}
    for name, folder in folders.items():
        cohort = load_cohort(folder)
        found, index = levels(system.prepare(cohort, settings, run.parent / f"levels_{name}"))
        truth = cohort.lesions.set_index(["specimen_id", "lesion_id"])[cohort.endpoint(task.endpoint).lesion]
        parts[name] = (
            found,
            index,
            truth.reindex(pd.MultiIndex.from_frame(index[["specimen_id", "lesion_id"]])).to_numpy(),
        )
    split = Split.read(run / "split.json")
    x, index, y = parts["A"]
    learnt = index["patient_id"].isin([*split.train, *split.validation]).to_numpy() & ~pd.isna(y)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(x[learnt], y[learnt].astype(str))
    x, index, y = parts["B"]
    known = ~pd.isna(y)
    score = model.predict_proba(x[known])[:, [list(model.classes_).index(each) for each in task.classes]]
    return multiclass_metrics(
        y[known], score=score, classes=task.classes, group=index.loc[known, "patient_id"].to_numpy()
    )


def main(folder: Path, names: list[str]) -> None:
    """Print metrics of test patients of A and of B."""
    for name in names:
        system = find_system(name)
        folders = {
            hospital: system.phantom(
                folder / f"{system.modality}_{hospital}", patients=PATIENTS[hospital], seed=SEEDS[hospital],
                hospital=hospital, settings=SMALLER, difficulty=0.3,
            )
            for hospital in PATIENTS
        }  # fmt: skip
        run = folder / name
        train(system, folders["A"], run=run, settings=system.quick)
        validate(run, folders["B"], out=run / "external" / "B")
        for place, out in (("test of A", run), ("B", run / "external" / "B")):
            found = {row["metric"]: row for row in read_json(out / "metrics.json")}
            for metric in SHOWN:
                row = found[metric]
                low, high = row["low"], row["high"]
                print(f"{name}, {place}: {metric} {row['value']:.3f} ({low:.3f} to {high:.3f}), n {row['n']}")
        for metric, each in simple(system, folders, run, system.quick).items():
            if metric in ("accuracy", "auroc_macro", "kappa"):
                print(f"{name}, B, levels alone: lesion_{metric} {each.value:.3f} ({each.low:.3f} to {each.high:.3f})")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
