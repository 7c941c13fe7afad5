"""Study: the analyses of Wang 2021 in their order.

NoduleNet and HCCNet trained and locked, validated on other hospitals, explained; the readers of each cohort beside
them; maps of NoduleNet against what experts outlined. Statistics are the report's.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from hepatica.cohort import load_cohort
from hepatica.report import Chapter
from hepatica.report.page import Run, read_run
from hepatica.runs import LockedRun, explain, open_run, train, validate
from hepatica.studies.study import Study, Work
from hepatica.studies.wang_2021_hccnet.chapters import CHAPTERS
from hepatica.studies.wang_2021_hccnet.readings import check_readings
from hepatica.studies.wang_2021_hccnet.saliency import saliency_hits
from hepatica.systems.wang_2021_hccnet import SYSTEM

EXPLAINED = 4
"""Studies drawn of each cohort, half of high and half of low risk (ours)."""


def steps(work: Work) -> None:
    """Train, validate and explain; a cohort's `readers.csv` and experts' nodule masks are used where they are."""
    work.say("NoduleNet and HCCNet")
    train(SYSTEM, work.cohort, run=work.run, settings=work.settings, trainer=work.trainer)
    for name, folder in work.external.items():
        work.say(f"validation on {name}")
        validate(work.run, folder, out=work.run / "external" / name)
    locked = open_run(work.run)
    for out, folder in work.results(work.run).items():
        if not (out / "explained" / "explained.json").exists():
            explain(locked.folder.path, folder, results=out, specimens=EXPLAINED)
        step = f"maps of NoduleNet in {folder.name}"
        work.once(out / "saliency.parquet", partial(_hits, locked, folder, out), step=step)


def _hits(locked: LockedRun, folder: Path, out: Path) -> pd.DataFrame:
    slices = SYSTEM.prepare(load_cohort(folder), locked.settings, out / "prepared")
    return saliency_hits(locked, slices=slices, regions=pd.read_parquet(out / "regions.parquet"))


def check(work: Work) -> None:
    """EvaluationError for a readers.csv that cannot be used."""
    for folder in (work.cohort, *work.external.values()):
        check_readings(folder)


def chapters(folder: Path) -> tuple[Run, Sequence[Chapter]]:
    """The run; beside the results of each cohort may lie readers.csv, saliency.parquet and explained/."""
    return read_run(folder), CHAPTERS


STUDY = Study(settings=SYSTEM.settings, quick=SYSTEM.quick, steps=steps, chapters=chapters, check=check)
