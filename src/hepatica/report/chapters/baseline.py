"""Baseline: who the patients were, which values are missing, and how cohorts and groups of patients differ."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from hepatica.cohort import Status, TimeToEvent, declared
from hepatica.evaluate import compare_groups, compare_shares, standardised_difference
from hepatica.report.page import TRAINED_ON, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import (
    FOLDS,
    INDENT,
    NONE,
    TIED,
    attempt,
    column,
    level,
    outcomes,
    p_value,
    quartiles,
    share,
)

CATEGORIES = 6
"""A numeric covariate with fewer values than this is shown as categories. Ours."""

NOTABLE = 0.1
"""Standardised difference from which groups are usually called unlike (Austin, doi 10.1002/sim.3697)."""

HALVES: Mapping[str, float] = {"age_years": 50, "tumour_size_cm": 5, "afp_ng_ml": 20}
"""From where a number counts as high: age and size as Table 4 of Li 2025 prints; AFP ours, it prints only + and -."""

DIFFERENCE_RULES = (
    "P of shares as in Li 2025: chi-square test (with Yates' correction in tables of two by two) where every observed"
    " count is 5 or more, else Fisher's exact test; its Table 4 says more than five, and prints P values that need 5 to"
    " be enough. Age is divided at 50 years and tumour size at 5 cm, as there; AFP at 20 ng/mL is ours, as the paper"
    " prints only + and \N{MINUS SIGN}. Other numbers: t-test or rank-sum test by normality. A P above 0.05 in so few"
    " patients does not show that groups are alike."
)
"""How the P values of `differences` were computed."""

Groups = Mapping[str, pd.DataFrame]
"""Rows of patients by the name of their group."""


def section(run: Run, gallery: Gallery) -> Section:
    """The baseline table; internal folds beside each external cohort, each divided by a diagnosis that is asked for."""
    diagnosis = run.targets[0].task == "binary" and not run.followed
    groups = _by_diagnosis(run) if diagnosis else _by_fold(run)
    trained = run.internal.patients[run.internal.patients["fold"].isin(TRAINED_ON)]
    rows: list[list[str]] = []
    for name in run.internal.covariates():
        columns = [table.get(name, pd.Series(np.nan, index=table.index)) for table in groups.values()]
        others = [each.reported.get(name, pd.Series(dtype=object)) for each in run.external]
        shifts = [arrowed(unlike(trained[name], other)) for other in others]
        rows += _baseline_rows(name, columns, shifts)
    table = Table(
        caption="Patients at baseline: median [interquartile range] or n (%).",
        header=[*_header(groups), *(f"Difference, {each.cohort['name']} from training" for each in run.external)],
        rows=[*rows, *_endpoints(run, groups)],
        note="Difference is the standardised mean difference between the patients the model was trained on (training"
        f" and tuning) and the external ones; from {NOTABLE} on it has an arrow, because a shifted cohort is one reason"
        " for a different result. Percentages leave out missing values, which are counted on a line of their own."
        + (" Patients whose diagnosis is unknown are in no column." if diagnosis else ""),
    )
    empty = [] if run.internal.covariates() else [Text(text="The cohort tables hold no covariates.", tone="note")]
    return Section(anchor="baseline", title="Patients at baseline", blocks=[table, *empty])


def _header(groups: Groups) -> list[str]:
    return ["", *(f"{name} (n{TIED}={TIED}{len(table)})" for name, table in groups.items())]


def _by_fold(run: Run) -> Groups:
    """Patients of each fold of each cohort, in the order of the columns."""
    groups = {}
    for results in run.cohorts:
        for fold in FOLDS:
            members = results.patients[results.patients["fold"] == fold]
            if len(members):
                groups[_fold_title(results, fold)] = members
    return groups


def _fold_title(results: Results, fold: str) -> str:
    if fold == results.fold:
        return results.title
    return FOLDS[fold] + ("" if results.fold == "test" else f", {results.cohort['name']}")


def _by_diagnosis(run: Run) -> Groups:
    """Patients the model was trained on and those reported, each with and without the disease."""
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


def is_category(values: pd.Series) -> bool:
    """Whether a covariate is shown as categories rather than as a median."""
    return not is_numeric_dtype(values) or values.nunique() < CATEGORIES


def _baseline_rows(name: str, columns: list[pd.Series], shifts: list[str]) -> list[list[str]]:
    everybody = pd.concat([each for each in columns if len(each)])
    missing = [f"{INDENT}missing", *(share(int(each.isna().sum()), len(each)) for each in columns)]
    rows = _rows(column(name), everybody, columns, number=quartiles, apart=shifts)
    return [*rows, missing] if everybody.isna().any() else rows


def _rows(
    title: str, values: pd.Series, columns: list[pd.Series], *, number: Callable[[pd.Series], str], apart: list[str]
) -> list[list[str]]:
    """Rows of a covariate: its `number` in each group, or the share of each level; `apart` ends the first row.

    All `values` decide of what kind it is, because a group of few patients has few ages.
    """
    known = values.dropna().infer_objects()
    if not is_category(known):
        return [[title, *map(number, columns), *apart]]
    levels = sorted(known.unique(), key=str)
    if set(levels) <= {0, 1}:
        return [[title, *(_share_of(each, 1) for each in columns), *apart]]
    head = [title, *("" for _ in columns), *apart]
    below = [
        [f"{INDENT}{level(each)}", *(_share_of(one, each) for one in columns), *("" for _ in apart)] for each in levels
    ]
    return [head, *below]


def _share_of(values: pd.Series, code: Any) -> str:
    known = values.dropna()
    return share(int((known == code).sum()), len(known))


def unlike(first: pd.Series, second: pd.Series) -> float:
    """Standardised difference of a covariate between two groups; a number of few values counts as categories."""
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


def _endpoints(run: Run, groups: Groups) -> list[list[str]]:
    """Events and follow-up; of a diagnosis, unless the columns are divided by it, how many have the disease."""
    rows, tables = [], groups.values()
    for name, keys in run.internal.cohort["endpoints"].items():
        endpoint = declared(name, keys=keys)
        if isinstance(endpoint, Status) and name != run.targets[0].endpoint:
            rows.append([f"{column(name)}: present", *(_share_of(table[endpoint.column], 1) for table in tables)])
        if isinstance(endpoint, TimeToEvent):
            events = [share(int((table[endpoint.event] == 1).sum()), len(table)) for table in tables]
            censored = [quartiles(table.loc[table[endpoint.event] == 0, endpoint.time]) for table in tables]
            rows += [[f"{column(name)}: events", *events], [f"{column(name)}: months to censoring", *censored]]
    return rows


def differences(results: Results, pairs: Sequence[Groups], *, caption: str) -> Table:
    """Covariates of pairs of groups of a cohort's patients, with P values, as in Table 4 of Li 2025."""
    header = [""]
    for pair in pairs:
        header += [*_header(pair)[1:], "P"]
    rows = []
    for name in results.covariates():
        if name != "treatment":
            of_pairs = [_compared(results.patients[name], [each[name] for each in pair.values()]) for pair in pairs]
            rows += [
                [first[0], *(cell for row in (first, *others) for cell in row[1:])]
                for first, *others in zip(*of_pairs, strict=True)
            ]
    return Table(caption=caption, header=header, rows=rows or [["The cohort tables hold no covariates."]])


def _compared(values: pd.Series, pair: list[pd.Series]) -> list[list[str]]:
    """Rows of a covariate in two groups with P and the name of its test; a dash where there is no test."""
    name, sides, title = str(values.name), [each.dropna() for each in pair], column(str(values.name))
    if name in HALVES and not is_category(values.dropna().infer_objects()):
        values, *sides = (each.dropna() >= HALVES[name] for each in (values, *sides))
        title = f"{title}, {HALVES[name]:g} or more"
    return _rows(title, values, sides, number=_median, apart=[_p(values, *sides)])


def _median(values: pd.Series) -> str:
    return f"{values.astype(float).median():.3g}" if len(values) else NONE


def _p(values: pd.Series, first: pd.Series, second: pd.Series) -> str:
    if is_category(values.dropna().infer_objects()):
        levels = sorted({*first, *second}, key=str)
        counts = [[int((each == one).sum()) for each in (first, second)] for one in levels] or [[0]]
        found: Any = attempt(lambda: compare_shares(counts))
    else:
        found = attempt(lambda: compare_groups(first.to_numpy(float), second=second.to_numpy(float)))
    return NONE if isinstance(found, str) else f"{p_value(found.p)}, {found.test.removesuffix(' test')}"
