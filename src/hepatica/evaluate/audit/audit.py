"""Audit: whether the rates of a published table can be those of any patients, and if not, what was likely swapped."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from hepatica.cohort.delimited import read_table
from hepatica.cohort.errors import EvaluationError
from hepatica.cohort.faults import Faults
from hepatica.evaluate.audit.count_totals import audit_totals
from hepatica.evaluate.audit.findings import Finding
from hepatica.evaluate.audit.integer_tables import (
    FIGURES,
    SLACK,
    Counts,
    Printed,
    interval_notes,
    possible_tables,
    rounding_to,
)
from hepatica.evaluate.audit.rate_rows import RateRow, read_rate_rows
from hepatica.evaluate.audit.summaries import audit_summaries

MOST_PATIENTS = 200
"""Up to this many patients are looked among where n is not printed. Ours."""

TWINS = (("sensitivity", "specificity"), ("ppv", "npv"))

Swap = tuple[str, dict[str, Printed]]
"""What was changed, in words, and the figures after it."""


def audit(path: Path, *, most: int = MOST_PATIENTS) -> list[Finding]:
    """Judge every row of a published table, in a CSV of one of the three layouts of docs/audit.md.

    `most` is the greatest number of patients looked for in rows that give none. Raises EvaluationError when the file is
    no such table.
    """
    if not path.is_file():
        raise EvaluationError(f"{path} is not a file; wanted a CSV table with a header")
    faults = Faults()
    table = read_table(path, faults, wanted=(), unique=())
    if table is None or faults:
        raise EvaluationError(str(faults))
    if "characteristic" in table.columns:
        return audit_totals(table, name=path.name)
    if {"sd", "cumulative"} & set(table.columns):
        return audit_summaries(table, name=path.name)
    return audit_rates(read_rate_rows(table, name=path.name), most=most)


def audit_rates(rows: list[RateRow], *, most: int = MOST_PATIENTS) -> list[Finding]:
    """Judge rows of rates one by one, then what rows of the same patients and the same outcome leave of each other."""
    alone = [_tables(row, row.printed, most=most) for row in rows]
    shared = list(alone)
    for outcome in (True, False, True):
        shared = _agreeing(rows, shared, outcome=outcome)
    return [_finding(row, *each, most=most) for row, *each in zip(rows, alone, shared, strict=True)]


def _tables(row: RateRow, printed: dict[str, Printed], *, most: int) -> Counts:
    """The counts that may be, of every number of patients that may be."""
    if row.counts is not None:
        return rounding_to(np.array([row.counts]), printed)
    numbers = range(2, most + 1) if row.n is None else range(row.n, row.n + 1)
    found = [possible_tables(printed, n=n, positives=row.positives) for n in numbers if n > (row.positives or 0)]
    return np.concatenate([np.empty((0, 4), np.int64), *found])


def _agreeing(rows: list[RateRow], tables: list[Counts], *, outcome: bool) -> list[Counts]:
    """Tables of as many patients, or (`outcome`) of as many with and without disease, as all rows of a group have."""
    left = list(tables)
    groups: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        if row.patients and (row.outcome or not outcome) and len(tables[place]):
            groups.setdefault((row.patients, row.outcome if outcome else ""), []).append(place)
    for places in groups.values():
        sizes = [_sizes(tables[place], outcome=outcome) for place in places]
        common = set.intersection(*(set(each) for each in sizes))
        for place, each in zip(places, sizes, strict=True):
            left[place] = tables[place][[size in common for size in each]]
    return left


def _sizes(tables: Counts, *, outcome: bool) -> list[tuple[int, int]]:
    diseased = tables[:, 0] + tables[:, 2] if outcome else np.zeros(len(tables), np.int64)
    return list(zip(tables.sum(axis=1).tolist(), diseased.tolist(), strict=True))


def _finding(row: RateRow, alone: Counts, shared: Counts, *, most: int) -> Finding:
    wrong = _wrong_by_itself(row)
    if len(shared):
        notes = tuple(interval_notes(shared[0], row.printed))
        return Finding(row=row.name, contradictions=tuple(wrong), repairs=(), possible=shared, notes=notes)
    if len(alone):
        wrong.append(f"possible alone, but with no number of patients that the other rows of {row.patients} allow")
        return Finding(row=row.name, contradictions=tuple(wrong), repairs=(), possible=shared)
    of = f"{row.n} patients" if row.n else f"up to {most} patients"
    wrong.append(f"no counts of {of} give these values")
    found = _swaps_that_help(row, most=most)
    repaired = np.unique(np.concatenate([each for _, each in found]), axis=0) if found else None
    repairs = tuple(description for description, _ in found) or _figures_that_hinder(row, most=most)
    near = () if found or row.n is None else _nearest(row, most=most)
    return Finding(
        row=row.name,
        contradictions=tuple(wrong),
        repairs=repairs,
        possible=shared,
        repaired=repaired,
        notes=near,
    )


WIDER = (2, 3, 5, 10, 20, 50)
"""How many times its last digit a figure is missed by, at most, in the nearest counts; tried in turn (ours)."""


def _nearest(row: RateRow, *, most: int) -> tuple[str, ...]:
    """The counts that come nearest to the printed values, and which of these they miss; nothing where none is near."""
    for times in WIDER:
        wider = {name: replace(each, half=times * each.half, low=None, high=None) for name, each in row.printed.items()}
        try:
            tables = _tables(row, wider, most=most)
        except EvaluationError:
            return ()
        if len(tables):
            break
    else:
        return ()
    with np.errstate(divide="ignore", invalid="ignore"):
        given = {name: FIGURES[name](*tables.T.astype(float)) for name in row.printed}
    misses = {name: np.abs(given[name] - each.value) / each.half for name, each in row.printed.items()}
    best = int(np.lexsort((np.sum(list(misses.values()), axis=0), np.max(list(misses.values()), axis=0)))[0])
    missed = [
        f"{name} {given[name][best]:.4g} for {each.value:.4g}"
        for name, each in row.printed.items()
        if misses[name][best] > 1 + SLACK
    ]
    counts = ", ".join(f"{name} {count}" for name, count in zip(("TP", "FP", "FN", "TN"), tables[best], strict=True))
    return (f"nearest counts: {counts}, with {', '.join(missed)}",) if missed else ()


def _wrong_by_itself(row: RateRow) -> list[str]:
    wrong = [
        f"{name} {figure.value:g} lies outside its own interval {figure.low:g} to {figure.high:g}"
        for name, figure in row.printed.items()
        if figure.outside_its_interval
    ]
    if row.counts is None:
        return wrong
    tp, _, fn, _ = row.counts
    if row.n not in (None, sum(row.counts)):
        wrong.append(f"the counts sum to {sum(row.counts)}, printed are {row.n} patients")
    if row.positives not in (None, tp + fn):
        wrong.append(f"TP and FN sum to {tp + fn}, printed are {row.positives} positives")
    return wrong


def _swaps_that_help(row: RateRow, *, most: int) -> list[tuple[str, Counts]]:
    """The fewest swaps with which there are counts, all that are equally few."""
    fewest: list[tuple[str, Counts]] = []
    for number in (1, 2, 3):
        for description, printed in _swaps(row.printed, number):
            tables = _tables(row, printed, most=most)
            if len(tables):
                fewest.append((description, tables))
        if fewest:
            break
    return fewest


def _swaps(printed: dict[str, Printed], number: int) -> list[Swap]:
    """All ways of so many changes: cells or values of a pair swapped, F1 taken for that of the other class."""
    ways: list[Swap] = []
    for whole, f1 in product(product(("", "cells", "values"), repeat=2), (False, True)):
        descriptions, changed = [], dict(printed)
        for (a, b), how in zip(TWINS, whole, strict=True):
            if how and a in printed and b in printed and not (how == "values" and printed[a].low is printed[b].low):
                changed |= _swapped(printed[a], printed[b], a, b, how)
                descriptions.append(f"{a} and {b} swapped" + (", their intervals in place" if how == "values" else ""))
        if f1 and "f1" in printed:
            changed["f1_of_the_negative"] = changed.pop("f1")
            descriptions.append("F1 is that of the other class")
        if len(descriptions) == number == sum(map(bool, (*whole, f1))):
            ways.append(("; ".join(descriptions), changed))
    return ways


def _swapped(first: Printed, second: Printed, a: str, b: str, how: str) -> dict[str, Printed]:
    if how == "cells":
        return {a: second, b: first}
    return {a: replace(first, value=second.value), b: replace(second, value=first.value)}


def _figures_that_hinder(row: RateRow, *, most: int) -> tuple[str, ...]:
    """Single figures, or the number of positives, without which there are counts."""
    hindering = [
        f"possible if the {name.replace('_', ' ')} is a misprint"
        for name in row.printed
        if len(row.printed) > 1
        and len(_tables(row, {each: row.printed[each] for each in row.printed if each != name}, most=most))
    ]
    if row.positives is not None and len(_tables(replace(row, positives=None), row.printed, most=most)):
        hindering.append(f"possible if the {row.positives} positives are a misprint")
    return tuple(hindering)
