"""Every patient is scored once by each network and subset, by a network that was not trained on them."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hepatica.cohort import Split, load_cohort
from hepatica.cohort.seal import SEAL
from hepatica.protocol import Training
from hepatica.runs import RunFolder
from hepatica.studies.li_2025_cnn_sasm.cross_validation import cells_of, denoised_patients, development, folds_of
from hepatica.studies.li_2025_cnn_sasm.subsets import subset_folder
from hepatica.systems.li_2025_cnn_sasm import SYSTEM


@pytest.fixture(scope="module")
def training(studied: Any) -> Training[Any, Any]:
    cohort = load_cohort(studied.cohort)
    return Training(
        network=None,
        material=SYSTEM.prepare(cohort, studied.settings, studied.folder / "prepared"),
        cohort=cohort,
        split=Split.read(RunFolder(subset_folder(studied.folder, Fraction(1))).split),
        settings=studied.settings,
        folder=studied.folder / "work",
        trainer={},
        task=SYSTEM.tasks(studied.settings)[0],
    )


@pytest.fixture(scope="module")
def cells(studied: Any) -> pd.DataFrame:
    return pd.read_parquet(studied.folder / "cells.parquet")


def test_folds_hold_each_development_patient_once_and_no_test_patient(training: Training[Any, Any]) -> None:
    held_out = [patient for _, own in folds_of(training) for patient in own]
    assert sorted(held_out) == sorted(development(training))
    assert not set(held_out) & set(training.split.test)
    assert all(not set(kept) & set(own) for kept, own in folds_of(training))


def test_every_tile_is_scored_once_a_cell(cells: pd.DataFrame, training: Training[Any, Any]) -> None:
    tiles = training.material.select(patient_ids=development(training))
    for _, own in cells.groupby(["candidate", "ratio"]):
        assert len(own) == len(tiles)
        assert own.groupby("patient_id")["fold"].nunique().eq(1).all()
    assert cells["score"].between(0, 1).all()
    assert len(cells.groupby(["candidate", "ratio", "fold"])) == len(list(cells_of(training)))


def test_labels_are_the_final_status(cells: pd.DataFrame, training: Training[Any, Any]) -> None:
    event = training.cohort.patients["recurrence_event"]
    assert (cells["label"] == cells["patient_id"].map(event)).all()


def test_everybody_is_denoised_at_ratio_1_and_fewer_below(cells: pd.DataFrame) -> None:
    assert cells.loc[cells["ratio"] == "1", "denoised"].all()
    assert not cells.loc[cells["ratio"] == "1/2", "denoised"].all()


def test_nobody_is_denoised_where_one_class_is_absent(training: Training[Any, Any]) -> None:
    event = training.cohort.patients["recurrence_event"]
    relapsed = event.index[event == 1][:3]
    assert denoised_patients(training, list(relapsed)) == ()


def test_cells_leave_one_file_each_and_no_checkpoint(studied: Any) -> None:
    left = [path.name for path in (studied.folder / "cells").iterdir()]
    assert all(name.endswith(".parquet") or name == SEAL for name in left)
    assert Path("DenseNet121_1_of_2_fold_1.parquet").name in left
