"""Predict: a locked model's risk for new patients, with a picture of where each risk comes from."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import (
    Cohort,
    CohortError,
    MicronsPerPixel,
    NotAssessableError,
    RunError,
    Specimen,
    read_predictions,
    write_predictions,
)
from hepatica.cohort.applicability import NOT_ASSESSABLE, UNKNOWN, cautions
from hepatica.cohort.atomic import read_json, sweep, write_table
from hepatica.cohort.digests import contents
from hepatica.cohort.preparation import EVERY, Lines, overlapping
from hepatica.cohort.seal import sealing, write_sealed
from hepatica.cohort.table import OF_TABLES
from hepatica.protocol import Inference, Material, ModelIdentity
from hepatica.runs.export import export_precision, exported
from hepatica.runs.inputs import files_of, read_inputs
from hepatica.runs.lock import LockedRun, changed, identity, keyed, open_run
from hepatica.runs.pictures import cautioned, draw_inputs, draw_specimens, first_input, only_warned
from hepatica.runs.results import file_writers, write_all
from hepatica.runs.scores import predicted, predictions, rows_lost

SPECIMENS = "specimens.csv"
"""What was read of each specimen, how it went, and what the system says of it beside its score."""

MADE_FROM = "made_from.json"
"""Digests of the model and of each specimen: results of one patient must never lie beside those of another."""


AT_ONCE = 16
"""Specimens, of whole patients, predicted together (ours): few enough to see rows soon and to have few files open."""

NAMES = "names.csv"
"""Which file each row is; written on request alone, for names may identify a patient."""


def predict(
    run: Path,
    inputs: Sequence[Path],
    *,
    out: Path,
    mpp: MicronsPerPixel | None = None,
    force_mpp: bool = False,
    pictures: int = 20,
    names: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Predict a cohort folder, or bare files, studies and folders of them; draw the first `pictures` specimens.

    Writes predictions.csv, specimens.csv, the pictures and, where the system has them, results for the archive (DICOM).
    All are named by their row, never by a name that might identify a patient; with `names`, names.csv says which file
    each row is. Patients are predicted a few at a time and the tables grow as they are done; the same call goes on
    where one was stopped, and writes finished results anew. A specimen that cannot be used is recorded in the ledger;
    NotAssessableError when none can, with the reasons in the tables. A specimen unlike those of training is `unusual`,
    and a patient whose files the model was trained on is `seen_in_training`, whose score means nothing: both in the
    tables and on everything that is drawn or sent. `changes` are settings of reading, as in `validate`; `mpp` and
    `force_mpp` are the resolution of slides, and whether it overrules theirs. Networks that `hepatica export` wrote are
    used where they are; pictures are always the locked network's own. RunError when `out` holds results of another
    model or of other specimens; the same ones are written anew.
    """
    locked = changed(open_run(run), changes or {})
    system, modality = locked.system, locked.system.first.modality
    cohort = read_inputs(inputs, modality=modality, mpp=mpp, force_mpp=force_mpp, into=out / "prepared" / "studies")
    if cohort.folder is None and system.inputs:
        raise CohortError(f"{system.name} reads {' and '.join(system.inputs)}; give a cohort folder with all")
    specimens = cohort.specimens_of(modality)
    network = exported(locked) or locked.network  # first: an export of another model is reported in seconds
    model = identity(locked) if network is locked.network else _as_exported(locked)
    files = sorted(contents(files_of(system, cohort)).values())
    settings = {key: str(value) for key, value in (changes or {}).items()}
    claim(out, {"model": model.digest, "note": model.note, "cohort": cohort.digest, "specimens": files} | settings)
    (out / NAMES).unlink(missing_ok=True)  # of an earlier call, whose page had names
    if names:
        paths = [each.extra.get("file", str(each.path)) for each in specimens]
        write_table(out / NAMES, pd.DataFrame({"row": [each.row for each in specimens], "file": paths}))
    work = _Work(
        locked=locked, network=network, model=model, out=out, drawn={each.row for each in specimens[:pictures]}
    )
    together = bool(system.inputs) or modality in OF_TABLES
    return work.all(cohort, specimens, at_once=len(specimens) if together else AT_ONCE)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A model at work on specimens, of which those of the rows `drawn` get pictures; results go into `out`."""

    locked: LockedRun
    network: Any
    model: ModelIdentity
    out: Path
    drawn: Collection[int]

    def all(self, cohort: Cohort, specimens: Sequence[Specimen], *, at_once: int) -> pd.DataFrame:
        """The predictions table of all, a few patients after the others; what a stopped call has done is taken over."""
        lines, done, lost, last = Lines("predicting", len(specimens)), 0, None, time.monotonic()
        parts: list[Path] = []
        for own in _few(specimens, at_once):
            drawn = len(self.drawn & {each.row for each in own})
            parts.append(self.out / "prepared" / "parts" / f"{own[0].row:07}_{len(own)}_{drawn}")
            if not (parts[-1] / SPECIMENS).exists():
                some = cohort.select({each.patient_id for each in own}) if len(own) < len(specimens) else cohort
                lost = self._part(some, own, part=parts[-1]) or lost
            done += len(own)
            lines.show(done)
            if done < len(specimens) and time.monotonic() - last > EVERY:
                _join(parts, self.out)
                last = time.monotonic()
        table = _join(parts, self.out)
        shutil.rmtree(self.out / "prepared" / "parts")
        if table["score"].isna().all() and lost is not None:
            raise lost
        return table

    def _part(self, cohort: Cohort, specimens: Sequence[Specimen], *, part: Path) -> NotAssessableError | None:
        """Write predictions and what was read of a few patients into `part`; the error where none can be used."""
        locked, out, lost = self.locked, self.out, None
        try:
            material = locked.system.prepare(cohort, locked.settings, out / "prepared")
        except NotAssessableError as error:
            failures, lost = error.failures, error
            table, read = _not_assessable(failures, locked=locked), failures.iloc[:0]
        else:
            inference = locked.system.read(self.network, material, locked.settings)
            failures, table = material.failures, _predicted(locked, material, inference)
            write_all(file_writers(inference), out)
            rows = {specimen.specimen_id: specimen.row for specimen in specimens}
            read = _read(material, inference, rows=rows).merge(_judged(table), on="specimen_id", how="left")
            assessed, doubts = set(inference.specimens["specimen_id"]), cautions(table)
            usable = [specimen for specimen in specimens if specimen.specimen_id in assessed]
            drawn = [each for each in usable if each.row in self.drawn]
            draw_specimens(locked, drawn, material=material, regions=inference.regions, cautions=doubts, out=out)
            draw_inputs(drawn, out=out)
            _deliver(locked, usable, material=material, inference=inference, doubts=doubts, model=self.model, out=out)
        _decline(locked, specimens, failures=failures, model=self.model, out=out)
        write_predictions(table, path=part / "predictions.csv")
        describe(read, failures, path=part / SPECIMENS)  # last: it says that the part is done
        return lost


def _few(specimens: Sequence[Specimen], at_once: int) -> Iterator[list[Specimen]]:
    """The specimens of whole patients, about so many at a time."""
    owned: dict[str, list[Specimen]] = {}
    for each in specimens:
        owned.setdefault(each.patient_id, []).append(each)
    some: list[Specimen] = []
    for own in owned.values():
        if some and len(some) + len(own) > at_once:
            yield some
            some = []
        some = [*some, *own]
    yield some


def _join(parts: Sequence[Path], out: Path) -> pd.DataFrame:
    """Write, and return, the predictions of all parts: specimens, then patients, then lesions; and what was read."""
    table = pd.concat([read_predictions(each / "predictions.csv") for each in parts], ignore_index=True)
    if len(parts) > 1:
        kind = 2 * table["lesion_id"].notna() + (table["specimen_id"].isna() & table["lesion_id"].isna())
        table = table.loc[kind.sort_values(kind="stable").index].reset_index(drop=True)
    write_predictions(table, path=out / "predictions.csv")
    read = [pd.read_csv(each / SPECIMENS, dtype=str, keep_default_na=False) for each in parts]
    described = pd.concat(read, ignore_index=True).fillna("")
    described = described.sort_values("row", key=lambda rows: rows.astype(int), kind="stable")
    with sealing(out / SPECIMENS) as temporary:
        described.to_csv(temporary, index=False)
    return table


def _predicted(locked: LockedRun, material: Material, inference: Inference) -> pd.DataFrame:
    """The predictions table."""
    read = keyed(material)
    known = read["content"].isin(overlapping(read["content"], locked.seen_files)).groupby(read["patient_id"]).any()
    folds = pd.Series("predicted", index=pd.unique(pd.concat([read["patient_id"], material.failures["patient_id"]])))
    return predicted(locked, material, inference, folds=folds, seen=set(known.index[known]))


def _not_assessable(failures: pd.DataFrame, *, locked: LockedRun) -> pd.DataFrame:
    """The predictions table where no specimen can be used: a reason for each, and no score."""
    lost = rows_lost(failures, locked.system.targets(locked.settings))
    folds = pd.Series("predicted", index=failures["patient_id"].unique())
    return predictions(lost, folds=folds, cutoffs=locked.cutoffs, seen=set())


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
