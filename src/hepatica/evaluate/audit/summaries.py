"""Summaries: whether a printed mean, standard deviation and range, or a crude and a cumulative rate, go together."""

from itertools import product
from math import sqrt

import pandas as pd

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.findings import Finding
from hepatica.evaluate.audit.integer_tables import SLACK, Printed, read_printed

COLUMNS = ("row", "n", "mean", "sd", "minimum", "maximum", "events", "cumulative")


def audit_summaries(table: pd.DataFrame, *, name: str) -> list[Finding]:
    """Judge each row of a table of text: n with mean, sd, minimum and maximum, or with events and a cumulative rate.

    Raises EvaluationError when a column is unknown or a cell is no figure.
    """
    strange = [column for column in table.columns if column not in COLUMNS]
    if strange or not {"row", "n"} <= set(table.columns):
        raise EvaluationError(
            f"{name} has {', '.join(table.columns)}; wanted row, n and some of {', '.join(COLUMNS[2:])}"
        )
    rows = [{str(column): cell for column, cell in row.items() if cell} for row in table.to_dict("records")]
    return [_judged(row) for row in rows]


def _judged(row: dict[str, str]) -> Finding:
    figures = {column: read_printed(row[column]) for column in COLUMNS[1:] if column in row}
    wrong = []
    if {"n", "mean", "sd", "maximum"} <= set(figures):
        wrong += _spread(figures)
    if {"n", "events", "cumulative"} <= set(figures):
        wrong += _cumulative(figures)
    return Finding(row=row.get("row", "unnamed"), contradictions=tuple(wrong), repairs=())


def _spread(figures: dict[str, Printed]) -> list[str]:
    """The least standard deviation has all other values alike."""
    n, mean, sd = int(figures["n"].value), figures["mean"], figures["sd"]
    ends = [figures[name] for name in ("minimum", "maximum") if name in figures]
    if n <= len(ends):
        return [f"{n} patients are too few for the range that is printed"]
    least = min(
        least_sd(
            mean.value + shift * mean.half, ends=[e.value + s * e.half for e, s in zip(ends, nearer, strict=True)], n=n
        )
        for shift, *nearer in product((-1, 0, 1), repeat=1 + len(ends))
    )
    if least <= sd.value + sd.half + SLACK:
        return []
    return [f"a range that ends at {', '.join(f'{end.value:g}' for end in ends)} makes the standard deviation of {n}"
            f" values with a mean of {mean.value:g} at least {least:.2f}, printed is {sd.value:g}"]  # fmt: skip


def least_sd(mean: float, *, ends: list[float], n: int) -> float:
    """The smallest standard deviation (divided by n - 1) of n values of that mean, some of which are `ends`."""
    rest = (n * mean - sum(ends)) / (n - len(ends))
    return sqrt((sum((end - mean) ** 2 for end in ends) + (n - len(ends)) * (rest - mean) ** 2) / (n - 1))


def _cumulative(figures: dict[str, Printed]) -> list[str]:
    """By Kaplan and Meier each event takes one part in those at risk, of whom there must be few for a high rate."""
    n, events, rate = int(figures["n"].value), int(figures["events"].value), figures["cumulative"]
    least = rate.value - rate.half
    if not 0 < events <= n or not 0 < rate.value < 1:
        return [f"{events} events of {n} and a cumulative rate of {rate.value:g} are no shares"]
    if least <= events / n + SLACK:
        return []
    at_risk = 1 / (1 - (1 - least) ** (1 / events)) if least < 1 else 1.0
    most = int(at_risk + SLACK)
    return [f"{events} events of {n} are {events / n:.1%}; a cumulative rate of {rate.value:.1%} needs {most} patients"
            f" or fewer at risk at the events on average, so that {n - most} or more were censored before"]  # fmt: skip
