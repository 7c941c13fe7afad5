"""Model: what a locked run is, what it was trained for, and how its patients scored, for the pages of its cases."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort import Target, read_predictions
from hepatica.cohort.atomic import read_json
from hepatica.cohort.digests import file_digest
from hepatica.protocol import Paper, from_plain
from hepatica.runs import RunFolder, read_settings
from hepatica.serve.refusals import ConflictError
from hepatica.systems import find_system

NOT_FOR = (
    "patients unlike those it was trained on: another disease, another treatment, another kind of specimen or stain",
    "deciding about a treatment: it is research software and not a medical device",
    "explaining a diagnosis: maps show where a score comes from and give no reason for it",
)
"""What no model of hepatica may be used for."""

FOLDS = {"train": "training", "validation": "tuning", "test": "internal test", "external": "validation"}
"""Folds among whose patients a score is shown, the most alike to training first."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """Name of the run, its system's name, question and paper, the digest of the model, the cohort and its date; `unit`
    is that of a score by its target and quantity.
    """

    run: str
    folder: Path
    system: str
    question: str
    paper: Paper
    reads: str
    meaning: str
    digest: str
    cohort: str
    phantom: bool
    caution: str
    cutoffs: dict[str, float]
    versions: dict[str, str]
    unit: Callable[[Target, str], str]


def model_of(run: str, folder: Path) -> Model:
    """What a locked run says of itself; ConflictError where it is not locked yet."""
    path = RunFolder(folder).model
    if not path.is_file():
        raise ConflictError(f"the run {run} has no locked model yet")
    return _model(run, folder, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _model(run: str, folder: Path, changed: int) -> Model:
    files = RunFolder(folder)
    settings, record = read_settings(files), read_json(files.model)
    system = find_system(settings["reference"])
    return Model(
        run=run,
        folder=folder,
        system=system.name,
        question=system.question,
        paper=system.paper,
        reads=system.modality,
        meaning=system.meaning,
        digest=file_digest(files.model),
        cohort=settings["cohort"]["name"],
        phantom=bool(record["phantom"]),
        caution=str(record["training"].get("caution", "")),
        cutoffs=read_json(files.cutoffs),
        versions=settings["versions"],
        unit=partial(system.unit, from_plain(system.settings, settings["settings"])),
    )


def scores_of(model: Model) -> pd.DataFrame:
    """Rows of the predictions of this run's patients and of those of its validations; `cohort` says which."""
    parts = {model.cohort: model.folder / "predictions.parquet"}
    for path in sorted(model.folder.glob("external/*/predictions.parquet")):
        parts[str(read_json(path.with_name("cohort.json"))["name"])] = path
    there = {name: path for name, path in parts.items() if path.is_file()}
    changed = tuple((name, path, path.stat().st_mtime_ns) for name, path in there.items())
    return _scores(changed)


@lru_cache(maxsize=16)
def _scores(parts: tuple[tuple[str, Path, int], ...]) -> pd.DataFrame:
    tables: list[pd.DataFrame] = [read_predictions(path).assign(cohort=name) for name, path, _ in parts]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["cohort"])


def identity(model: Model) -> dict[str, Any]:
    """What a page says of the model, by name."""
    paper = model.paper
    return {
        "System": model.system,
        "Paper": f"{paper.authors.split(',')[0]} et al. {paper.title}. {paper.journal} {paper.year}; doi {paper.doi}",
        "Trained on": model.cohort + (" (phantom)" if model.phantom else ""),
        "Run": model.run,
        "Model digest": model.digest[:16],
        "Version": f"hepatica {model.versions.get('hepatica', '')}, PyTorch {model.versions.get('torch', '')}",
    }
