"""Treated baseline: whether treated patients at high and low risk, or with and without the event, differ otherwise."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import compare_groups, compare_shares
from hepatica.report.chapters.baseline import is_category
from hepatica.report.page.blocks import Table
from hepatica.report.page.results import Results
from hepatica.report.page.wording import INDENT, NONE, TIED, column, level, p_value, share

HALVES: Mapping[str, float] = {"age_years": 50, "tumour_size_cm": 5, "afp_ng_ml": 20}
"""From where a number counts as high: age and size as Table 4 of Li 2025 prints; AFP ours, it prints only + and -."""

RULES = (
    "P of shares as in Li 2025: chi-square test (with Yates' correction in tables of two by two) where every observed"
    " count is 5 or more, else Fisher's exact test; its Table 4 says more than five, and prints P values that need 5 to"
    " be enough. Age is parted at 50 years and tumour size at 5 cm, as there; AFP at 20 ng/mL is ours, it prints + and"
    " \N{MINUS SIGN} only. Other numbers: t-test or rank-sum test by normality. A P above 0.05 in so few patients"
    " does not show that groups are alike."
)
"""How the P values of the tables were made."""

Groups = tuple[pd.DataFrame, pd.DataFrame]


def baseline(results: Results, target: Target) -> Table:
    """Covariates of patients set aside by predicted group and by outcome, with P values, as in Table 4 of Li 2025."""
    outcomes = results.outcomes(target, fold="set_aside")
    treated = results.patients.loc[outcomes.index]
    event = target.endpoint.replace("_", " ")
    sides: list[Groups] = [
        _parted(treated, high=outcomes["group"] == "high"),
        _parted(treated, high=outcomes["event"] == 1),
    ]
    names = ("Low risk", "High risk"), (f"No {event}", event.capitalize())
    header = [""]
    for groups, (first, second) in zip(sides, names, strict=True):
        header += [_titled(first, groups[0]), _titled(second, groups[1]), "P"]
    covariates = [name for name in results.covariates() if name != "treatment"]
    rows = [row for name in covariates for row in _rows(name, results.patients[name], sides)]
    return Table(
        caption=f"Patients set aside of {results.cohort['name']} by predicted group and by {event} until the end of"
        " follow-up: n (%) or median.",
        header=header,
        rows=rows or [["The cohort tables hold no covariates."]],
    )


def _parted(patients: pd.DataFrame, *, high: "pd.Series[bool]") -> Groups:
    chosen = high.to_numpy(bool)
    return patients[~chosen], patients[chosen]


def _titled(name: str, group: pd.DataFrame) -> str:
    return f"{name} (n{TIED}={TIED}{len(group)})"


def _rows(name: str, values: pd.Series, sides: list[Groups]) -> list[list[str]]:
    """Rows of a covariate; all `values` of the cohort say what kind it is, for a few treated have few ages."""
    known = values.dropna().infer_objects()
    if name in HALVES and not is_category(known):
        high = [tuple((group[name].dropna() >= HALVES[name]) for group in groups) for groups in sides]
        return [[f"{column(name)}, {HALVES[name]:g} or more", *_shares(high, wanted=True)]]
    if not is_category(known):
        return [[column(name), *(cell for groups in sides for cell in _medians(*(group[name] for group in groups)))]]
    parts = [tuple(group[name].dropna() for group in groups) for groups in sides]
    levels = sorted(known.unique(), key=str)
    if set(levels) <= {0, 1}:
        return [[column(name), *_shares(parts, wanted=1)]]
    head = [column(name), *(cell for pair in parts for cell in ("", "", _p_of_shares(*pair)))]
    return [head, *([f"{INDENT}{level(each)}", *_shares(parts, wanted=each, tested=False)] for each in levels)]


def _shares(parts: list[Any], *, wanted: Any, tested: bool = True) -> list[str]:
    cells = []
    for first, second in parts:
        cells += [share(int((each == wanted).sum()), len(each)) for each in (first, second)]
        cells.append(_p_of_shares(first, second) if tested else "")
    return cells


def _p_of_shares(first: pd.Series, second: pd.Series) -> str:
    levels = sorted({*first, *second}, key=str)
    try:
        found = compare_shares([[(each == one).sum() for each in (first, second)] for one in levels] or [[0]])
    except EvaluationError:
        return NONE
    return f"{p_value(found.p)}, {found.test.removesuffix(' test')}"


def _medians(first: pd.Series, second: pd.Series) -> list[str]:
    known = [each.dropna().astype(float) for each in (first, second)]
    middles = [f"{each.median():.3g}" if len(each) else NONE for each in known]
    try:
        found = compare_groups(known[0].to_numpy(), second=known[1].to_numpy())
    except EvaluationError:
        return [*middles, NONE]
    return [*middles, f"{p_value(found.p)}, {found.test.removesuffix(' test')}"]
