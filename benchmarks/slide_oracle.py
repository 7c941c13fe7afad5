"""Oracle of slides: external C-index of a validated run on phantoms, beside risks that know the phantom's truth.

    python benchmarks/slide_oracle.py RUN COHORT

COHORT is the phantom cohort of RUN/external/COHORT. `aggressiveness` is all that slides show; `hazard` also knows
invasion, size and treatment.
"""

import sys
from pathlib import Path

import pandas as pd

from hepatica.cohort import load_cohort, read_predictions
from hepatica.evaluate import c_index


def main(run: Path, folder: Path) -> None:
    """Print a line for each risk."""
    table = read_predictions(run / "external" / folder.name / "predictions.parquet")
    score = table[table["specimen_id"].isna() & table["score"].notna()].set_index("patient_id")
    endpoint = load_cohort(folder).survival(score["endpoint"].iloc[0])
    patients = load_cohort(folder).patients.loc[score.index]
    truth = pd.read_csv(folder / "truth.csv", index_col="patient_id").loc[score.index]
    risks = {
        "system": score["score"],
        "aggressiveness": truth["aggressiveness"],
        "hazard": truth["recurrence_log_hazard"],
    }
    for name, risk in risks.items():
        event = patients[endpoint.event] == 1
        found = c_index(patients[endpoint.time].to_numpy(), event=event.to_numpy(), score=risk.to_numpy())
        print(f"{endpoint.name}, {len(risk)} patients, {name}: {found.value:.3f} ({found.low:.3f} to {found.high:.3f})")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
