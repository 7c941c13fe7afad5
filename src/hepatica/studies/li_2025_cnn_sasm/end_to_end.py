"""End to end: CNN-SASM trained on the raw recurrence label, a network a target, without a second stage.

The paper's comparison in Table 3, "under the same configuration": the same network, tiles, augmentation and plan.

Unclear: how the paper goes from tiles to patients here; as for the denoised recurrence score, an image's risk is the
mean over its tiles and a patient's the mean over their images.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import Target, read_predictions, write_predictions
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import write_sealed
from hepatica.learn import infer
from hepatica.pathology.store import TileStore
from hepatica.protocol import Inference, Training
from hepatica.runs.scores import median_cutoffs, pooled, predictions
from hepatica.studies.li_2025_cnn_sasm.candidates import sasm
from hepatica.studies.li_2025_cnn_sasm.cross_validation import relapse_probability
from hepatica.studies.li_2025_cnn_sasm.settings import StudySettings
from hepatica.systems.li_2025_cnn_sasm import SYSTEM, train_extractor


def end_to_end(training: Training[StudySettings, TileStore], *, folder: Path) -> tuple[pd.DataFrame, dict[str, float]]:
    """Predictions table of patients of the folds test and set_aside, and the training median of each target."""
    table, cutoffs = folder / "predictions.parquet", folder / "cutoffs.json"
    if not table.exists():
        scored = pooled(SYSTEM, _inference(training, folder=folder / "work"), settings=training.settings)
        patients = scored[scored["specimen_id"].isna()]
        medians = median_cutoffs(patients[patients["patient_id"].isin(training.split.train)])
        write_sealed(cutoffs, medians)
        folds = training.split.folds().reindex(patients["patient_id"].unique()).fillna("set_aside")
        scores = predictions(patients, folds=folds, cutoffs=medians)
        write_predictions(scores[scores["fold"].isin(["test", "set_aside"])], path=table)
    return read_predictions(table), read_json(cutoffs)


def _inference(training: Training[StudySettings, TileStore], *, folder: Path) -> Inference:
    parts = [_images(training, target, folder=folder / target.key) for target in training.task.targets]
    nothing = np.zeros((0, 0), np.float32)
    return Inference(specimens=pd.concat(parts), regions=pd.DataFrame(), signatures=nothing)


def _images(training: Training[StudySettings, TileStore], target: Target, *, folder: Path) -> pd.DataFrame:
    """Risk of every image of the cohort for one target."""
    settings, cohort = training.settings, training.cohort
    label = cohort.label(target).dropna()
    samples = {
        fold: training.material.labelled(label.loc[label.index.intersection(list(getattr(training.split, fold)))])
        for fold in ("train", "validation")
    }
    network: Any = sasm(settings)
    train_extractor(replace(training, folder=folder), network, samples)
    tiles = training.material
    score = infer(network, tiles, batch=settings.batch, label=target.label, outputs=relapse_probability)
    means = tiles.mean_by_specimen(score[:, None])
    horizon = np.nan if target.horizon is None else target.horizon
    return means.index.to_frame(index=False).assign(
        endpoint=target.endpoint, horizon_months=horizon, score=means[0].to_numpy()
    )
