"""Fetch: the commands that bring public cohorts from their archives."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Fetch a public cohort and write it in hepatica's format, ready to validate or to train on.",
    no_args_is_help=True,
)


@app.callback()
def fetch() -> None:
    """Keep `fetch tcga-lihc` a command of its own while it is the only one."""


@app.command()
def tcga_lihc(
    folder: Annotated[Path, typer.Argument(help="Cohort folder to make, or to complete after a stop.")],
    limit: Annotated[
        int | None,
        typer.Option(help="Take the first so many patients only, such as 3 for a trial; all when not given.", min=1),
    ] = None,
    slides: Annotated[
        Literal["one", "all"], typer.Option(help="Each patient's first diagnostic slide, or all of them.")
    ] = "all",
) -> None:
    """Fetch TCGA-LIHC, liver cancers of The Cancer Genome Atlas: slides (about 500 GB) and follow-up, from the GDC.

    Begin with --limit 3 and --slides one. The size is told, and the free disk checked, before the first slide comes.
    Stopped at any moment, the same command goes on where it stood; every slide is checked by its md5. Patients whose
    follow-up cannot be used are left out, counted by reason in fetch.json.

    The data are open access and need no account; TCGA asks to be acknowledged (the sentence stands in fetch.json and
    in the notes of the cohort). Then: hepatica validate RUN FOLDER tests a locked model on it, and
    hepatica study li_2025_cnn_sasm COHORT --external FOLDER makes it the external cohort of a study.
    """
    from hepatica.fetch import fetch_tcga_lihc

    typer.echo(f"cohort: {fetch_tcga_lihc(folder, limit=limit, slides=slides)}")
