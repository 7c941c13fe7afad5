"""Predict: a locked model's risk for new patients, with a picture of where each risk comes from."""

import csv
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as Collection
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from io import StringIO
from operator import itemgetter
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
from hepatica.cohort.applicability import NOT_ASSESSABLE, UNKNOWN, UNUSUAL, cautions
from hepatica.cohort.atomic import read_json, sweep, write_table
from hepatica.cohort.digests import content_name, contents
from hepatica.cohort.preparation import EVERY, Lines, overlapping
from hepatica.cohort.seal import sealing, write_sealed
from hepatica.cohort.table import OF_TABLES
from hepatica.protocol import Inference, Material, ModelIdentity
from hepatica.runs.engine import ALONE, Engine, Shared
from hepatica.runs.export import export_precision, exported
from hepatica.runs.folder import NAMES, SPECIMENS
from hepatica.runs.in_use import in_use
from hepatica.runs.inputs import cohort_as_plain, cohort_from_plain, files_of, read_inputs
from hepatica.runs.jobs import Job
from hepatica.runs.lock import LockedRun, changed, identity, keyed, open_run
from hepatica.runs.pictures import cautioned, draw_inputs, draw_specimens, first_input, only_warned
from hepatica.runs.results import file_writers, write_all
from hepatica.runs.scores import predicted, predictions, rows_lost
from hepatica.runs.spread import KINDS as PREPARING
from hepatica.runs.spread import Item, cancel_others, context_of, prepare_jobs, set_aside, spread, without_lost

MADE_FROM = "made_from.json"
"""Digests of the model and of each specimen: results of one patient must never lie beside those of another."""

AT_ONCE = 16
"""Specimens, of whole patients, predicted together (ours): few enough to see rows soon and to have few files open."""

