"""Check: the command that says everything that is wrong with a cohort folder before a system is trained on it."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hepatica.cli.options import Cohort

if TYPE_CHECKING:
    from hepatica.runs.check import Checked

WIDTH, SHOWN = 80, 12


def check(
    cohort: Cohort,
    out: Annotated[Path | None, typer.Option(help="Page to write; COHORT/check.html by default.")] = None,
    specimens: Annotated[
        int,
        typer.Option(help="Specimens to look into, evenly spread; of the others only the file is looked for.", min=0),
    ] = 100,
) -> None:
    """Say everything that is wrong with a cohort folder, and what can be trained on it.

    Tables are read whole; slides and scans are opened. The page has a thumbnail of each, with tissue and pen ink
    outlined, events and follow-up of each endpoint, missing values, and the disk that tiles would take. The exit code
    is 2 when something must be corrected.
    """
    from hepatica.report.documents.cohort_page import write_cohort_page
    from hepatica.runs.check import check as checked

    found = checked(cohort, specimens=specimens)
    page = write_cohort_page(found, path=out or cohort / "check.html")
    for kind, texts in (("fault", found.faults), ("look at", found.doubts)):
        _print(*(f"{kind}: {text}" for text in texts[:SHOWN]))
        if len(texts) > SHOWN:
            _print(f"and {len(texts) - SHOWN} more, on the page")
    _describe(found)
    typer.echo(f"page: {page}")
    if found.faults:
        typer.echo(f"{len(found.faults)} fault(s) to correct, then: hepatica check {cohort}")
        raise typer.Exit(2)
    if found.systems:
        typer.echo(f"next: hepatica train {next(iter(found.systems))} {cohort} --run my_run --quick")


def _describe(found: "Checked") -> None:
    if found.cohort is None:
        return
    _print(f"{len(found.cohort.patients)} patients, {len(found.cohort.specimens)} specimens")
    _print(*(f"{name}: {text}" for name, text in found.endpoints.items()))
    count = len(found.cohort.patients)
    lost = ", ".join(f"{name} {lost / count:.0%}" for name, lost in [*found.missing.items()][:SHOWN])
    _print(f"missing: {lost or 'nothing'}")
    if found.tiles:
        _print(f"tiles of 0.5 um per pixel: {found.tiles / 1e9:.3g} GB; {found.free / 1e9:.3g} GB are free")
    fit = ", ".join(f"{name} ({count})" for name, count in found.systems.items())
    _print(f"can be trained (patients): {fit or 'no system; the page says what is lacking'}")


def _print(*texts: str) -> None:
    for text in texts:
        typer.echo(textwrap.fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False))
