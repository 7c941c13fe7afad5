"""Results: what a run and its validations found, read once from their folders and checked to belong together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from safetensors.numpy import load_file

from hepatica.cohort import (
    Endpoint,
    RunError,
    Target,
    Task,
    TimeToEvent,
    declared,
    patient_scores,
    read_predictions,
    targets,
)
from hepatica.cohort.atomic import read_json
from hepatica.cohort.digests import file_digest
from hepatica.cohort.seal import refuse_altered, unaltered
from hepatica.protocol import System, from_plain
from hepatica.runs.folder import COMPARATORS, IMPORTANCE, RunFolder, read_settings
from hepatica.runs.lock import verify_lock
from hepatica.systems import find_system

TRAINED_ON = ("train", "validation")
"""Folds whose patients the model has seen; no result is ever computed on them."""

CUTOFFS = {
    "median": "the median score of the training patients",
    "balanced": "the score at which sensitivity and specificity are equal in the patients of training and tuning",
    "of_simulation": "the score at which sensitivity and specificity are equal in simulated patients",
    "first": "that of the first score",
}
"""The rules by which a system locks its cut-offs."""

_TABLES = ("metrics.json", "cohort.json", "predictions.parquet", "patients.parquet")


@dataclass(frozen=True, kw_only=True)
class Results:
    """One cohort as a locked model saw it; `fold` names the patients that are reported (`test` or `external`).

    `patients` are those with a score; `cohort` holds the flow that counts the others too. `task` is the kind of task
    that is looked at; none: all. `by_horizon` leaves out the status at the end of follow-up, whose meaning changes with
    the length of follow-up, where there are horizons.
    """

    folder: Path
    fold: str
    cohort: dict[str, Any]
    predictions: pd.DataFrame
    patients: pd.DataFrame
    metrics: pd.DataFrame
    task: str | None = None
    by_horizon: bool = False
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)  # what most chapters ask for

    @property
    def title(self) -> str:
        """Title of columns and panels of these patients."""
        return ("Internal test: " if self.fold == "test" else "External: ") + str(self.cohort["name"])

    @property
    def key(self) -> str:
        """Name of files drawn from these patients."""
        return "internal" if self.fold == "test" else f"external_{self.folder.name}"

    @property
    def targets(self) -> list[Target]:
        """What the scores predict: those of the first kind of task, and what the cohort has an endpoint for."""
        if "targets" not in self._known:
            self._known["targets"] = targets(self.predictions)
        found = [each for each in self._known["targets"] if self.task in (None, each.task)]
        if self.by_horizon:
            found = [each for each in found if each.task != "binary" or each.horizon is not None] or found
        known = self.cohort["endpoints"]
        return [each for each in found if each.task == found[0].task or each.endpoint in known]

    def endpoint(self, target: Target) -> Endpoint:
        """Columns of time and event of a target, or of the label of a diagnosis."""
        return declared(target.endpoint, keys=self.cohort["endpoints"][target.endpoint])

    def outcomes(self, target: Target, *, fold: str | None = None) -> pd.DataFrame:
        """Score, group, fold, time (months), event, cause and label of each scored patient, by patient_id.

        The patients are those of `fold`, by default the reported ones; `label` is missing where it is unknown. `event`
        is 1 where the event came, else 0; `cause` is also 2 where a competing one came. A diagnosis has none of these.
        Of several classes or subtypes the score is the first's.
        """
        key = target, fold or self.fold
        if key not in self._known:
            self._known[key] = self._outcomes(target, fold=key[1])
        return pd.DataFrame(self._known[key].copy())

    def _outcomes(self, target: Target, *, fold: str) -> pd.DataFrame:
        table = patient_scores(self.predictions, target=target, fold=fold)
        table = table[~table.index.duplicated()]
        endpoint, patients = self.endpoint(target), self.patients.loc[table.index]
        table["score"] = table["score"].astype(float)
        if isinstance(endpoint, TimeToEvent):
            table["time"] = patients[endpoint.time].astype(float)
            table["cause"] = patients[endpoint.event].astype(int)
            table["event"] = (table["cause"] == 1).astype(int)  # a competing event is censored
        if target.task != "binary":
            return table
        return table.assign(label=endpoint.label(patients, horizon=target.horizon))

    def metric(self, name: str, target: Target, *, cutoff: float | None = None, fold: str | None = None) -> Any:
        """The row of metrics.json with that name; None when it is not there.

        `cutoff` chooses between the rows of a metric of calls, such as accuracy, which has one row a cut-off;
        other metrics have one row.
        """
        table = self.metrics
        rows = table[
            (table["fold"] == (fold or self.fold)) & (table["target"] == target.key) & (table["metric"] == name)
        ]
        rows = rows if cutoff is None else rows[np.isclose(rows["cutoff"].astype(float), cutoff)]
        return None if rows.empty else rows.iloc[0]

    @property
    def reported(self) -> pd.DataFrame:
        """Rows of the patients that are reported."""
        return self.patients[self.patients["fold"] == self.fold]

    def covariates(self) -> list[str]:
        """Columns of patients that are neither of an endpoint nor fold."""
        followed = {column for each in self.cohort["endpoints"].values() for column in declared("", keys=each).columns}
        return [name for name in self.patients.columns if name not in followed | {"fold"}]

    def regions(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Tiles and their signatures, of patients the model has not seen."""
        table = pd.read_parquet(self.folder / "regions.parquet")
        signatures = load_file(self.folder / "signatures.safetensors")["signatures"]
        seen = self.patients.index[self.patients["fold"].isin(TRAINED_ON)]
        unseen = ~table["patient_id"].isin(seen).to_numpy()
        return table[unseen].reset_index(drop=True), signatures[unseen]

    def own_rows(self, name: str, patients: pd.Index) -> pd.DataFrame | None:
        """Rows of these patients in a table beside the results (column patient_id); None where there are none."""
        path = self.folder / name
        if not path.is_file():
            return None
        table = pd.read_parquet(path)
        own = table[table["patient_id"].isin(patients)].reset_index(drop=True)
        return None if own.empty else own

    def stains(self) -> pd.DataFrame:
        """Stains of each usable specimen, by patient_id: haematoxylin_r … eosin_peak; no columns when there are none.

        The patients are those with a score, of every fold.
        """
        path = self.folder / "specimens.parquet"
        table = pd.read_parquet(path) if path.exists() else pd.DataFrame({"patient_id": []})
        stains = [name for name in table if str(name).startswith(("haematoxylin_", "eosin_"))]
        return table.set_index("patient_id")[stains].loc[lambda each: each.index.isin(self.patients.index)]

    def comparators(self) -> pd.DataFrame | None:
        """What other scores say of the patients, a column each, by patient_id; None where the system names none."""
        path = self.folder / COMPARATORS
        return pd.read_parquet(unaltered(path)) if path.is_file() else None

    def explained(self) -> list[dict[str, Any]]:
        """Specimens drawn by `hepatica explain`: row, score, class_or_quantity and files; none when it was not run.

        RunError where an older version wrote them.
        """
        path = self.folder / "explained" / "explained.json"
        found = list(read_json(path)) if path.exists() else []
        if any("class_or_quantity" not in each for each in found):
            raise RunError(f"{path} was written by an older version of hepatica; run hepatica explain again")
        return found

    def importance(self) -> dict[str, Any] | None:
        """Which variables the score depends on, from `hepatica explain`; None where it was not run or reads none."""
        path = self.folder / "explained" / IMPORTANCE
        return dict(read_json(path)) if path.exists() else None


