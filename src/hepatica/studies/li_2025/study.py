"""Study: the analyses of Li 2025 in their order, each written down when it is done and never done twice.

Model selection by cross-validation, CNN-SASM on every denoised subset, the choice of the subset, external validation,
out-of-fold risks for the comparison with clinical indicators, end-to-end training, and what the network looks at.
Statistics are the report's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console

from hepatica.cohort import Cohort, SettingsError, Split, load_cohort, write_predictions
from hepatica.cohort.atomic import read_json, replacing, write_json
from hepatica.pathology.store import TileStore
from hepatica.protocol import Training
from hepatica.runs import RunFolder, open_run
from hepatica.runs.folder import start_run
from hepatica.studies.external import check_external, external_names
from hepatica.studies.li_2025.choice import choose_subset
from hepatica.studies.li_2025.cross_validation import cross_validate
from hepatica.studies.li_2025.end_to_end import end_to_end
from hepatica.studies.li_2025.generalisation import generalisation
from hepatica.studies.li_2025.out_of_fold import out_of_fold
from hepatica.studies.li_2025.seeing import see
from hepatica.studies.li_2025.settings import StudySettings
from hepatica.studies.li_2025.subsets import subset_folder, train_subsets, validate_subsets
from hepatica.systems.li_2025_cnn_sasm import SYSTEM


def study(
    cohort_folder: Path,
    *,
    run: Path,
    external: Sequence[Path] = (),
    settings: StudySettings | None = None,
    trainer: Mapping[str, Any] | None = None,
) -> Path:
    """Do the whole study in the folder `run`, and return it; what was done there before is not done again.

    The test patients are dealt first, by the settings' seed, and no training, choice or cut-off sees them. `external`
    are cohort folders to validate on. Raises what training and validating raise, and RunError when `run` belongs to
    another study.
    """
    settings = settings or StudySettings()
    if settings.generalisation == "external" and not external:
        raise SettingsError('generalisation = "external" needs an external cohort; add --external COHORT')
    folder, cohort = RunFolder(run), load_cohort(cohort_folder)
    check_external(external, cohort=cohort, endpoint=settings.endpoint)
    start_run(folder, reference=SYSTEM.name, system=SYSTEM, settings=settings, cohort=cohort)
    _say("CNN-SASM on each denoised subset")
    train_subsets(cohort_folder, study=run, settings=settings, trainer=trainer or {}, prepared=folder.prepared)
    training = _training(folder, cohort, settings, trainer or {})
    _say("external validation")
    validate_subsets(external, training=training, study=run, prepared=folder.prepared)
    _say("cross-validation of the networks on each subset")
    chosen = _choose(training, run, external)
    _say(f"signature of subset {chosen} against end-to-end training and clinical indicators")
    training = replace(training, settings=replace(settings, ratio=chosen))
    if not (run / "out_of_fold.parquet").exists():
        write_predictions(out_of_fold(training, folder=run / "folds"), path=run / "out_of_fold.parquet")
    end_to_end(training, folder=run / "end_to_end")
    _say("what the network looks at")
    results = subset_folder(run, chosen)
    see(open_run(results), cohort=cohort, material=training.material, results=results, out=run / "seeing")
    return run


def _say(step: str) -> None:
    Console(stderr=True).print(f"study: {step}", highlight=False)


def _training(
    folder: RunFolder, cohort: Cohort, settings: StudySettings, trainer: Mapping[str, Any]
) -> Training[StudySettings, TileStore]:
    """The study's patients and tiles on the split of its runs, which is the same for every subset."""
    return Training(
        network=None,
        material=SYSTEM.prepare(cohort, settings, folder.prepared),
        cohort=cohort,
        split=Split.read(RunFolder(subset_folder(folder.path, settings.ratios[0])).split),
        settings=settings,
        folder=folder.work,
        trainer=trainer,
        task=SYSTEM.tasks(settings)[0],
    )


def _choose(training: Training[StudySettings, TileStore], run: Path, external: Sequence[Path]) -> Fraction:
    """Cross-validate and choose, once."""
    if not (run / "choice.json").exists():
        cells = cross_validate(training, folder=run / "cells")
        with replacing(run / "cells.parquet") as temporary:
            cells.to_parquet(temporary, index=False)
        write_json(run / "choice.json", choose_subset(cells, external=_elsewhere(training.settings, run, external)))
    return Fraction(read_json(run / "choice.json")["ratio"])


def _elsewhere(settings: StudySettings, run: Path, external: Sequence[Path]) -> dict[str, float] | None:
    """Generalisation to other hospitals, where the settings ask for it."""
    if settings.generalisation == "held_out":
        return None
    cohorts = [load_cohort(each) for each in external]
    return generalisation(cohorts, external_names(external), study=run, settings=settings)
