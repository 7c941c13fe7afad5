"""Audit: the command that checks a published table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hepatica.cli.options import Json

if TYPE_CHECKING:
    from hepatica.evaluate import Finding


def audit(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="The published table, with cells as printed.")],
    most: Annotated[
        int, typer.Option(help="Largest number of patients considered for rows that do not print it.", min=2, max=5000)
    ] = 200,
    as_json: Json = False,
) -> None:
    """Check whether the numbers in a published table are arithmetically possible.

    Rates: one row of the CSV file for each row of the table, with the column row (its name) and the printed ones of n,
    positives, accuracy, sensitivity, specificity, ppv, npv, f1, kappa, tp, fp, fn and tn. Cells as printed:
    0.927 (0.686-0.907), 92.7%. Rows with the same value in the optional column patients share n; rows with the same
    value in the optional column outcome share the number of positives.

    Counts: columns characteristic, level, one for each group of patients, and p if printed.

    Summaries: columns row, n, and mean, sd, minimum and maximum, or events and cumulative (a Kaplan-Meier rate).

    An inconsistency is a misprint or an arithmetic error; only the authors can say which.
    """
    import json

    from hepatica.evaluate import audit as audit_table

    found = audit_table(table, most=most)
    if as_json:
        typer.echo(json.dumps([each.as_dict() for each in found], indent=2, allow_nan=False))
        return
    for each in found:
        typer.echo(_lines(each))


def _lines(finding: "Finding") -> str:
    lines = [f"{finding.row}: {'inconsistent' if finding.contradictions else 'no inconsistency'}"]
    lines += [f"  - {each}" for each in finding.contradictions]
    lines += [f"  ? {each}" for each in finding.repairs]
    lines += [f"  . {each}" for each in finding.notes]
    counts = finding.possible if finding.repaired is None else finding.repaired
    if counts is not None and len(counts):
        tp, fp, fn, tn = counts[0]
        more = f" and {len(counts) - 1} others" if len(counts) > 1 else ""
        then = "then " if finding.repaired is not None else ""
        lines.append(f"  = {then}TP {tp}, FP {fp}, FN {fn}, TN {tn}, n {counts[0].sum()}{more}")
    return "\n".join(lines)
