"""A small finished study of phantom patients: the fixture run with predictions of networks of other folds beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.protocol import override
from hepatica.report.page.results import Run, read_run
from hepatica.runs.scores import predictions
from hepatica.studies.li_2025_cnn_sasm.found import Study
from hepatica.studies.li_2025_cnn_sasm.settings import StudySettings

FOLDS = 5


@pytest.fixture
def make_study(make_run: Callable[..., tuple[Path, list[Path]]]) -> Callable[..., Study]:
    """Write the run of a Case, and make a study of it in memory; `settings` are those of study.toml."""

    def make(*, settings: dict[str, Any] | None = None, **changes: Any) -> Study:
        path, external = make_run(**changes)
        run = read_run(path, external=external)
        return Study(
            folder=path.parent,
            settings=override(StudySettings(), settings or {}),
            run=run,
            subsets={"1/2": run},
            cells=pd.DataFrame(),
            choice={},
            out_of_fold=out_of_fold(run),
            end_to_end=end_to_end(run),
            end_to_end_cutoffs=run.cutoffs,
        )

    return make


def out_of_fold(run: Run) -> pd.DataFrame:
    """Scores of the training patients, each held out in a random fold, as networks of the other folds might give."""
    own = run.internal.predictions
    patients = own.loc[own["fold"] == "train", "patient_id"].unique()
    dealt = dict(zip(patients, np.random.default_rng(7).permutation(len(patients)) % FOLDS + 1, strict=True))
    held_out = own[own["patient_id"].isin(patients)]
    return _noisy(held_out, noise=0.1, seed=8).assign(fold=held_out["patient_id"].map(dealt).astype(str))


def end_to_end(run: Run) -> pd.DataFrame:
    """Scores of the patients held back, as networks trained on raw labels might give: worse than the run's own."""
    own = run.internal.predictions
    table = _noisy(own[own["fold"].isin(["test", "set_aside"])], noise=0.2, seed=9)
    return predictions(table, folds=run.internal.patients["fold"], cutoffs=dict(run.cutoffs))


def _noisy(table: pd.DataFrame, *, noise: float, seed: int) -> pd.DataFrame:
    moved = table["score"].astype(float) + np.random.default_rng(seed).normal(0, noise, len(table))
    return table.assign(score=np.clip(moved, 0.01, 0.99))
