"""Subsets: CNN-SASM trained, locked and validated on each denoised subset, on one and the same split."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from hepatica.pathology.store import TileStore
from hepatica.protocol import Training
from hepatica.runs import LockedRun, train, validate
from hepatica.studies.external import external_names
from hepatica.studies.li_2025.settings import StudySettings
from hepatica.systems.li_2025_cnn_sasm import SYSTEM


def subset_folder(study: Path, ratio: Fraction) -> Path:
    """The run folder of a subset."""
    return study / "subsets" / f"{ratio.numerator}_of_{ratio.denominator}"


def train_subsets(
    cohort: Path, *, study: Path, settings: StudySettings, trainer: Mapping[str, Any], prepared: Path
) -> dict[str, LockedRun]:
    """A locked run of each ratio, by its name such as 1/2."""
    return {
        str(ratio): train(
            SYSTEM,
            cohort,
            run=subset_folder(study, ratio),
            settings=settings.of_system(ratio=ratio),
            trainer=trainer,
            prepared=prepared,
        )
        for ratio in settings.ratios
    }


def validate_subsets(
    external: Sequence[Path], *, training: Training[StudySettings, TileStore], study: Path, prepared: Path
) -> None:
    """Validate every run on each external cohort, which is read no more densely than the training slides were."""
    settings, split = training.settings, training.split
    changes = {}
    if settings.undersample:
        trained = training.material.select(patient_ids=[*split.train, *split.validation])
        changes = {"tiles_per_specimen": int(trained.specimens["tiles"].median())}
    for ratio in settings.ratios:
        run = subset_folder(study, ratio)
        for cohort, name in zip(external, external_names(external), strict=True):
            validate(
                run,
                cohort,
                out=run / "external" / name,
                changes=changes,
                least_follow_up=settings.least_follow_up,
                prepared=prepared,
            )
