"""Study: the analyses of Li 2025 in their order.

Model selection by cross-validation, CNN-SASM on every denoised subset, the choice of the subset, external validation,
out-of-fold risks for the comparison with clinical indicators, end-to-end training, and what the network looks at.
Statistics are the report's.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import Cohort, SettingsError, Split, Target, load_cohort, read_predictions, write_predictions
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import sealing, write_sealed
from hepatica.learn import infer
from hepatica.pathology.store import TileStore
from hepatica.protocol import Inference, Training
from hepatica.report import Chapter
from hepatica.report.page import Run
from hepatica.runs import RunFolder, open_run
from hepatica.runs.folder import start_run
from hepatica.runs.scores import median_cutoffs, pooled, predictions
from hepatica.studies.li_2025_cnn_sasm.candidates import sasm
from hepatica.studies.li_2025_cnn_sasm.chapters import chapters_of
from hepatica.studies.li_2025_cnn_sasm.choice import choose_subset, generalisation
from hepatica.studies.li_2025_cnn_sasm.cross_validation import cross_validate, out_of_fold, relapse_probability
from hepatica.studies.li_2025_cnn_sasm.found import FOLDER, read_study
from hepatica.studies.li_2025_cnn_sasm.interpretation import interpret
from hepatica.studies.li_2025_cnn_sasm.settings import QUICK, StudySettings
from hepatica.studies.li_2025_cnn_sasm.subsets import subset_folder, train_subsets, validate_subsets
from hepatica.studies.study import Study, Work
from hepatica.systems.li_2025_cnn_sasm import SYSTEM, train_extractor


def check(work: Work) -> None:
    """SettingsError where external patients are to help to choose and there are none."""
    if work.settings.generalisation == "external" and not work.external:
        raise SettingsError('generalisation = "external" needs an external cohort; add --external COHORT')


def steps(work: Work) -> None:
    """All analyses. The test patients are dealt first, by the settings' seed; no training, choice or cut-off sees them.

    Raises RunError when the folder belongs to another study.
    """
    settings, run = work.settings, work.run
    folder, cohort = RunFolder(run), load_cohort(work.cohort)
    start_run(folder, reference=SYSTEM.name, system=SYSTEM, settings=settings, cohort=cohort)
    work.say("CNN-SASM on each denoised subset")
    train_subsets(work, prepared=folder.prepared)
    training = _training(folder, cohort, work)
    work.say("external validation")
    validate_subsets(work, training=training, prepared=folder.prepared)
    work.say("cross-validation of the networks on each subset")
    chosen = _choose(training, work)
    work.say(f"signature of subset {chosen} against end-to-end training and clinical indicators")
    training = replace(training, settings=replace(settings, ratio=chosen))
    if not (run / "out_of_fold.parquet").exists():
        write_predictions(out_of_fold(training, folder=run / "folds"), path=run / "out_of_fold.parquet")
    end_to_end(training, folder=run / "end_to_end")
    work.say("what the network looks at")
    results = subset_folder(run, chosen)
    interpret(open_run(results), cohort=cohort, material=training.material, results=results, out=run / FOLDER)


def _training(folder: RunFolder, cohort: Cohort, work: Work) -> Training[StudySettings, TileStore]:
    """The study's patients and tiles on the split of its runs, which is the same for every subset."""
    settings = work.settings
    return Training(
        network=None,
        material=SYSTEM.prepare(cohort, settings, folder.prepared),
        cohort=cohort,
        split=Split.read(RunFolder(subset_folder(folder.path, settings.ratios[0])).split),
        settings=settings,
        folder=folder.work,
        trainer=work.trainer,
        task=SYSTEM.tasks(settings)[0],
        augment=SYSTEM.augmentation(settings),
    )


def _choose(training: Training[StudySettings, TileStore], work: Work) -> Fraction:
    """Cross-validate and choose, once."""
    run = work.run
    if not (run / "choice.json").exists():
        cells = cross_validate(training, folder=run / "cells")
        with sealing(run / "cells.parquet") as temporary:
            cells.to_parquet(temporary, index=False)
        elsewhere = None if work.settings.generalisation == "held_out" else generalisation(work)
        write_sealed(run / "choice.json", choose_subset(cells, external=elsewhere))
    return Fraction(read_json(run / "choice.json")["ratio"])


def chapters(folder: Path) -> tuple[Run, Sequence[Chapter]]:
    """The run of the chosen subset, and the chapters bound to what the study found beside it."""
    found = read_study(folder)
    return found.run, chapters_of(found)


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


STUDY = Study(settings=StudySettings(), quick=QUICK, steps=steps, chapters=chapters, check=check)
