"""Scores: the command that adds published scores and stages to a table of patients."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hepatica.cli.options import Json

if TYPE_CHECKING:
    import pandas as pd

    from hepatica.clinical.score import Score


def scores(
    table: Annotated[
        Path | None, typer.Argument(metavar="TABLE.csv", help="One row a patient. Without it, the scores are listed.")
    ] = None,
    units: Annotated[
        Path | None,
        typer.Option(
            metavar="UNITS.toml", help="Which column has which quantity, in which unit; codes of missing values."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; TABLE_scores.csv by default.")] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Names separated by commas; all that the table allows by default."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Compare the scores with published results.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="With --check: folder of published files of test cases, such as score_vectors.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add published scores and stages (PAGE-B, ALBI, MELD, BCLC, Milan …) to a table of patients.

    A column is read if its name says quantity and unit, such as albumin_g_l, or if UNITS.toml declares it: a table
    [platelets] with column = "Plt" and unit = "10^9/L". Impossible values and values in another unit are errors. A row
    with a missing input gets an empty cell, never a guess.
    """
    names = [each.strip() for each in only.split(",")] if only else None
    if check:
        _check(names, data)
    elif table is None:
        _list(names, as_json=as_json)
    else:
        _add(table, units, out or table.with_name(f"{table.stem}_scores.csv"), names)


def _add(table: Path, units: Path | None, out: Path, names: list[str] | None) -> None:
    from hepatica.clinical.scores import read_units, score_file

    declared, missing = read_units(units) if units else ({}, None)
    found = score_file(table, out=out, names=names, units=declared, missing=missing)
    for line in _summary(found):
        typer.echo(line)
    typer.echo(f"{len(found)} rows with scores: {out}")


def _summary(found: "pd.DataFrame") -> list[str]:
    """One line a score: of how many rows it is, and how many are in each band or stage."""
    from hepatica.clinical.scores import SCORES

    lines = []
    for name, score in SCORES.items():
        if name not in found:
            continue
        line = f"{name}{'' if score.confirmed else ' (UNCONFIRMED)'}: {found[name].notna().sum()} of {len(found)} rows"
        groups = found.get(f"{name}_band", found[name])
        if groups.dtype == "category" or score.unit.startswith("1 within"):
            line += "; " + ", ".join(f"{group} {count}" for group, count in groups.value_counts(sort=False).items())
        lines.append(line)
    return lines


def _check(names: list[str] | None, data: Path | None) -> None:
    from hepatica.clinical.scores.vectors import check as check_vectors
    from hepatica.cohort.errors import EvaluationError

    found = check_vectors(names, data=data)
    for each in found:
        state = "as known" if each.wrong and each.passed else "met" if each.passed else "NOT MET"
        typer.echo(f"{each.score}: {each.met} of {each.count} {state}, {each.file}")
        typer.echo(f"  the file is wrong: {each.wrong}" if each.wrong else "", nl=bool(each.wrong))
        for line in each.missed:
            typer.echo(f"  {line}")
    if failed := [each.score for each in found if not each.passed]:
        raise EvaluationError(f"got {', '.join(failed)} unlike the published results, wanted all alike; see above")


def _list(names: list[str] | None, *, as_json: bool) -> None:
    import json

    from hepatica.clinical.scores import SCORES, find_score

    found = [find_score(name) for name in names] if names else list(SCORES.values())
    if as_json:
        said = ("name", "title", "scope", "inputs", "unit", "paper", "doi", "evidence", "confirmed", "check")
        typer.echo(json.dumps([{name: getattr(each, name) for name in said} for each in found], indent=2))
    else:
        _print(found)


def _print(found: "list[Score]") -> None:
    """A few lines a score in two columns: name; title, scope, inputs and paper, and what of it is unconfirmed."""
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(Column(max_width=30, overflow="fold"), Column(), box=None, show_header=False, padding=(0, 2, 1, 0))
    for each in found:
        lines = [each.title, f"for: {each.scope}", f"reads: {', '.join(each.inputs)}", f"{each.paper}, {each.doi}"]
        lines += [] if each.confirmed else [each.evidence]
        table.add_row(Text(each.name, "bold"), Text("\n".join(lines)))
    Console().print(table)