RARELY = 20
"""How many times as long as it takes to put the tables together is waited before that is done again (ours)."""


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
    engine: Engine = ALONE,
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
    model or of other specimens, or another call is at jobs there; the same ones are written anew. By jobs of an
    `engine`, specimens are prepared one by one and predicted a few patients at a time; a specimen that no process
    outlives is not assessable.
    """
    locked = changed(open_run(run), changes or {})
    system, modality = locked.system, locked.system.first.modality
    cohort = read_inputs(inputs, modality=modality, mpp=mpp, force_mpp=force_mpp, into=out / "prepared" / "studies")
    if cohort.folder is None and system.inputs:
        raise CohortError(f"{system.name} reads {' and '.join(system.inputs)}; give a cohort folder with all")
    work = _Work.of(locked, cohort, out=out, pictures=pictures)
    files = contents(files_of(system, cohort))
    settings = {key: str(value) for key, value in (changes or {}).items()}
    about = {"model": work.model.digest, "note": work.model.note, "cohort": cohort.digest}
    claim(out, about | {"specimens": sorted(files.values())} | settings)
    made_from = json.dumps([about, files, settings], sort_keys=True)  # with the row of each file
    work = replace(work, made_from=content_name(made_from.encode()))
    if not engine.alone:
        context = {"run": str(run.absolute()), "changes": dict(changes or {}), "out": str(out.absolute())}
        with in_use(out / "prepared", shared=engine.share):
            by_jobs(work, cohort, context={**context, "pictures": pictures}, engine=engine)
    (out / NAMES).unlink(missing_ok=True)  # of an earlier call, whose page had names
    if names:
        paths = [each.extra.get("file", str(each.path)) for each in work.specimens(cohort)]
        write_table(out / NAMES, pd.DataFrame({"row": [each.row for each in work.specimens(cohort)], "file": paths}))
    return work.all(cohort)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A model at work on specimens, of which those of the rows `drawn` get pictures; results go into `out`.

    `made_from` is the digest of all that results depend on: what was left of another call is never taken over.
    """

    locked: LockedRun
    network: Any
    model: ModelIdentity
    out: Path
    drawn: Collection[int]
    made_from: str = ""

    @classmethod
    def of(cls, locked: LockedRun, cohort: Cohort, *, out: Path, pictures: int) -> "_Work":
        """A locked model, as it was exported where it was, on a cohort of which the first specimens are drawn."""
        network = exported(locked) or locked.network  # first: an export of another model is reported in seconds
        model = identity(locked) if network is locked.network else _as_exported(locked)
        drawn = {each.row for each in cohort.specimens_of(locked.system.first.modality)[:pictures]}
        return cls(locked=locked, network=network, model=model, out=out, drawn=drawn)

    def specimens(self, cohort: Cohort) -> Sequence[Specimen]:
        """Those that are predicted."""
        return cohort.specimens_of(self.locked.system.first.modality)

    def few(self, cohort: Cohort) -> list[list[Specimen]]:
        """The specimens, of whole patients, that are predicted together."""
        system, specimens = self.locked.system, self.specimens(cohort)
        together = bool(system.inputs) or system.first.modality in OF_TABLES
        return list(_few(specimens, len(specimens) if together else AT_ONCE))

    def singly(self, specimens: Sequence[Specimen]) -> list[list[Specimen]]:
        """Each of them, or of several inputs those of each patient."""
        return list(_few(specimens, 1)) if self.locked.system.inputs else [[each] for each in specimens]

    def folder(self, own: Sequence[Specimen]) -> Path:
        """Where the results of these specimens are kept until all are there."""
        drawn = len(self.drawn & {each.row for each in own})
        return self.out / "prepared" / "parts" / self.made_from / f"{own[0].row:07}_{len(own)}_{drawn}"

    def all(self, cohort: Cohort) -> pd.DataFrame:
        """The predictions table of all, a few patients after the others; what a stopped call has done is taken over."""
        specimens = self.specimens(cohort)
        lines, done, lost, last, pause = Lines("predicting", len(specimens)), 0, None, time.monotonic(), EVERY
        parts: list[Path] = []
        for own in self.few(cohort):
            parts.append(self.folder(own))
            if not (parts[-1] / SPECIMENS).exists():
                lost = self.part(cohort, own) or lost
            done += len(own)
            lines.show(done)
            if done < len(specimens) and (begun := time.monotonic()) - last > pause:
                _join(parts, self.out)
                last = time.monotonic()
                pause = max(EVERY, RARELY * (last - begun))
        table = _join(parts, self.out)
        if table["score"].isna().all():
            lost = lost or self.part(cohort, own)
        shutil.rmtree(self.out / "prepared" / "parts")
        if table["score"].isna().all() and lost is not None:
            raise lost
        return table

    def part(self, cohort: Cohort, specimens: Sequence[Specimen]) -> NotAssessableError | None:
        """Write predictions and what was read of a few patients into `folder`; the error where none can be used."""
        locked, out, lost, part = self.locked, self.out, None, self.folder(specimens)
        unlike: dict[str, str] = {}
        whole = len(specimens) == len(self.specimens(cohort))
        some = cohort if whole else cohort.select({each.patient_id for each in specimens})
        try:
            material = without_lost(locked.system, some, locked.settings, out / "prepared")
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
            unlike = _unusual(table)
            answered = [specimen for specimen in usable if specimen.specimen_id not in unlike]
            _deliver(locked, answered, material=material, inference=inference, doubts=doubts, model=self.model, out=out)
        reasons = unlike | failures.set_index("specimen_id")["error"].to_dict()
        _decline(locked, specimens, reasons=reasons, model=self.model, out=out)
        write_predictions(table, path=part / "predictions.csv")
        describe(read, failures, path=part / SPECIMENS)  # last: it says that the part is done
        return lost


