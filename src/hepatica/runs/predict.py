"""Predict: a locked model's risk for new patients, with a picture of where each risk comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import CohortError, MicronsPerPixel, NotAssessableError, RunError, Specimen, write_predictions
from hepatica.cohort.applicability import NOT_ASSESSABLE, UNKNOWN, cautions
from hepatica.cohort.atomic import read_json, sweep
from hepatica.cohort.preparation import overlapping
from hepatica.cohort.seal import sealing, write_sealed
from hepatica.protocol import Inference, Material, ModelIdentity
from hepatica.runs.export import export_precision, exported
from hepatica.runs.inputs import read_inputs
from hepatica.runs.lock import LockedRun, changed, identity, keyed, open_run
from hepatica.runs.pictures import cautioned, draw_specimens, first_input, only_warned
from hepatica.runs.results import file_writers, write_all
from hepatica.runs.scores import predicted, predictions, rows_lost

SPECIMENS = "specimens.csv"
"""What was read of each specimen, how it went, and what the system says of it beside its score."""

MADE_FROM = "made_from.json"
"""Digests of the model and of each specimen: results of one patient must never lie beside those of another."""


def predict(
    run: Path,
    inputs: Sequence[Path],
    *,
    out: Path,
    mpp: MicronsPerPixel | None = None,
    force_mpp: bool = False,
    pictures: int = 20,
    changes: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Predict a cohort folder, or bare files and studies; draw the first `pictures` specimens.

    Writes predictions.csv, specimens.csv, the pictures and, where the system has them, results for the archive (DICOM).
    All are named by their row, never by a name that might identify a patient. A specimen that cannot be used is
    recorded in the ledger; NotAssessableError when none can, with the reasons in the tables. A specimen unlike those of
    training is `unusual`, and a patient whose files the model was trained on is `seen_in_training`, whose score means
    nothing: both in the tables and on everything that is drawn or sent. `changes` are settings of reading,
    as in `validate`; `mpp` and `force_mpp` are the resolution of slides, and whether it overrules theirs. Networks that
    `hepatica export` wrote are used where they are; pictures are always the locked network's own. RunError when `out`
    holds results of another model or of other specimens; the same ones are written anew.
    """
    locked = changed(open_run(run), changes or {})
    modality = locked.system.first.modality
    cohort = read_inputs(inputs, modality=modality, mpp=mpp, force_mpp=force_mpp)
    if cohort.folder is None and locked.system.inputs:
        raise CohortError(
            f"{locked.system.name} reads {' and '.join(locked.system.inputs)}; give a cohort folder with all"
        )
    specimens = cohort.specimens_of(modality)
    network = exported(locked) or locked.network  # first: an export of another model is reported in seconds
    model = identity(locked) if network is locked.network else _as_exported(locked)
    try:
        material = locked.system.prepare(cohort, locked.settings, out / "prepared")
    except NotAssessableError as error:
        _write_not_assessable(error.failures, locked=locked, model=model, out=out)
        _decline(locked, specimens, failures=error.failures, model=model, out=out)
        raise
    claim(out, {"model": model.digest, "note": model.note, "specimens": sorted(keyed(material)["key"])})
    inference = locked.system.read(network, material, locked.settings)
    table = _predicted(locked, material, inference)
    write_predictions(table, path=out / "predictions.csv")
    write_all(file_writers(inference), out)
    rows = {specimen.specimen_id: specimen.row for specimen in specimens}
    described = _read(material, inference, rows=rows).merge(_judged(table), on="specimen_id", how="left")
    describe(described, material.failures, path=out / SPECIMENS)
    assessed, doubts = set(inference.specimens["specimen_id"]), cautions(table)
    drawn = [specimen for specimen in specimens if specimen.specimen_id in assessed]
    draw_specimens(locked, drawn[:pictures], material=material, regions=inference.regions, cautions=doubts, out=out)
    _deliver(locked, drawn, material=material, inference=inference, doubts=doubts, model=model, out=out)
    _decline(locked, specimens, failures=material.failures, model=model, out=out)
    return table


def _predicted(locked: LockedRun, material: Material, inference: Inference) -> pd.DataFrame:
    """The predictions table."""
    read = keyed(material)
    known = read["content"].isin(overlapping(read["content"], locked.seen_files)).groupby(read["patient_id"]).any()
    folds = pd.Series("predicted", index=pd.unique(pd.concat([read["patient_id"], material.failures["patient_id"]])))
    return predicted(locked, material, inference, folds=folds, seen=set(known.index[known]))


