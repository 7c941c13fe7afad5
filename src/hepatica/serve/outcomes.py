"""Outcomes: what `predict` found of a case, with what it may not be read without: the model, its cut-offs, whether it
applies, and where a score lies among the patients of the model.
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from hepatica.cohort.atomic import read_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.predictions import of_patients, read_predictions, targets
from hepatica.cohort.seal import unaltered
from hepatica.cohort.tasks import Target
from hepatica.protocol import from_plain
from hepatica.runs import RunFolder, read_settings
from hepatica.serve.cases import Case
from hepatica.serve.refusals import ConflictError
from hepatica.systems import find_system, listed

USE = (
    "Research use only: not a medical device. Read a score beside its cut-off and its applicability; an unusual"
    " specimen, or one seen in training, has no meaningful score."
)
PHANTOM = "Trained on phantoms: its scores mean nothing about patients."


class Model(BaseModel):
    """Which model it was. `digest` is that of its locked files; `use` is what it may not be used for."""

    system: str
    question: str
    doi: str
    digest: str
    note: str
    phantom: bool
    use: str


class About(BaseModel):
    """What a score is about. `cutoff` was locked in training; a score at or above it is high. `units` are those of
    scores that are no probability or risk, by the rows' class_or_quantity, or "" where they have none.
    """

    key: str
    label: str
    task: str
    cutoff: float | None
    units: dict[str, str]


class Among(BaseModel):
    """Where the patients of a fold of the model's own cohort lie: n of them, their scores at 0, 1, … 100 %."""

    target: str
    fold: str
    n: int
    percentiles: list[float]


class Outcome(BaseModel):
    """The result of a case. `rows` are those of predictions.csv, `specimens` of specimens.csv: low and high, where the
    system has them, are the interval of its score.
    """

    case_id: str
    model: Model
    targets: list[About]
    rows: list[dict[str, Any]]
    specimens: list[dict[str, Any]]
    among: list[Among]


def outcome_of(case: Case, *, run: Path) -> Outcome:
    """What was found; ConflictError where the case is not done, RunError where its tables were altered."""
    if case.state != "done":
        raise ConflictError(f"the case is {case.state}: it has no result")
    table = read_predictions(unaltered(case.result / "predictions.csv"))
    specimens = pd.read_csv(unaltered(case.result / "specimens.csv"), dtype=str, keep_default_na=False)
    cutoffs = read_json(RunFolder(run).cutoffs) if RunFolder(run).cutoffs.is_file() else {}
    about = [
        About(
            key=each.key, label=each.label, task=each.task, cutoff=cutoffs.get(each.key), units=_units(run, each, table)
        )
        for each in targets(table)
    ]
    return Outcome(
        case_id=case.case_id, model=model_of(case, run=run), targets=about, rows=plain(table),
        specimens=[{str(key): value for key, value in row.items()} for row in specimens.to_dict("records")],
        among=list(_among(run)) if (run / "predictions.parquet").is_file() else [],
    )  # fmt: skip


def _units(run: Path, target: Target, table: pd.DataFrame) -> dict[str, str]:
    head = read_settings(RunFolder(run))
    system = find_system(head["reference"])
    unit = partial(system.unit, from_plain(system.settings, head["settings"]), target)
    found = {of: unit(of) for of in of_patients(table, target=target)["class_or_quantity"].fillna("").unique()}
    return {of: each for of, each in found.items() if each}


def model_of(case: Case, *, run: Path) -> Model:
    """The model that predicted a case, as the result says; ConflictError where the run holds another one by now."""
    made = read_json(case.result / "made_from.json")
    folder = RunFolder(run)
    if file_digest(folder.model) != made["model"]:
        raise ConflictError("the run holds another model than the one that predicted this case; submit the case again")
    system, phantom = read_settings(folder)["system"], bool(read_json(folder.model)["phantom"])
    known = listed().get(system)
    return Model(
        system=system, question=known.question if known else "", doi=str(known.paper.get("doi", "")) if known else "",
        digest=made["model"], note=made["note"], phantom=phantom, use=f"{PHANTOM} {USE}" if phantom else USE,
    )  # fmt: skip


def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON has them; a missing value is None."""
    rows = table.astype(object).to_dict("records")
    return [{str(name): None if pd.isna(value) else _value(value) for name, value in row.items()} for row in rows]


def _value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _among(run: Path) -> Iterator[Among]:
    path = run / "predictions.parquet"
    return iter(_percentiles(path, path.stat().st_mtime_ns))


@lru_cache(maxsize=64)
def _percentiles(path: Path, _: int) -> tuple[Among, ...]:
    table = read_predictions(unaltered(path))
    found = []
    for target in targets(table):
        rows = of_patients(table, target=target)
        for fold, own in rows[rows["class_or_quantity"].isna()].groupby("fold", sort=False):
            at = np.percentile(own["score"].astype(float), range(101))
            found.append(Among(target=target.key, fold=str(fold), n=len(own), percentiles=[float(each) for each in at]))
    return tuple(found)
