"""Verify: the command that says whether a run, its results and their specimens are as they were written."""

from pathlib import Path
from typing import Annotated

import typer


def verify(
    run: Annotated[Path, typer.Argument(help="Run folder, or a folder of results or predictions.", exists=True)],
    cohorts: Annotated[
        list[Path] | None,
        typer.Argument(help="Cohort folders whose slides, scans or spectra are checked too.", exists=True),
    ] = None,
) -> None:
    """Check that the locked model, all results and, with their cohort folders, the specimens are unchanged.

    Exit code 2 when something was altered, is missing or was replaced. The digests detect edited and damaged files;
    they are not a signature. Note the digest of the model, which is printed here, in the report and in the model card.
    """
    from rich.console import Console
    from rich.table import Table

    from hepatica.cohort.digests import file_digest
    from hepatica.runs.verify import RIGHT
    from hepatica.runs.verify import verify as verified

    found = verified(run, cohorts or [])
    table = Table("checked", "state")
    for row in found.itertuples():
        table.add_row(str(row.what), str(row.state), style="" if row.state in RIGHT else "bold red")
    Console().print(table)
    if (run / "model.json").exists():
        typer.echo(f"model: {file_digest(run / 'model.json')}")
    wrong = int((~found["state"].isin(RIGHT)).sum())
    typer.echo(f"{wrong} of {len(found)} checks failed" if wrong else f"all {len(found)} checks passed")
    if wrong:
        raise typer.Exit(2)