def _write_not_assessable(failures: pd.DataFrame, *, locked: LockedRun, model: ModelIdentity, out: Path) -> None:
    """The tables where no specimen can be used: a reason for each, and no score."""
    claim(out, {"model": model.digest, "note": model.note, "specimens": []})
    lost = rows_lost(failures, locked.system.targets(locked.settings))
    folds = pd.Series("predicted", index=failures["patient_id"].unique())
    table = predictions(lost, folds=folds, cutoffs=locked.cutoffs, seen=set())
    write_predictions(table, path=out / "predictions.csv")
    describe(failures.iloc[:0], failures, path=out / SPECIMENS)


def _deliver(
    locked: LockedRun,
    specimens: Sequence[Specimen],
    *,
    material: Material,
    inference: Inference,
    doubts: Mapping[str, str],
    model: ModelIdentity,
    out: Path,
) -> None:
    """Results for the archive, where the system has them; of several inputs about the first."""
    deliver = locked.system.deliver or locked.system.first.deliver
    for specimen in specimens if deliver is not None else ():
        network, own = first_input(locked, material, specimen)
        with only_warned(specimen, "results for the archive", out=out):
            deliver(  # type: ignore[misc]
                specimen,
                material=own,
                inference=inference,
                settings=locked.settings,
                cutoffs=locked.cutoffs,
                saliency=partial(locked.system.explain, network),
                model=replace(model, note=cautioned(model.note, doubts.get(specimen.specimen_id))),
                folder=_archive(out, specimen),
            )


def _decline(
    locked: LockedRun, specimens: Sequence[Specimen], *, failures: pd.DataFrame, model: ModelIdentity, out: Path
) -> None:
    """For the archive, that a specimen is not assessable, where a deliverable result says so."""
    decline, reasons = locked.system.first.decline, failures.set_index("specimen_id")["error"].to_dict()
    for specimen in specimens if decline is not None else ():
        if reason := reasons.get(specimen.specimen_id):
            with only_warned(specimen, "report that it is not assessable", out=out):
                decline(specimen, reason=reason, model=model, folder=_archive(out, specimen))  # type: ignore[misc]


def _archive(out: Path, specimen: Specimen) -> Path:
    return out / f"specimen_{specimen.row:04d}_dicom"


def claim(out: Path, made_from: Mapping[str, Any]) -> None:
    """Write down whose results `out` is to hold; RunError when it holds others already."""
    sweep(out)
    there = read_json(out / MADE_FROM) if (out / MADE_FROM).exists() else None
    if there != made_from and [*out.glob("predictions.csv"), *out.glob("specimen*")]:
        raise RunError(f"{out} holds results of another model or of other specimens; choose a new --out folder")
    write_sealed(out / MADE_FROM, made_from)


def _as_exported(locked: LockedRun) -> ModelIdentity:
    """The model's identity, with a note that its exported networks were used."""
    own = identity(locked)
    return replace(own, note=f"{own.note}; networks exported to ONNX, {export_precision(locked)}")


def _read(material: Material, inference: Inference, *, rows: Mapping[str, int]) -> pd.DataFrame:
    """What was read of each specimen, and what the system says of it beside the score; a row each."""
    aside = {"endpoint", "horizon_months", "task", "class_or_quantity", "score", "reason", "path"}
    outputs = inference.specimens[[name for name in inference.specimens if name not in aside]].drop_duplicates()
    read = material.specimens.drop(columns=["key", "place"], errors="ignore").merge(
        outputs, on=["patient_id", "specimen_id"], how="left"
    )
    return read.assign(row=read["specimen_id"].map(rows))


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """specimen_id, applicability, reason and seen_in_training of each specimen that was read."""
    rows = table[table["specimen_id"].notna() & table["score"].notna()].drop_duplicates("specimen_id")
    return rows[["specimen_id", "applicability", "reason", "seen_in_training"]]


def describe(read: pd.DataFrame, failures: pd.DataFrame, *, path: Path) -> pd.DataFrame:
    """Write, and return, what was read of each specimen, and the failures, by `row`.

    That is the number by which pictures and DICOM results are called.
    """
    lost = failures.rename(columns={"error": "reason"}).assign(applicability=NOT_ASSESSABLE)
    read = read if "reason" in read else read.assign(applicability=UNKNOWN, reason=None)
    described = pd.concat([each for each in (read, lost) if len(each)]).sort_values("row")
    described.insert(0, "row", described.pop("row"))
    with sealing(path) as temporary:
        described.to_csv(temporary, index=False)
    return described
