"""Found: what a study of Li 2025 found, read once from its folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import RunError, TimeToEvent, read_predictions
from hepatica.cohort.atomic import read_json
from hepatica.protocol import from_plain
from hepatica.report.page import Results, Run, read_run
from hepatica.runs import RunFolder, read_settings
from hepatica.studies.li_2025_cnn_sasm.interpretation import FOUND
from hepatica.studies.li_2025_cnn_sasm.settings import StudySettings
from hepatica.studies.li_2025_cnn_sasm.subsets import confirmed, subset_folder
from hepatica.systems.li_2025_cnn_sasm import Settings

FOLDER = "interpretation"
"""Folder of the pictures of what the network looks at."""

NEEDED = (
    "choice.json",
    "cells.parquet",
    "out_of_fold.parquet",
    "end_to_end/predictions.parquet",
    f"{FOLDER}/{FOUND}",
)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A finished study; every table is about patients no network that scored them was trained on.

    `run` is the locked model of the chosen subset with its validations, `subsets` the runs of all subsets by their
    ratio ("1/4" … "1"), on the same split, chosen one included.
    `cells`: one row a held-out tile, candidate, ratio and fold of the cross-validation (see
    `hepatica.studies.li_2025_cnn_sasm.cross_validation`). `choice`: what was chosen and why.
    `out_of_fold`: predictions table of the chosen subset's risk of each training patient, made by a network that was
    not trained on them; its fold is the number of the held-out fold, "1" …
    `end_to_end`: predictions table of networks trained on raw labels, a network a target; folds test and set_aside.
    `end_to_end_cutoffs`: the training median of each of these networks, by the key of its target.
    """

    folder: Path
    settings: StudySettings
    run: Run
    subsets: Mapping[str, Run]
    cells: pd.DataFrame
    choice: Mapping[str, Any]
    out_of_fold: pd.DataFrame
    end_to_end: pd.DataFrame
    end_to_end_cutoffs: Mapping[str, float]


def confirmed_patients(results: Results, status: pd.Series, settings: Settings, *, ratio: Fraction) -> tuple[str, ...]:
    """Those of the patients of known `status` whose overall survival confirms it; none where survival is unknown."""
    columns = results.cohort["endpoints"].get(settings.survival)
    if columns is None:
        return ()
    survival = TimeToEvent(name=settings.survival, **columns)
    return confirmed(status, results.patients.loc[status.index], survival, settings, ratio=ratio)


def read_study(folder: Path) -> Study:
    """Read a study's folder; RunError when it is unfinished or a run of it was altered."""
    head = read_settings(RunFolder(folder))
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise RunError(f"{folder} lacks {', '.join(missing)}; finish hepatica study there first")
    settings: StudySettings = from_plain(StudySettings(), head["settings"])
    subsets = {str(ratio): read_run(subset_folder(folder, ratio)) for ratio in settings.ratios}
    choice = read_json(folder / "choice.json")
    return Study(
        folder=folder,
        settings=settings,
        run=subsets[choice["ratio"]],
        subsets=subsets,
        cells=pd.read_parquet(folder / "cells.parquet"),
        choice=choice,
        out_of_fold=read_predictions(folder / "out_of_fold.parquet"),
        end_to_end=read_predictions(folder / "end_to_end" / "predictions.parquet"),
        end_to_end_cutoffs=read_json(folder / "end_to_end" / "cutoffs.json"),
    )