def by_jobs(work: _Work, cohort: Cohort, *, context: Mapping[str, Any], engine: Engine) -> None:
    """Prepare the specimens, then predict a few patients at a time, by jobs; raise `Shared` where this was a share.

    Of a few whose job killed its workers, each specimen becomes a job, or of several inputs each patient, so that one
    alone is set aside.
    """
    if engine.share and cohort.folder is None:
        raise CohortError("got files to share among processes, wanted a cohort folder; hepatica init makes one")
    folder = work.out / "prepared"
    kinds = f"{__name__}:KINDS"
    own: dict[str, Any] = {"kinds": kinds, "folder": folder, "engine": engine, "label": "predicting"}
    own["context"] = {**context, "cohort": cohort_as_plain(cohort), "made_from": work.made_from}
    cancel_others("predict", context=own["context"], folder=folder)  # before processes take any job of the table
    prepare_jobs(work.locked.system, cohort, work.locked.settings, folder, engine=engine, kinds=kinds)
    parts = [each for each in work.few(cohort) if not (work.folder(each) / SPECIMENS).exists()]
    died = spread("predict", [Item(place=str(each[0].row), specimens=each) for each in parts], **own)
    alone = [some for each in died for some in work.singly(each.specimens)]
    died = spread("predict", [Item(place=f"{each[0].row} alone", specimens=each) for each in alone], **own)
    set_aside([each for item in died for each in item.specimens], folder=folder)
    if engine.share:
        raise Shared


@lru_cache(maxsize=1)
def _opened(file: str) -> tuple[_Work, Cohort, dict[str, Sequence[Specimen]]]:
    """The model at work, the cohort, and the specimens by the place of their job."""
    context = context_of(file)
    cohort = cohort_from_plain(context["cohort"])
    locked = changed(open_run(Path(context["run"])), context["changes"])
    work = _Work.of(locked, cohort, out=Path(context["out"]), pictures=context["pictures"])
    work = replace(work, made_from=context["made_from"])
    places: dict[str, Sequence[Specimen]] = {str(each[0].row): each for each in work.few(cohort)}
    return work, cohort, places | {f"{each[0].row} alone": each for each in work.singly(work.specimens(cohort))}


def _predict(job: Job, progress: Any) -> None:
    work, cohort, specimens = _opened(job.given["context"])
    own = specimens[job.given["place"]]
    work.part(cohort if work.locked.system.inputs else replace(cohort, specimens=tuple(own)), own)


KINDS: Mapping[str, Callable[..., Any]] = {**PREPARING, "predict": _predict}
"""The work of `by_jobs`."""


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
    table = read_predictions(*(each / "predictions.csv" for each in parts))
    if len(parts) > 1:
        kind = 2 * table["lesion_id"].notna() + (table["specimen_id"].isna() & table["lesion_id"].isna())
        table = table.loc[kind.sort_values(kind="stable").index].reset_index(drop=True)
    write_predictions(table, path=out / "predictions.csv")
    with sealing(out / SPECIMENS) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(_described([each / SPECIMENS for each in parts]))
    return table


def _described(tables: Sequence[Path]) -> Iterator[str]:
    """The lines of what was read of all specimens, by row; as text they take a quarter of the memory of their cells."""
    columns: dict[str, None] = {}
    for each in tables:
        with each.open(encoding="utf-8", newline="") as file:
            columns |= dict.fromkeys(next(csv.reader(file)))
    text, rows = StringIO(), []
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    for each in tables:
        with each.open(encoding="utf-8", newline="") as file:
            for own in csv.DictReader(file):
                writer.writerow(own)
                rows.append((int(own["row"]), text.getvalue()))
                text.seek(0)
                text.truncate()
    writer.writeheader()
    yield text.getvalue()
    yield from (line for _, line in sorted(rows, key=itemgetter(0)))


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


def _unusual(table: pd.DataFrame) -> dict[str, str]:
    """Why specimens are unlike those of training, by specimen_id. An archive gets no score of them, for who reads it
    there may see a number and no more; the tables have it, with the reason beside it.
    """
    rows = table[table["specimen_id"].notna() & (table["applicability"] == UNUSUAL)]
    return dict(zip(rows["specimen_id"], rows["reason"], strict=True))


def _decline(
    locked: LockedRun, specimens: Sequence[Specimen], *, reasons: Mapping[str, str], model: ModelIdentity, out: Path
) -> None:
    """For the archive, that a specimen is not assessable, where a deliverable result says so."""
    decline = locked.system.first.decline
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
