"""Results: what a locked model says of a cohort, as tables in a folder."""

from collections.abc import Callable, Mapping, Sequence
from filecmp import cmp
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.numpy import save

from hepatica.cohort import Cohort, CohortError, RunError, write_predictions
from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.digests import contents, refuse_replaced
from hepatica.cohort.preparation import overlapping
from hepatica.cohort.seal import refuse_altered, sealing, unaltered
from hepatica.evaluate.by_task import case_metrics, task_metrics
from hepatica.protocol import Inference, Material
from hepatica.runs.engine import ALONE, Engine
from hepatica.runs.folder import COMPARATORS, CONTENTS, READERS, RunFolder
from hepatica.runs.inputs import files_of
from hepatica.runs.lock import LockedRun, keyed, refuse_shared_files, unprepared
from hepatica.runs.scores import predicted
from hepatica.runs.spread import prepare

CASES = "cases.parquet"
"""What was segmented against what is outlined, a row a specimen and class."""


def write_results(
    locked: LockedRun,
    *,
    cohort: Cohort,
    folds: pd.Series,
    out: Path,
    reported_folds: Sequence[str],
    prepared: Path,
    changes: Mapping[str, Any] | None = None,
    engine: Engine = ALONE,
) -> None:
    """Predict every specimen and write the results into `out`; do nothing when its metrics.json says it was done.

    `folds` maps each patient_id to the name of its fold, which becomes `not_scored` where no specimen could be used;
    `reported_folds` are those whose statistics are computed; `prepared` keeps prepared specimens, which `engine` makes;
    `changes` are settings that differ from those of training, which are written down. CohortError when a file of a
    patient who should be new to the model was seen in training.
    """
    provenance = {"digest": cohort.digest, "model": locked.digest, "changes": dict(changes or {})}
    specimens = files_of(locked.system, cohort)
    files = contents(specimens)
    done = _done(out, provenance=provenance, files=files)
    _copy_readers(cohort, out)
    if done:
        return
    refuse_shared_files(unprepared(specimens, files), cohort)
    material = prepare(locked.system, cohort, locked.settings, prepared, engine=engine)
    refuse_shared_files(keyed(material), cohort)
    _refuse_seen_files(material, locked=locked, folds=folds)
    inference = locked.system.read(locked.network, material, locked.settings)
    scored = set(inference.specimens["patient_id"])
    dealt, folds = folds, folds.where(folds.index.isin(scored), "not_scored")
    table = predicted(locked, material, inference, folds=dealt)
    flow = cohort_flow(cohort, modality=locked.system.first.modality, material=material, folds=folds)
    reported = [fold for fold in reported_folds if (folds == fold).any()]
    found = [task_metrics(table, cohort=cohort, cutoffs=locked.cutoffs, fold=fold) for fold in reported]
    writers: dict[str, Callable[[Path], Any]] = {
        **file_writers(inference),
        "regions.parquet": partial(inference.regions.to_parquet, index=False),
        "signatures.safetensors": lambda path: path.write_bytes(save({"signatures": inference.signatures})),
        "patients.parquet": cohort.patients.assign(fold=folds).to_parquet,
        "specimens.parquet": partial(material.specimens.to_parquet, index=False),
        "cohort.json": lambda path: write_json(path, flow | provenance),
        CONTENTS: lambda path: write_json(path, files),
        "metrics.json": lambda path: write_json(path, list(chain(*found))),  # last: it says that all is done
    }
    if (measure := locked.system.first.cases) is not None and inference.files:
        cases = measure(material, inference, cohort)
        target = next(each for each in locked.system.targets(locked.settings) if each.task == "segmentation")
        found += [case_metrics(cases, patients=folds.index[folds == fold], fold=fold, target=target)
                  for fold in reported]  # fmt: skip
        writers = {CASES: partial(cases.to_parquet, index=False)} | writers
    if (compare := locked.system.comparators) is not None:
        writers = {COMPARATORS: compare(locked.network, material, cohort).to_parquet} | writers
    write_predictions(table, path=out / "predictions.parquet")
    write_all(writers, out)
    RunFolder(out).log("evaluated", patients=len(scored))


def file_writers(inference: Inference) -> dict[str, Callable[[Path], Any]]:
    """What writes each of the files that belong to what a system says, by its place beside the results."""
    return {name: partial(Path.write_bytes, data=content) for name, content in inference.files.items()}


def write_all(writers: Mapping[str, Callable[[Path], Any]], out: Path) -> None:
    """Write files into a folder, each sealed, in their order."""
    for name, write in writers.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        with sealing(out / name) as temporary:
            write(temporary)


def _copy_readers(cohort: Cohort, out: Path) -> None:
    """Readings beside the results, so that a report needs no cohort folder."""
    source = cohort.folder / READERS if cohort.folder else Path(READERS)
    if cohort.folder and source.is_file() and not ((out / READERS).is_file() and cmp(source, out / READERS, False)):
        with sealing(out / READERS) as temporary:
            temporary.write_bytes(source.read_bytes())


def _refuse_seen_files(material: Material, *, locked: LockedRun, folds: pd.Series) -> None:
    new = folds.index[~folds.isin(["train", "validation"])]
    known = overlapping(keyed(material.select(patient_ids=new))["content"], locked.seen_files)
    if known:
        raise CohortError(
            f"{len(known)} specimen file(s) of patients who should be new to the model were seen in its training, under"
            " other ids; remove those patients"
        )


def _done(out: Path, *, provenance: Mapping[str, Any], files: Mapping[str, str]) -> bool:
    """Whether `out` holds these results already; RunError when it holds those of another cohort, model or setting.

    Also where a file of them was altered, or one of a specimen was replaced since.
    """
    if not (out / "metrics.json").exists():
        return False
    written = read_json(out / "cohort.json")
    if any(written[name] != value for name, value in provenance.items()):
        raise RunError(
            f"{out} holds the results of another cohort or model ({written['name']}), or of another reading of the"
            " specimens; choose a new folder"
        )
    refuse_altered(out)
    refuse_replaced(files, read_json(unaltered(out / CONTENTS)), since=f"the results in {out} were written")
    return True


def cohort_flow(cohort: Cohort, *, modality: str, material: Material, folds: pd.Series) -> dict[str, Any]:
    """Counts at each step and the specimens that failed, by their row in specimens.csv and without any identifier."""
    specimens = cohort.specimens_of(modality)
    with_files = {specimen.patient_id for specimen in specimens}
    steps = [
        _step("in the tables", len(cohort.patients), len(specimens)),
        _step("with a specimen", len(with_files), len(specimens)),
        _step("with a usable specimen", int((folds != "not_scored").sum()), len(material.specimens)),
    ]
    counts = folds[folds != "not_scored"].value_counts(sort=False)
    per_patient = material.specimens.groupby("patient_id").size()
    steps += [
        _step(
            f"fold {fold}", int(count), int(per_patient.loc[per_patient.index.isin(folds.index[folds == fold])].sum())
        )
        for fold, count in counts.items()
    ]
    return {
        "name": cohort.name,
        "hospital": cohort.hospital,
        "phantom": cohort.phantom,
        "digest": cohort.digest,
        "endpoints": {name: each.declared for name, each in cohort.endpoints.items()},
        "flow": steps,
        "failures": material.failures[["row", "error"]].to_dict("records"),
    }


def _step(name: str, patients: int, specimens: int) -> dict[str, Any]:
    return {"step": name, "patients": patients, "specimens": specimens}
