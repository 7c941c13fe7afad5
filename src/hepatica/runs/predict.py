"""Predict: a locked model's risk for new patients, with a picture of where each risk comes from."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hepatica.cohort import MicronsPerPixel, write_predictions
from hepatica.runs.inputs import read_inputs
from hepatica.runs.lock import open_run
from hepatica.runs.pictures import draw_specimens
from hepatica.runs.scores import pooled, predictions


def predict(
    run: Path, inputs: Sequence[Path], *, out: Path, mpp: MicronsPerPixel | None = None, pictures: int = 20
) -> pd.DataFrame:
    """Predict a cohort folder or bare files; write predictions.csv and the pictures of the first `pictures` specimens.

    Files and pictures are called by their row, never by a name that might identify a patient. A specimen that cannot be
    used is told in the ledger; SpecimenError when none can. The fold of a patient whose files the model was trained
    on is `seen_in_training`: his score means nothing.
    """
    locked = open_run(run)
    specimens = read_inputs(inputs, modality=locked.system.modality, mpp=mpp)
    material = locked.system.prepare(specimens, locked.settings, out / "prepared")
    inference = locked.system.infer(locked.network, material, locked.settings)
    known = material.specimens["key"].isin(locked.seen_files).groupby(material.specimens["patient_id"]).any()
    folds = known.map({True: "seen_in_training", False: "predicted"})
    table = predictions(pooled(locked.system, inference), folds=folds, cutoffs=locked.cutoffs)
    write_predictions(table, path=out / "predictions.csv")
    drawn = [specimen for specimen in specimens if specimen.specimen_id in set(table["specimen_id"].dropna())]
    draw_specimens(locked, drawn[:pictures], material=material, regions=inference.regions, out=out)
    return table