@dataclass(frozen=True, kw_only=True)
class Run:
    """A locked run with its internal results first and its validations after them; `digest` is that of the model."""

    folder: Path
    settings: dict[str, Any]
    model: dict[str, Any]
    digest: str
    cutoffs: dict[str, float]
    system: System[Any, Any]
    cohorts: tuple[Results, ...]

    @property
    def phantom(self) -> bool:
        """Whether any patient of this report is synthetic."""
        return bool(self.model["phantom"]) or any(each.cohort["phantom"] for each in self.cohorts)

    @property
    def internal(self) -> Results:
        """The patients of the training hospital that were locked away before training."""
        return self.cohorts[0]

    @property
    def external(self) -> tuple[Results, ...]:
        """Validations in other cohorts."""
        return self.cohorts[1:]

    @property
    def followed(self) -> bool:
        """Whether the primary score is about an event of follow-up, not about what is present at the examination."""
        return self.targets[0].followed

    @property
    def region(self) -> str:
        """What the network reads of a specimen at once: tile, slice, spectrum."""
        return self.system.first.region

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the system was asked, the primary task first."""
        return self.system.tasks(from_plain(self.system.settings, self.settings["settings"]))

    @property
    def cutoff_rule(self) -> str:
        """The rule of the locked cut-offs, in words."""
        rules = (CUTOFFS.get(each.cutoff or "") for each in self.tasks)
        return next(filter(None, rules), "none")

    def asking(self, task: str) -> "Run":
        """The same with the scores of one kind of task alone."""
        return replace(self, cohorts=tuple(replace(each, task=task) for each in self.cohorts))

    @property
    def by_horizon(self) -> "Run":
        """The same without the status at the end of follow-up, which only studies of a paper report."""
        return replace(self, cohorts=tuple(replace(each, by_horizon=True) for each in self.cohorts))

    @property
    def columns(self) -> Literal[2, 3]:
        """Panels side by side in a figure of every target (rows) and cohort (columns)."""
        return 3 if len(self.cohorts) == 3 else 2

    @property
    def targets(self) -> list[Target]:
        """What the scores predict; the first is the primary one."""
        return self.internal.targets


def read_run(path: Path, *, external: Sequence[Path] | None = None) -> Run:
    """Read a run and its validations; RunError when one is unfinished, altered, or belongs to another model.

    `external` are folders of validations; where it is None, those finished in `external/` of the run.
    """
    if external is None:
        external = sorted(each.parent for each in path.glob("external/*/metrics.json"))
    folder = RunFolder(path)
    settings = read_settings(folder)
    model = verify_lock(folder)
    cohorts = (_read_results(path, fold="test"), *(_read_results(each, fold="external") for each in external))
    cohorts = (cohorts[0], *(_named_as(each, cohorts[0].cohort["endpoints"]) for each in cohorts[1:]))
    cohorts = _told_apart(cohorts)
    tables = _of_one_type([each.patients for each in cohorts])
    cohorts = tuple(replace(each, patients=table) for each, table in zip(cohorts, tables, strict=True))
    digest = file_digest(folder.model)
    others = [str(each.folder) for each in cohorts if each.cohort["model"] != digest]
    if others:
        raise RunError(f"{', '.join(others)}: got results of another model than {path}; validate again with it")
    return Run(
        folder=path,
        settings=settings,
        model=model,
        digest=digest,
        cutoffs=read_json(folder.cutoffs),
        system=find_system(settings["reference"]),
        cohorts=cohorts,
    )


def _told_apart(cohorts: tuple[Results, ...]) -> tuple[Results, ...]:
    """The same; of external cohorts that share a name, with the folder of their results in it."""
    names = [each.cohort["name"] for each in cohorts]
    return tuple(
        replace(each, cohort=each.cohort | {"name": f"{each.cohort['name']}, {each.folder.name}"})
        if each.fold == "external" and names.count(each.cohort["name"]) > 1
        else each
        for each in cohorts
    )


def _named_as(results: Results, endpoints: dict[str, Any]) -> Results:
    """The results, with the columns of endpoints called as in the cohort of training, which declares these."""
    found = {name: keys for name, keys in results.cohort["endpoints"].items() if name in endpoints}
    pairs = {name: (declared(name, keys=endpoints[name]), declared(name, keys=keys)) for name, keys in found.items()}
    same = {name: pair for name, pair in pairs.items() if type(pair[0]) is type(pair[1])}
    names = [pair for own, other in same.values() for pair in zip(own.columns, other.columns, strict=True)]
    columns = {name: results.patients[other] for name, other in names}
    patients = results.patients.drop(columns=[other for _, other in names]).assign(**columns)
    cohort = results.cohort | {"endpoints": results.cohort["endpoints"] | {name: endpoints[name] for name in same}}
    return replace(results, patients=patients, cohort=cohort)


def _of_one_type(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The tables, with columns that are numbers in one cohort and text in another as text in all."""
    columns = {str(name) for table in tables for name in table}
    filled = {
        name: [table[name] for table in tables if name in table and table[name].notna().any()] for name in columns
    }
    mixed = [name for name, found in filled.items() if len({is_numeric_dtype(each) for each in found}) > 1]
    return [table.assign(**{name: _as_text(table[name]) for name in mixed if name in table}) for table in tables]


def _as_text(column: pd.Series) -> pd.Series:
    return column.map("{:g}".format, na_action="ignore") if is_numeric_dtype(column) else column


def _read_results(folder: Path, *, fold: str) -> Results:
    missing = [name for name in _TABLES if not (folder / name).is_file()]
    if missing:
        raise RunError(f"{folder} lacks {', '.join(missing)}; finish hepatica train or hepatica validate there first")
    refuse_altered(folder)
    refuse_altered(folder / "explained")
    patients = pd.read_parquet(unaltered(folder / "patients.parquet"))
    columns = ["fold", "target", "cutoff", "metric", "value", "low", "high", "n", "method"]
    return Results(
        folder=folder,
        fold=fold,
        cohort=read_json(unaltered(folder / "cohort.json")),
        predictions=read_predictions(unaltered(folder / "predictions.parquet")),
        patients=patients[patients["fold"] != "not_scored"],
        metrics=pd.DataFrame(read_json(unaltered(folder / "metrics.json")), columns=columns),
    )
