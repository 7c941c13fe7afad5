"""Results: what a locked model says of a cohort, as tables in a folder."""

from collections.abc import Mapping, Sequence
from filecmp import cmp
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.numpy import save

from hepatica.cohort import Cohort, CohortError, RunError, write_predictions
from hepatica.cohort.atomic import read_json, replacing, write_json
from hepatica.cohort.preparation import content_of
from hepatica.evaluate.by_task import task_metrics
from hepatica.protocol import Inference, Material
from hepatica.protocol.domain import judged
from hepatica.runs.flow import cohort_flow
from hepatica.runs.folder import RunFolder
from hepatica.runs.lock import LockedRun, keyed
from hepatica.runs.scores import pooled, predictions

READERS = "readers.csv"
"""Readings of the patients of a cohort by readers, in its folder and, as they now are, beside the model's results."""


def write_results(
    locked: LockedRun,
    *,
    cohort: Cohort,
    folds: pd.Series,
    out: Path,
    reported_folds: Sequence[str],
    prepared: Path,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Predict every specimen and write the results into `out`; do nothing when its metrics.json says it was done.

    `folds` maps each patient_id to the name of its fold, which becomes `not_scored` where no specimen could be used;
    `reported_folds` are those whose statistics are computed; `prepared` keeps prepared specimens; `changes` are
    settings that differ from those of training, which are written down. CohortError when a file of a patient who should
    be new to the model was seen in training.
    """
    said = {"digest": cohort.digest, "model": locked.digest, "changes": dict(changes or {})}
    done = _done(out, said=said)
    _copy_readers(cohort, out)
    if done:
        return
    material = locked.system.prepare(cohort, locked.settings, prepared)
    _refuse_seen_files(material, locked=locked, folds=folds)
    inference = locked.system.read(locked.network, material, locked.settings)
    scored = set(inference.specimens["patient_id"])
    dealt, folds = folds, folds.where(folds.index.isin(scored), "not_scored")
    judgement = judged(locked.system, material, domain=locked.domain)
    pool = pooled(locked.system, inference, settings=locked.settings, failures=material.failures, judged=judgement)
    table = predictions(pool, folds=dealt, cutoffs=locked.cutoffs)
    write_predictions(table, path=out / "predictions.parquet")
    _write_regions(inference, out)
    with replacing(out / "patients.parquet") as temporary:
        cohort.patients.assign(fold=folds).to_parquet(temporary)
    with replacing(out / "specimens.parquet") as temporary:
        material.specimens.to_parquet(temporary, index=False)
    flow = cohort_flow(cohort, modality=locked.system.first.modality, material=material, folds=folds)
    write_json(out / "cohort.json", flow | said)
    found = [
        row
        for fold in reported_folds
        if (folds == fold).any()
        for row in task_metrics(table, cohort=cohort, cutoffs=locked.cutoffs, fold=fold)
    ]
    write_json(out / "metrics.json", found)
    RunFolder(out).log("evaluated", patients=len(scored))


def _copy_readers(cohort: Cohort, out: Path) -> None:
    """Readings beside the results, so that a report needs no cohort folder."""
    source = cohort.folder / READERS if cohort.folder else Path(READERS)
    if cohort.folder and source.is_file() and not ((out / READERS).is_file() and cmp(source, out / READERS, False)):
        with replacing(out / READERS) as temporary:
            temporary.write_bytes(source.read_bytes())


def _refuse_seen_files(material: Material, *, locked: LockedRun, folds: pd.Series) -> None:
    new = folds.index[~folds.isin(["train", "validation"])]
    known = locked.seen_files & set(content_of(keyed(material.select(patient_ids=new))["key"]))
    if known:
        raise CohortError(
            f"{len(known)} specimen file(s) of patients who should be new to the model were seen in its training, under"
            " other ids; remove those patients"
        )


def _done(out: Path, *, said: Mapping[str, Any]) -> bool:
    """Whether `out` holds these results already; RunError when it holds those of another cohort, model or setting."""
    if not (out / "metrics.json").exists():
        return False
    written = read_json(out / "cohort.json")
    if any(written[name] != value for name, value in said.items()):
        raise RunError(
            f"{out} holds the results of another cohort or model ({written['name']}), or of another reading of the"
            " specimens; choose a new folder"
        )
    return True


def _write_regions(inference: Inference, out: Path) -> None:
    with replacing(out / "regions.parquet") as temporary:
        inference.regions.to_parquet(temporary, index=False)
    with replacing(out / "signatures.safetensors") as temporary:
        temporary.write_bytes(save({"signatures": inference.signatures}))
