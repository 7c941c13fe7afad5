"""Count totals: whether the characteristics of a published baseline table add up to the same patients."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.findings import Finding
from hepatica.evaluate.audit.integer_tables import DASHES, SLACK, Counts, Printed, read_printed

KEYS = ("characteristic", "level")

COUNT = re.compile(r"(\d+)(?: ?\((\d*\.?\d+) ?%?\))?")
"""A count as printed: 128, 128 (85.3) or 128 (85.3%)."""

TOTALS = ("total", "all", "overall", "all patients")
"""Names, in small letters, of a column that is the sum of the others."""


def audit_totals(table: pd.DataFrame, *, name: str) -> list[Finding]:
    """Judge each characteristic: are its totals in every group those of most others, does its printed P come out.

    `table` is of text with the columns characteristic, level, one a group of patients, and p where it is printed (once
    a characteristic). Raises EvaluationError when a column is missing or a count is no whole number.
    """
    groups = [each for each in table.columns if each not in (*KEYS, "p") and each.casefold() not in TOTALS]
    sums = [each for each in table.columns if each.casefold() in TOTALS]
    if not set(KEYS) <= set(table.columns) or len(groups) < 2:
        raise EvaluationError(f"{name} has {', '.join(table.columns)}; wanted characteristic, level, two groups")
    cells = table[[*groups, *sums]].map(lambda cell: COUNT.fullmatch(cell.translate(DASHES).strip()))
    if cells.isna().to_numpy().any():
        raise EvaluationError(
            f"{name}: columns {', '.join(map(str, cells.columns))} have a value that is not a whole number, or one with"
            " its percentage"
        )
    shares = cells[groups].map(lambda found: found[2] or "")
    table = table.assign(**cells.map(lambda found: int(found[1])))
    parts = {str(key): rows for key, rows in table.groupby("characteristic", sort=False)}
    counts = {key: rows[groups].to_numpy(np.int64) for key, rows in parts.items()}
    printed = {key: _p_of(rows) for key, rows in parts.items()}
    (usual, times), *_ = Counter(tuple(each.sum(axis=0).tolist()) for each in counts.values()).most_common()
    if times < 2 and len(counts) > 1:
        raise EvaluationError(f"{name}: no two characteristics have the same totals; there is nothing to compare with")
    found = [_judge(key, each, groups, np.array(usual), printed[key]) for key, each in counts.items()]
    found = [_with_sums(each, parts[each.row], groups, sums) for each in found]
    return [_with_shares(each, parts[each.row], shares, np.array(usual)) for each in found]


def _with_shares(finding: Finding, rows: pd.DataFrame, shares: pd.DataFrame, usual: Counts) -> Finding:
    """The finding, and each percentage that is not that of its count: of its column, or of its row, whichever most are.

    A printed percentage comes with the nearest count that would give it.
    """
    counts, printed = rows[shares.columns].to_numpy(np.int64), shares.loc[rows.index].to_numpy(str)
    wholes = [np.tile(usual, (len(counts), 1)), np.repeat(counts.sum(axis=1, keepdims=True), counts.shape[1], axis=1)]
    wrong = min((_misprinted(rows["level"], counts, printed, whole, shares.columns) for whole in wholes), key=len)
    return replace(finding, contradictions=(*finding.contradictions, *wrong))


def _misprinted(
    levels: "pd.Series[str]", counts: Counts, printed: np.ndarray, wholes: Counts, groups: pd.Index
) -> list[str]:
    found = []
    for (row, column), text in np.ndenumerate(printed):
        count, whole = int(counts[row, column]), int(wholes[row, column])
        if not text or not whole:
            continue
        percent, half = float(text), 0.5 * 10.0 ** -len(text.partition(".")[2])
        if abs(100 * count / whole - percent) > half + SLACK:
            near = round(percent * whole / 100)
            found.append(
                f"{levels.iloc[row]}, {groups[column]}: {count} of {whole} are {100 * count / whole:.4g}%, printed is"
                f" {text}%; {near} would be {100 * near / whole:.4g}%"
            )
    return found


def _with_sums(finding: Finding, rows: pd.DataFrame, groups: list[str], sums: list[str]) -> Finding:
    """The finding, and each level whose column of totals is not the sum of the groups."""
    added = rows[groups].sum(axis=1)
    wrong = [
        f"{level}: {column} is {printed}, the groups sum to {sum_}"
        for column in sums
        for level, printed, sum_ in zip(rows["level"], rows[column], added, strict=True)
        if printed != sum_
    ]
    return replace(finding, contradictions=(*finding.contradictions, *wrong))


def _p_of(rows: pd.DataFrame) -> Printed | None:
    cells = [cell for cell in rows.get("p", pd.Series(dtype=str)) if cell]
    return read_printed(cells[0]) if cells else None


def _judge(row: str, counts: Counts, groups: list[str], usual: Counts, p: Printed | None) -> Finding:
    totals, wrong, repairs = counts.sum(axis=0), [], []
    for group, found, wanted in zip(groups, totals, usual, strict=True):
        if found != wanted:
            wrong.append(f"{group}: sums to {found}, most others to {wanted}")
    if totals.sum() != usual.sum():
        wrong.append(f"all groups: {totals.sum()} patients, most others have {usual.sum()}")
    if wrong:
        repairs = _repairs(counts, groups, usual, p)
    elif p is not None and not _tests_giving(counts, p):
        computed = "; ".join(f"{test} {value:.3g}" for test, value in p_values(counts).items())
        wrong.append(f"P {p.value:g} is not that of any test of these counts: {computed or 'there is none'}")
    return Finding(row=row, contradictions=tuple(wrong), repairs=tuple(repairs))


def _repairs(counts: Counts, groups: list[str], usual: Counts, p: Printed | None) -> list[str]:
    """Turned over, or one other count in a group; those that give the printed P where any does."""
    found: dict[str, Counts] = {}
    if counts.shape[0] == counts.shape[1] and (counts.T.sum(axis=0) == usual).all():
        found["rows and columns are swapped"] = counts.T
    off = np.flatnonzero(counts.sum(axis=0) != usual)
    if off.size == 1:
        group, more = int(off[0]), int((counts.sum(axis=0) - usual)[off[0]])
        for level in np.flatnonzero(counts[:, group] >= more):
            changed = counts.copy()
            changed[level, group] -= more
            found[f"{groups[group]}: {changed[level, group]} for {counts[level, group]}"] = changed
    giving = {change: [] if p is None else _tests_giving(each, p) for change, each in found.items()}
    supported = [f"{change} (then P is that of {', '.join(tests)})" for change, tests in giving.items() if tests]
    return supported or list(found)


def _tests_giving(counts: Counts, p: Printed) -> list[str]:
    """Tests whose P rounds to the printed one."""
    return [test for test, value in p_values(counts).items() if abs(value - p.value) <= p.half + SLACK]


def p_values(counts: Counts) -> dict[str, float]:
    """P of each usual test of a table of levels (rows) and groups; of more than two levels also of their rank."""
    table = counts[counts.any(axis=1)]
    if min(table.shape) < 2 or not table.any(axis=0).all():
        return {}
    plain = {"chi-square without correction": float(stats.chi2_contingency(table, correction=False).pvalue)}
    if table.shape == (2, 2):
        yates = float(stats.chi2_contingency(table, correction=True).pvalue)
        return plain | {
            "chi-square with Yates' correction": yates,
            "Fisher's exact test": stats.fisher_exact(table).pvalue,
        }
    ranks = [np.repeat(np.arange(len(table)), column) for column in table.T]
    return plain | {"rank test (Kruskal-Wallis)": float(stats.kruskal(*ranks).pvalue)}
