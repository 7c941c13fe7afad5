"""Predict: a locked model's risk for new patients, with a picture of where each risk comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import MicronsPerPixel, write_predictions
from hepatica.cohort.atomic import replacing
from hepatica.protocol import Inference, Material, ModelIdentity
from hepatica.runs.export import export_precision, exported
from hepatica.runs.inputs import read_inputs
from hepatica.runs.lock import LockedRun, changed, identity, open_run
from hepatica.runs.pictures import draw_specimens
from hepatica.runs.scores import pooled, predictions

SPECIMENS = "specimens.csv"
"""What was read of each specimen, how it went, and what the system says of it beside its score."""


def predict(
    run: Path,
    inputs: Sequence[Path],
    *,
    out: Path,
    mpp: MicronsPerPixel | None = None,
    pictures: int = 20,
    changes: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Predict a cohort folder, or bare files and studies; draw the first `pictures` specimens.

    Writes predictions.csv, specimens.csv, the pictures and, where the system has them, results for the archive (DICOM).
    All are called by their row, never by a name that might identify a patient. A specimen that cannot be used is told
    in the ledger; SpecimenError when none can. The fold of a patient whose files the model was trained on is
    `seen_in_training`: his score means nothing. `changes` are settings of reading, as in `validate`. Networks that
    `hepatica export` wrote are used where they are; pictures are always the locked network's own.
    """
    locked = changed(open_run(run), changes or {})
    specimens = read_inputs(inputs, modality=locked.system.modality, mpp=mpp)
    material = locked.system.prepare(specimens, locked.settings, out / "prepared")
    network = exported(locked) or locked.network
    inference = locked.system.infer(network, material, locked.settings)
    known = material.specimens["key"].isin(locked.seen_files).groupby(material.specimens["patient_id"]).any()
    folds = known.map({True: "seen_in_training", False: "predicted"})
    table = predictions(pooled(locked.system, inference), folds=folds, cutoffs=locked.cutoffs)
    write_predictions(table, path=out / "predictions.csv")
    _describe(material, inference, path=out / SPECIMENS)
    drawn = [specimen for specimen in specimens if specimen.specimen_id in set(table["specimen_id"].dropna())]
    draw_specimens(locked, drawn[:pictures], material=material, regions=inference.regions, out=out)
    if locked.system.deliver is not None:
        for specimen in drawn:
            locked.system.deliver(
                specimen,
                material=material,
                inference=inference,
                settings=locked.settings,
                cutoffs=locked.cutoffs,
                saliency=partial(locked.system.saliency, locked.network),
                model=identity(locked) if network is locked.network else _as_exported(locked),
                folder=out / f"specimen_{specimen.row:04d}_dicom",
            )
    return table


def _as_exported(locked: LockedRun) -> ModelIdentity:
    """The model's identity, with a note that its exported networks were used."""
    own = identity(locked)
    return replace(own, note=f"{own.note}; networks exported to ONNX, {export_precision(locked)}")


def _describe(material: Material, inference: Inference, *, path: Path) -> None:
    """What was read of each specimen, and what the system says of it beside the score; a row each, failed ones too."""
    said = inference.specimens.drop(columns=["endpoint", "horizon_months", "score"]).drop_duplicates()
    keys = ["patient_id", "specimen_id"]
    read = material.specimens.drop(columns="key").merge(said, on=keys, how="left")
    described = pd.concat([read, material.failures[[*keys, "error"]]])
    with replacing(path) as temporary:
        described.to_csv(temporary, index=False)
