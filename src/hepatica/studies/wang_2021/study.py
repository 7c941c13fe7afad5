"""Study: the analyses of Wang 2021 in their order, each written down when it is done and never done twice.

NoduleNet and HCCNet trained and locked, validated on other hospitals, explained; the readers of each cohort beside
them; what excites NoduleNet against what experts outlined. Statistics are the report's.
"""

from collections.abc import Mapping, Sequence
from filecmp import cmp
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from hepatica.cohort import load_cohort
from hepatica.cohort.atomic import replacing
from hepatica.runs import LockedRun, explain, open_run, train, validate
from hepatica.studies.external import check_external, external_names
from hepatica.studies.wang_2021.readings import READERS, check_readings
from hepatica.studies.wang_2021.saliency import saliency_hits
from hepatica.systems.wang_2021_hccnet import SYSTEM, Settings

EXPLAINED = 4
"""Studies drawn of each cohort, half of high and half of low risk (ours)."""


def study(
    cohort_folder: Path,
    *,
    run: Path,
    external: Sequence[Path] = (),
    settings: Settings | None = None,
    trainer: Mapping[str, Any] | None = None,
) -> Path:
    """Do the whole study in the folder `run`, and return it; what was done there before is not done again.

    `external` are cohort folders to validate on. A cohort's `readers.csv` and experts' nodule masks are used where they
    are. Raises what training and validating raise, and EvaluationError for a readers.csv that cannot be used.
    """
    settings = settings or SYSTEM.settings
    check_external(external, cohort=load_cohort(cohort_folder), endpoint=settings.endpoint)
    for folder in (cohort_folder, *external):
        check_readings(folder)
    _say("NoduleNet and HCCNet")
    train(SYSTEM, cohort_folder, run=run, settings=settings, trainer=trainer)
    results = {run: cohort_folder}
    for folder, name in zip(external, external_names(external), strict=True):
        _say(f"validation on {name}")
        validate(run, folder, out=run / "external" / name)
        results[run / "external" / name] = folder
    locked = open_run(run)
    for out, folder in results.items():
        _say(f"what excites NoduleNet in {folder.name}")
        _see(locked, folder, out)
        _copy_readers(folder, out)
    return run


def _see(locked: LockedRun, folder: Path, out: Path) -> None:
    if not (out / "explained" / "explained.json").exists():
        explain(locked.folder.path, folder, results=out, specimens=EXPLAINED)
    if not (out / "saliency.parquet").exists():
        slices = SYSTEM.prepare(load_cohort(folder), locked.settings, out / "prepared")
        regions = pd.read_parquet(out / "regions.parquet")
        hits = saliency_hits(locked, slices=slices, regions=regions)
        with replacing(out / "saliency.parquet") as temporary:
            hits.to_parquet(temporary, index=False)


def _copy_readers(folder: Path, out: Path) -> None:
    """Readings as they now are beside the model's results, so that the report needs no cohort folder."""
    source, copy = folder / READERS, out / READERS
    if source.is_file() and not (copy.is_file() and cmp(source, copy, shallow=False)):
        with replacing(copy) as temporary:
            temporary.write_bytes(source.read_bytes())


def _say(step: str) -> None:
    Console(stderr=True).print(f"study: {step}", highlight=False)
