"""Run facts: what a table of runs says of each: system, cohort, date, metrics with intervals, applicability."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hepatica.cohort.atomic import read_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.errors import HepaticaError, RunError
from hepatica.cohort.predictions import read_predictions
from hepatica.runs import RunFolder, read_settings
from hepatica.serve.catalogue import modality_of, runs
from hepatica.serve.file_kinds import readable
from hepatica.serve.settings import Settings
from hepatica.systems import listed


class Metric(BaseModel):
    """A statistic of the patients of a fold of a cohort; `value` is None where the data cannot give it."""

    cohort: str
    fold: str
    target: str
    metric: str
    cutoff: float | None
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str


class RunFacts(BaseModel):
    """A run. `reads` are the kinds of file it takes; `unusual` is the share of its test patients unlike training, None
    where unknown; `changed` in seconds since 1970, UTC. An unfinished one has no digest and no metrics, and one that
    cannot be read a `fault` and nothing else.
    """

    name: str
    system: str
    question: str
    modality: str
    reads: list[str]
    cohort: str
    phantom: bool
    digest: str
    changed: float
    settings: dict[str, Any]
    cutoffs: dict[str, float]
    metrics: list[Metric]
    unusual: float | None
    fault: str = ""


def every(settings: Settings) -> list[RunFacts]:
    """What is said of each run of a workbench; one that cannot be read does not hide the others."""
    return [_readable(name, path) for name, path in runs(settings).items()]


def _readable(name: str, path: Path) -> RunFacts:
    try:
        return facts_of(name, path)
    except RunError as error:
        return RunFacts(
            name=name, system="", question="", modality="", reads=[], cohort="", phantom=False, digest="", changed=0,
            settings={}, cutoffs={}, metrics=[], unusual=None, fault=str(error),
        )  # fmt: skip


def facts_of(name: str, path: Path) -> RunFacts:
    """What is said of a run, read anew only where it has changed; RunError where its files cannot be read."""
    try:
        return _facts(name, path, state_of(path))
    except HepaticaError as error:
        raise RunError(str(error).replace(str(path), name)) from None
    except (LookupError, ValueError, TypeError, OSError) as error:
        raise RunError(f"the files of {name} cannot be read ({type(error).__name__}); restore them") from error


def state_of(path: Path) -> tuple[int, ...]:
    """What differs once a run has changed: when its files were written."""
    marks = (path / "settings.toml", path / "model.json", path / "metrics.json", *path.glob("external/*/metrics.json"))
    return tuple(each.stat().st_mtime_ns for each in marks if each.is_file())


@lru_cache(maxsize=1000)
def _facts(name: str, path: Path, _: tuple[int, ...]) -> RunFacts:
    folder, modality = RunFolder(path), modality_of(path)
    head, locked = read_settings(folder), folder.model.is_file()
    known = listed().get(head["system"])
    results = [path, *sorted(each.parent for each in path.glob("external/*/metrics.json"))]
    return RunFacts(
        name=name, system=head["system"], question=known.question if known else "", modality=modality,
        reads=sorted(readable(modality)), cohort=head["cohort"]["name"],
        phantom=bool(read_json(folder.model)["phantom"]) if locked else False,
        digest=file_digest(folder.model) if locked else "",
        changed=(folder.model if locked else folder.settings).stat().st_mtime, settings=head["settings"],
        cutoffs=read_json(folder.cutoffs) if locked else {},
        metrics=[metric for each in results for metric in _metrics(each)], unusual=_unusual(path),
    )  # fmt: skip


def _metrics(folder: Path) -> list[Metric]:
    if not (folder / "metrics.json").is_file():
        return []
    cohort = read_json(folder / "cohort.json")["name"]
    return [Metric(cohort=cohort, **row) for row in read_json(folder / "metrics.json")]


def _unusual(folder: Path) -> float | None:
    if not (folder / "predictions.parquet").is_file():
        return None
    table = read_predictions(folder / "predictions.parquet")
    judged = table[table["specimen_id"].isna() & (table["fold"] == "test") & (table["applicability"] != "unknown")]
    judged = judged.drop_duplicates("patient_id")
    return float((judged["applicability"] == "unusual").mean()) if len(judged) else None
