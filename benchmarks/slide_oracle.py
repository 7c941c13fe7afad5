"""Oracle of slides: external C-index of a validated run on phantoms, beside risks that know the phantom's truth.

    python benchmarks/slide_oracle.py RUN COHORT

COHORT is the phantom cohort of RUN/external/COHORT. `aggressiveness` is all that slides show; `hazard` also knows
invasion, size and treatment. Of a run of subtypes: also the adjusted Rand index with thirds of the aggressiveness and
with the genomic clusters, and the same tests of survival for these.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from hepatica.cohort import load_cohort, read_predictions
from hepatica.evaluate import c_index
from hepatica.evaluate.survival.survival import subtype_metrics


def main(run: Path, folder: Path) -> None:
    """Print a line for each risk."""
    table = read_predictions(run / "external" / folder.name / "predictions.parquet")
    score = table[table["specimen_id"].isna() & table["score"].notna()].drop_duplicates("patient_id")
    score = score.set_index("patient_id")
    endpoint = load_cohort(folder).survival(score["endpoint"].iloc[0])
    patients = load_cohort(folder).patients.loc[score.index]
    truth = pd.read_csv(folder / "truth.csv", index_col="patient_id").loc[score.index]
    time, event = patients[endpoint.time].to_numpy(), (patients[endpoint.event] == 1).to_numpy()
    risks = {
        "system": score["score"],
        "aggressiveness": truth["aggressiveness"],
        "hazard": truth["recurrence_log_hazard"],
    }
    for name, risk in risks.items():
        found = c_index(time, event=event, score=risk.to_numpy())
        print(f"{endpoint.name}, {len(risk)} patients, {name}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f})")
    if score["task"].iloc[0] == "subtypes":
        thirds = pd.qcut(-truth["aggressiveness"], 3, labels=["1", "2", "3"]).astype(str)
        groups = {"subtypes": score["group"].astype(str), "thirds of aggressiveness": thirds}
        compared(groups | {"genomic clusters": patients["genomic_cluster"].astype(str)}, time, event)


def compared(groups: dict[str, pd.Series], time: np.ndarray, event: np.ndarray) -> None:
    """Print for each grouping its sizes, adjusted Rand index with the first, and tests of survival."""
    first = next(iter(groups.values()))
    for name, own in groups.items():
        tests = subtype_metrics(time, event=event, group=own, share=pd.get_dummies(own))
        said = ", ".join(f"{key} {each.value:.3f}" for key, each in tests.items())
        sizes = own.value_counts().sort_index().to_dict()
        print(f"{name} {sizes}: adjusted Rand index with the subtypes {adjusted_rand_score(first, own):.3f}, {said}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
