"""Baseline: who the patients were, what is missing of them, and how the cohorts differ."""

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from hepatica.cohort import Status, TimeToEvent, declared
from hepatica.evaluate import standardised_difference
from hepatica.report.page.blocks import Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import TRAINED_ON, Results, Run
from hepatica.report.page.wording import FOLDS, INDENT, NONE, TIED, column, level, outcomes, share

CATEGORIES = 6
"""A numeric covariate with fewer values than this is told as categories. Ours."""

NOTABLE = 0.1
"""Standardised difference from which groups are usually called unlike (Austin, doi 10.1002/sim.3697)."""


def section(run: Run, gallery: Gallery) -> Section:
    """The baseline table; internal folds beside each external cohort, each divided by a diagnosis that is asked for."""
    diagnosis = run.targets[0].task == "binary" and not run.followed
    groups = _by_diagnosis(run) if diagnosis else _groups(run)
    learnt_from = run.internal.patients[run.internal.patients["fold"].isin(TRAINED_ON)]
    header = ["", *(f"{name} (n{TIED}={TIED}{len(table)})" for name, table in groups.items())]
    header += [f"Difference, {each.cohort['name']} from training" for each in run.external]
    rows: list[list[str]] = []
    for name in run.internal.covariates():
        rows += _rows(name, groups, learnt_from, run.external)
    rows += _endpoints(run, groups)
    table = Table(
        caption="Patients at baseline: median [interquartile range] or n (%).",
        header=header,
        rows=rows,
        note="Difference is the standardised mean difference between the patients the model learnt from (training and"
        f" tuning) and the external ones; from {NOTABLE} on it has an arrow, because a shifted cohort is one reason for"
        " a different result. Percentages leave out missing values, which are counted on a line of their own."
        + (" Patients whose diagnosis is unknown are in no column." if diagnosis else ""),
    )
    empty = [] if run.internal.covariates() else [Text(text="The cohort tables hold no covariates.", tone="note")]
    return Section(anchor="baseline", title="Patients at baseline", blocks=[table, *empty])


def _groups(run: Run) -> dict[str, pd.DataFrame]:
    """Patients of each fold of each cohort, in the order of the columns."""
    groups = {}
    for results in run.cohorts:
        for fold in FOLDS:
            members = results.patients[results.patients["fold"] == fold]
            if len(members):
                groups[_column_title(results, fold)] = members
    return groups


def _by_diagnosis(run: Run) -> dict[str, pd.DataFrame]:
    """Patients the model learnt from and those reported, each with and without the disease."""
    target = run.targets[0]
    parts: list[tuple[str, Results, tuple[str, ...]]] = [("Training and tuning", run.internal, TRAINED_ON)]
    parts += [(each.title, each, (each.fold,)) for each in run.cohorts]
    groups = {}
    for title, results, folds in parts:
        members = results.patients[results.patients["fold"].isin(folds)]
        label = results.endpoint(target).label(members, horizon=target.horizon)
        for code, name in zip((1, 0), outcomes(target), strict=True):
            groups[f"{title}, {name}"] = members[(label == code).to_numpy()]
    return groups


def _column_title(results: Results, fold: str) -> str:
    if fold == results.fold:
        return results.title
    return FOLDS[fold] + ("" if results.fold == "test" else f", {results.cohort['name']}")


def is_category(values: pd.Series) -> bool:
    """Whether a covariate is told as categories rather than as a median."""
    return not is_numeric_dtype(values) or values.nunique() < CATEGORIES


def _rows(
    name: str, groups: dict[str, pd.DataFrame], learnt_from: pd.DataFrame, external: tuple[Results, ...]
) -> list[list[str]]:
    everybody = pd.concat([table[name] for table in groups.values() if name in table and len(table)])
    shifts = [arrowed(unlike(learnt_from[name], each.reported.get(name, pd.Series(dtype=object)))) for each in external]
    columns = [table.get(name, pd.Series(np.nan, index=table.index)) for table in groups.values()]
    missing = [share(int(each.isna().sum()), len(each)) for each in columns]
    lacking = [[f"{INDENT}missing", *missing]] if everybody.isna().any() else []
    if not is_category(everybody.dropna().infer_objects()):
        return [[column(name), *(_median(each) for each in columns), *shifts], *lacking]
    levels = sorted(everybody.dropna().unique(), key=str)
    if set(levels) <= {0, 1}:
        return [[column(name), *(_share_of(each, 1) for each in columns), *shifts], *lacking]
    head = [column(name), *("" for _ in columns), *shifts]
    return [head, *([f"{INDENT}{level(each)}", *(_share_of(c, each) for c in columns)] for each in levels), *lacking]


def _median(values: pd.Series) -> str:
    known = values.dropna().astype(float)
    if known.empty:
        return NONE
    low, middle, high = known.quantile([0.25, 0.5, 0.75])
    return f"{middle:.3g} [{low:.3g}{TIED}to{TIED}{high:.3g}]"


def _share_of(values: pd.Series, wanted: Any) -> str:
    known = values.dropna()
    return share(int((known == wanted).sum()), len(known))


def unlike(first: pd.Series, second: pd.Series) -> float:
    """Standardised difference of a covariate between two groups, few numbers being told as categories."""
    known = pd.concat([each for values in (first, second) if not (each := values.dropna()).empty] or [first.dropna()])
    if not known.empty and is_category(known):
        first, second = (each.dropna().map(level) for each in (first, second))
    return standardised_difference(first, second=second)


def arrowed(difference: float) -> str:
    """A standardised difference as written, with an arrow from NOTABLE on."""
    if np.isnan(difference):
        return NONE
    value = "∞" if np.isinf(difference) else f"{difference:.2f}"
    return f"{value}{' ▲' if difference >= NOTABLE else ''}"


def _endpoints(run: Run, groups: dict[str, pd.DataFrame]) -> list[list[str]]:
    """Events and follow-up; of a diagnosis, unless the columns are divided by it, how many have the disease."""
    rows = []
    for name, columns in run.internal.cohort["endpoints"].items():
        told, endpoint = column(name), declared(name, keys=columns)
        if not isinstance(endpoint, Status | TimeToEvent):
            continue
        if isinstance(endpoint, Status):
            present = [_share_of(table[endpoint.column], 1) for table in groups.values()]
            rows += [] if name == run.targets[0].endpoint else [[f"{told}: present", *present]]
            continue
        events = [share(int((table[columns["event"]] == 1).sum()), len(table)) for table in groups.values()]
        censored = [_median(table.loc[table[columns["event"]] == 0, columns["time"]]) for table in groups.values()]
        rows += [[f"{told}: events", *events], [f"{told}: months to censoring", *censored]]
    return rows
