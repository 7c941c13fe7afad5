"""Subsets: CNN-SASM trained, locked and validated on each denoised subset, on the same split."""

from fractions import Fraction
from pathlib import Path

import pandas as pd

from hepatica.cohort import CohortError, TimeToEvent, confident_patients
from hepatica.pathology.store import TileStore
from hepatica.protocol import Training
from hepatica.runs import LockedRun, train, validate
from hepatica.studies.li_2025_cnn_sasm.settings import StudySettings
from hepatica.studies.study import Work
from hepatica.systems.li_2025_cnn_sasm import SYSTEM, Settings


def subset_folder(study: Path, ratio: Fraction) -> Path:
    """The run folder of a subset."""
    return study / "subsets" / f"{ratio.numerator}_of_{ratio.denominator}"


def confirmed(
    status: pd.Series, patients: pd.DataFrame, survival: TimeToEvent, settings: Settings, *, ratio: Fraction
) -> tuple[str, ...]:
    """Patients of known `status` whose survival confirms it at this ratio; none where a class has no patient."""
    try:
        return confident_patients(
            status, patients=patients, survival=survival, ratio=ratio, variant=settings.confidence
        )
    except CohortError:
        return ()


def train_subsets(work: Work, *, prepared: Path) -> dict[str, LockedRun]:
    """A locked run of each ratio, by its name such as 1/2."""
    return {
        str(ratio): train(
            SYSTEM,
            work.cohort,
            run=subset_folder(work.run, ratio),
            settings=work.settings.of_system(ratio=ratio),
            trainer=work.trainer,
            prepared=prepared,
        )
        for ratio in work.settings.ratios
    }


def validate_subsets(work: Work, *, training: Training[StudySettings, TileStore], prepared: Path) -> None:
    """Validate every run on each external cohort, which is read no more densely than the training slides were."""
    settings, split = training.settings, training.split
    changes = {}
    if settings.undersample:
        trained = training.material.select(patient_ids=[*split.train, *split.validation])
        changes = {"tiles_per_specimen": int(trained.specimens["tiles"].median())}
    for ratio in settings.ratios:
        run = subset_folder(work.run, ratio)
        for name, cohort in work.external.items():
            validate(
                run,
                cohort,
                out=run / "external" / name,
                changes=changes,
                least_follow_up=settings.least_follow_up,
                prepared=prepared,
            )
