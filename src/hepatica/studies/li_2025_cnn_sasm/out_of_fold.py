"""Out of fold: the risk of each training patient from a network, of both stages, that was not trained on them.

The value of the signature beside clinical indicators can only be estimated from such risks, because scores of patients
a network was trained on are too extreme.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd

from hepatica.cohort import Split, read_predictions, split_patients, write_predictions
from hepatica.pathology.store import TileStore
from hepatica.protocol import Training
from hepatica.runs.scores import pooled
from hepatica.studies.li_2025_cnn_sasm.cross_validation import final_status, folds_of
from hepatica.studies.li_2025_cnn_sasm.settings import StudySettings
from hepatica.systems.li_2025_cnn_sasm import SYSTEM, build
from hepatica.systems.li_2025_cnn_sasm import train as train_system


def out_of_fold(training: Training[StudySettings, TileStore], *, folder: Path) -> pd.DataFrame:
    """Predictions table of the held-out patients of every fold; its fold is the fold's number. Resumes as fit does."""
    tables = []
    for fold, (kept, held_out) in enumerate(folds_of(training), start=1):
        path = folder / f"fold_{fold}.parquet"
        if not path.exists():
            write_predictions(_of_fold(training, kept, held_out, fold=fold, folder=folder / f"fold_{fold}"), path=path)
            shutil.rmtree(folder / f"fold_{fold}")
        tables.append(read_predictions(path))
    return pd.concat(tables, ignore_index=True)


def _of_fold(
    training: Training[StudySettings, TileStore],
    kept: tuple[str, ...],
    held_out: tuple[str, ...],
    *,
    fold: int,
    folder: Path,
) -> pd.DataFrame:
    settings = training.settings
    dealt = split_patients(final_status(training, kept), validation=settings.validation, test=0, seed=settings.seed)
    network = build(settings, pretrained=True)
    split = Split(train=dealt.train, validation=dealt.validation, test=held_out)
    train_system(replace(training, network=network, split=split, folder=folder))
    read = SYSTEM.read(network, training.material.select(patient_ids=held_out), settings)
    table = pooled(SYSTEM, read, settings=settings)
    return table[table["specimen_id"].isna()].assign(fold=str(fold), group=None)
