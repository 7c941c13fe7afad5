"""Study: the analyses of Wang 2021 in their order.

NoduleNet and HCCNet trained and locked, validated on other hospitals, explained; the readers of each cohort beside
them; maps of NoduleNet against what experts outlined. Statistics are the report's.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from einops import reduce
from scipy.special import logit

from hepatica.cohort import EvaluationError, RunError, load_cohort
from hepatica.cohort.remote import bring_all
from hepatica.evaluate import read_readers
from hepatica.radiology.slices import SliceStore
from hepatica.report import Chapter
from hepatica.report.chapters.readers import ARMS
from hepatica.report.page import Run, read_run
from hepatica.runs import LockedRun, explain, open_run, train, validate
from hepatica.runs.folder import READERS
from hepatica.runs.inputs import files_of
from hepatica.saliency import dice_at, pointing
from hepatica.studies.study import Study, Work
from hepatica.studies.wang_2021_hccnet.chapters import CHAPTERS
from hepatica.systems.wang_2021_hccnet import SYSTEM

EXPLAINED = 4
"""Studies drawn of each cohort, half of high and half of low risk (ours)."""

MOST_SLICES = 400
"""Slices of a cohort that are judged, evenly spread over those with an outlined nodule (ours)."""

_AT_ONCE = 32


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
    cohort = load_cohort(folder)
    bring_all(files_of(SYSTEM, cohort))
    slices = SYSTEM.prepare(cohort, locked.settings, out / "prepared")
    return saliency_hits(locked, slices=slices, regions=pd.read_parquet(out / "regions.parquet"))


def check(work: Work) -> None:
    """EvaluationError for a readers.csv that cannot be used."""
    for folder in (work.cohort, *work.external.values()):
        check_readings(folder)


def chapters(folder: Path) -> tuple[Run, Sequence[Chapter]]:
    """The run; beside the results of each cohort may lie readers.csv, saliency.parquet and explained/."""
    return read_run(folder), CHAPTERS


def check_readings(folder: Path) -> None:
    """EvaluationError where a cohort folder has readings that cannot be used: see `read_readers`; arms are ARMS."""
    if not (folder / READERS).is_file():
        return
    table = read_readers(folder / READERS, case="case", reader="reader", truth="truth", call="call", arm="arm")
    others = sorted(table.arms.keys() - set(ARMS))
    if others:
        raise EvaluationError(
            f"{READERS} of {folder}: got the arm {', '.join(others)}, wanted {' or '.join(ARMS)}; correct the column"
            " arm"
        )


def saliency_hits(locked: LockedRun, *, slices: SliceStore, regions: pd.DataFrame) -> pd.DataFrame:
    """One row a slice with an outlined nodule: where it is, whether it was found, how well its map meets the outline.

    Columns: patient_id, specimen_id, series, slice, phase; flagged: NoduleNet found it; share: of the slice that is
    nodule, which a blind guess would hit; pointing: 1 where the map's brightest place lies in the nodule, else 0; dice:
    of the nodule and as many of the brightest places. `regions` are the rows of `slices` as the model read them;
    RunError where they differ, because files have changed since.
    """
    _require_same(regions, slices.index)
    shown = np.flatnonzero(slices.index["nodule"].to_numpy() == 1)
    spread = shown[np.unique(np.linspace(0, len(shown) - 1, min(MOST_SLICES, len(shown))).round().astype(int))]
    outlines = slices.nodules(spread)
    seen = outlines.any(axis=(1, 2))  # a nodule may be too small for the pixels the network reads
    chosen, outlines = spread[seen], outlines[seen]
    maps = np.zeros(outlines.shape, np.float32)
    for start in range(0, len(chosen), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        maps[part] = locked.system.explain(locked.network, slices.read(chosen[part]))
    odds = regions["nodule_log_odds"].to_numpy()[chosen]
    return (
        slices.index.loc[chosen, ["patient_id", "specimen_id", "series", "slice", "phase"]]
        .assign(
            flagged=odds >= logit(locked.settings.nodule_probability),
            share=reduce(outlines.astype(float), "b y x -> b", "mean"),
            pointing=pointing(maps, outlines),
            dice=dice_at(maps, outlines),
        )
        .reset_index(drop=True)
    )


def _require_same(regions: pd.DataFrame, index: pd.DataFrame) -> None:
    place = ["specimen_id", "series", "slice"]
    if regions[place].to_numpy().tolist() != index[place].to_numpy().tolist():
        raise RunError(
            f"got {len(index)} slices where the model read {len(regions)}, or others: studies or masks have changed"
            " since; do the study in a new folder"
        )


STUDY = Study(settings=SYSTEM.settings, quick=SYSTEM.quick, steps=steps, chapters=chapters, check=check)
