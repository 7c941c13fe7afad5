"""Study: the analyses of Liu 2022 in their order.

The classifier trained on resected patients and locked, validated on each further cohort, such as transplanted patients
and a public cohort; the tiles of highest and lowest score counted; and everything that the abstracts leave open changed
one thing at a time. Statistics are the report's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import Any

import pandas as pd

from hepatica.cohort import MicronsPerPixel, load_cohort
from hepatica.cohort.remote import bring_all
from hepatica.pathology.nuclei.detections import contact_sheet, review
from hepatica.pathology.nuclei.training import Finder
from hepatica.protocol import override
from hepatica.report import Chapter
from hepatica.report.chapters.follow_up.ablation import ABLATIONS
from hepatica.report.chapters.reviewed import REVIEW, SHEET
from hepatica.report.page import Run, read_run
from hepatica.runs import LockedRun, RunFolder, explain, open_run, train, validate
from hepatica.runs.folder import start_run
from hepatica.runs.inputs import files_of
from hepatica.runs.lock import picture_note
from hepatica.studies.liu_2022_mobilenetv2_hcc_class.chapters import CHAPTERS
from hepatica.studies.study import Study, Work
from hepatica.systems.liu_2022_mobilenetv2_hcc_class import SYSTEM, Settings

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "no nuclear map": {"nuclear": "none"},
    "nuclear map in a branch of its own": {"nuclear": "branches"},
    "tile times nuclear map": {"nuclear": "multiplied"},
    "mean of tiles": {"pool": "mean"},
    "attention": {"pool": "attention"},
    "highest tiles": {"pool": "top_k"},
    "all outcomes": {"outcome": "all"},
}
"""What the abstracts leave open, changed one thing at a time."""

EXPLAINED = 4
"""Slides drawn of each cohort, half of high and half of low risk (ours)."""


def steps(work: Work) -> None:
    """Train and lock, validate, count, and train the variants on the same patients."""
    _trained(work, work.run, {}, prepared=None)
    locked = open_run(work.run)
    for out, folder in work.results(work.run).items():
        if not (out / "explained" / "explained.json").exists():
            explain(locked.folder.path, folder, results=out, specimens=EXPLAINED)
        work.once(out / REVIEW, partial(_review, locked, folder, out), step=f"tiles of {folder.name} counted")
    work.side_by_side(_variant, VARIANTS)


def _variant(work: Work, name: str) -> None:
    _trained(work, work.run / ABLATIONS / name.replace(" ", "_"), VARIANTS[name], prepared=work.run)


def _trained(work: Work, run: Path, changes: Mapping[str, Any], *, prepared: Path | None) -> None:
    """Train on the study's cohort and validate on the others; tiles are shared with the run `prepared`."""
    share = None if prepared is None else prepared / "prepared"
    title = run.name.replace("_", " ") if changes else "MobileNetV2_HCC_Class"
    work.say(f"{title}: trained, locked")
    settings = override(work.settings, changes)
    if changes:
        _share_stages(work, RunFolder(run), settings)
    train(SYSTEM, work.cohort, run=run, settings=settings, trainer=work.trainer, prepared=share)
    for name, folder in work.external.items():
        work.say(f"{title}: validation on {name}")
        own = None if prepared is None else prepared / "external" / name / "prepared"
        validate(run, folder, out=run / "external" / name, prepared=own)


def _share_stages(work: Work, run: RunFolder, settings: Settings) -> None:
    """Begin a variant with what the study's run has learnt before the variant departs from it: from the same pictures,
    plan and seed comes the same nuclear U-Net, and whatever the pool, the same warm-up.
    """
    start_run(run, reference=SYSTEM.name, system=SYSTEM, settings=settings, cohort=load_cohort(work.cohort))
    alike = replace(settings, pool=work.settings.pool) == work.settings
    for stage in ("nuclei", "warm-up") if alike else ("nuclei",):
        own, made = run.work / stage, RunFolder(work.run).work / stage
        if made.is_dir() and not own.exists():
            copytree(made, own)


def _review(locked: LockedRun, folder: Path, out: Path) -> pd.DataFrame:
    """FINDINGS of the extreme tiles of patients the model has not seen, and the contact sheet beside the results."""
    settings, network = locked.settings, locked.network
    regions = pd.read_parquet(out / "regions.parquet")
    patients = pd.read_parquet(out / "patients.parquet")
    unseen = regions["patient_id"].isin(patients.index[patients["fold"].isin(["test", "external"])])
    cohort = load_cohort(folder)
    bring_all(files_of(SYSTEM, cohort))
    tiles = SYSTEM.prepare(cohort, settings, out / "prepared")
    tiles = tiles.select(patient_ids=regions.loc[unseen, "patient_id"].unique())
    finder = Finder(network=network.embed.nuclei, mpp=MicronsPerPixel(settings.mpp))  # type: ignore[union-attr, arg-type]
    own = tiles.index[["specimen_id", "tile"]].merge(regions, on=["specimen_id", "tile"], how="left")
    table = review(tiles, own, finder)
    contact_sheet(tiles, table, path=out / SHEET, note=picture_note(locked), meaning=SYSTEM.meaning)
    return table


def chapters(folder: Path) -> tuple[Run, Sequence[Chapter]]:
    """The run; beside the results of each cohort lie the counted tiles, beside the run its variants."""
    return read_run(folder), CHAPTERS


STUDY = Study(settings=SYSTEM.settings, quick=SYSTEM.quick, steps=steps, chapters=chapters)
