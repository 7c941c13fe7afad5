"""Audit: the command that judges whether a published table is possible."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hepatica.evaluate import Finding


def audit(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="The published table, its cells as printed.")],
    most: Annotated[
        int, typer.Option(help="Look for up to this many patients in rows that print no number.", min=2, max=5000)
    ] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list and nothing else.")] = False,
) -> None:
    """Find out whether the figures of a published table can be those of any patients.

    Rates: one line a row of the table, column row with its name and those that are printed of n, positives, accuracy,
    sensitivity, specificity, ppv, npv, f1, kappa, tp, fp, fn, tn. Cells as printed: 0.927 (0.686-0.907), 92.7%. Rows of
    the same patients (a name, optional column) have one n, those of the same outcome (optional) as many positives.

    Counts: columns characteristic, level, one a group of patients, and p where printed.

    What is found is a misprint or an error of arithmetic; which of the two, and whose, only the authors can tell.
    """
    import json

    from hepatica.evaluate import audit as audit_table

    found = audit_table(table, most=most)
    if as_json:
        typer.echo(json.dumps([each.as_dict() for each in found], indent=2, allow_nan=False))
        return
    for each in found:
        typer.echo(_told(each))


def _told(finding: "Finding") -> str:
    lines = [f"{finding.row}: {'contradicts itself or others' if finding.contradictions else 'no contradiction'}"]
    lines += [f"  - {each}" for each in finding.contradictions]
    lines += [f"  ? {each}" for each in finding.repairs]
    counts = finding.possible if finding.repaired is None else finding.repaired
    if counts is not None and len(counts):
        tp, fp, fn, tn = counts[0]
        more = f" and {len(counts) - 1} others" if len(counts) > 1 else ""
        then = "then " if finding.repaired is not None else ""
        lines.append(f"  = {then}TP {tp}, FP {fp}, FN {fn}, TN {tn}, n {counts[0].sum()}{more}")
    return "\n".join(lines)
