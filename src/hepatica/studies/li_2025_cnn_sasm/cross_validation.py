"""Cross-validation: every candidate network on every denoised subset, patients scored by networks new to them.

Only training patients take part; the test patients of the study are never used. The quantiles that make a
denoised subset are those of the patients trained on; whether a held-out patient is denoised is judged among
the held-out patients of their fold.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from hepatica.cohort import Split, fold_patients, read_predictions, split_patients, write_predictions
from hepatica.cohort.seal import sealing
from hepatica.learn import infer
from hepatica.networks import Reading
from hepatica.pathology.store import TileStore
from hepatica.protocol import Training
from hepatica.runs.scores import pooled
from hepatica.studies.li_2025_cnn_sasm.candidates import CANDIDATES
from hepatica.studies.li_2025_cnn_sasm.settings import Name, StudySettings
from hepatica.studies.li_2025_cnn_sasm.subsets import confirmed
from hepatica.systems.li_2025_cnn_sasm import SYSTEM, build, denoised_tiles, train_extractor
from hepatica.systems.li_2025_cnn_sasm import train as train_system


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training of the cross-validation: a candidate, a subset and a fold."""

    candidate: Name
    ratio: Fraction
    fold: int
    kept: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name for files."""
        return f"{self.candidate}_{self.ratio.numerator}_of_{self.ratio.denominator}_fold_{self.fold}"


def final_status(training: Training[Any, Any], patients: Sequence[str]) -> pd.Series:
    """Status of each patient at the end of follow-up: 1 relapsed, 0 relapse-free."""
    endpoint = training.cohort.endpoint(training.settings.endpoint)
    return endpoint.label(training.cohort.patients.loc[list(patients)], horizon=None)


def development(training: Training[Any, Any]) -> list[str]:
    """Patients one may choose on: those of training and validation."""
    return [*training.split.train, *training.split.validation]


def folds_of(training: Training[Any, Any]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(kept, held-out) patients of each fold; the same in every part of the study."""
    status, settings = final_status(training, development(training)), training.settings
    return list(fold_patients(status, folds=settings.folds, seed=settings.seed))


def cells_of(training: Training[StudySettings, TileStore]) -> Iterator[Cell]:
    """All trainings, in the order of Table 2."""
    folds = folds_of(training)
    for candidate in training.settings.candidates:
        for ratio in training.settings.ratios:
            for fold, (kept, held_out) in enumerate(folds, start=1):
                yield Cell(candidate=candidate, ratio=ratio, fold=fold, kept=kept, held_out=held_out)


def cross_validate(training: Training[StudySettings, TileStore], *, folder: Path) -> pd.DataFrame:
    """Scores of every held-out tile: candidate, ratio, fold, patient_id, specimen_id, score in 0..1, label, denoised.

    `label` is the patient's final status, `denoised` whether their survival confirms it. One file a cell in `folder`: a
    cell that is there is not trained again, one that was stopped goes on.
    """
    cells, console, tables = list(cells_of(training)), Console(stderr=True), []
    for number, cell in enumerate(cells, start=1):
        path = folder / f"{cell.name}.parquet"
        if not path.exists():
            console.print(
                f"cross-validation {number} of {len(cells)}: {cell.candidate}, subset {cell.ratio}, fold {cell.fold}",
                highlight=False,
            )
            table = _scored(training, cell, folder=folder / cell.name)
            with sealing(path) as temporary:
                table.to_parquet(temporary, index=False)
            shutil.rmtree(folder / cell.name)
        tables.append(pd.read_parquet(path))
    return pd.concat(tables, ignore_index=True)


def _scored(training: Training[StudySettings, TileStore], cell: Cell, *, folder: Path) -> pd.DataFrame:
    settings = replace(training.settings, ratio=cell.ratio, monitor="train_loss")
    split = Split(train=cell.kept, validation=(), test=cell.held_out)
    own = replace(training, split=split, settings=settings, folder=folder)
    network: Any = CANDIDATES[cell.candidate].build(settings)
    train_extractor(own, network, {"train": denoised_tiles(own, cell.kept)})
    tiles = training.material.select(patient_ids=cell.held_out)
    score = infer(network, tiles, batch=settings.batch, label="reading tiles", outputs=relapse_probability)
    status = final_status(training, cell.held_out)
    owner = tiles.index["patient_id"]
    return tiles.index[["patient_id", "specimen_id"]].assign(
        candidate=cell.candidate,
        ratio=str(cell.ratio),
        fold=cell.fold,
        score=score,
        label=status.loc[owner].to_numpy(int),
        denoised=owner.isin(denoised_patients(own, cell.held_out)),
    )


def relapse_probability(answer: Reading) -> Any:
    """Probability of relapse from what any candidate returns."""
    return answer.logits.softmax(1)[:, 1]


def denoised_patients(training: Training[Any, Any], patients: Sequence[str]) -> tuple[str, ...]:
    """Those of the patients whose survival confirms their final status, judged among themselves; none of one class."""
    settings, cohort = training.settings, training.cohort
    survival = cohort.survival(settings.survival)
    return confirmed(final_status(training, patients), cohort.patients, survival, settings, ratio=settings.ratio)


def out_of_fold(training: Training[StudySettings, TileStore], *, folder: Path) -> pd.DataFrame:
    """Predictions table of the held-out patients of every fold, by networks of both stages not trained on them; its
    fold is the fold's number. Resumes as fit does.

    The value of the signature beside clinical indicators can only be estimated from such risks, because scores of
    patients a network was trained on are too extreme.
    """
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
