"""Serve: the command that starts the workbench."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    runs: Annotated[Path, typer.Option(help="Folder of run folders, or one run folder.", exists=True)] = Path(),
    data: Annotated[Path, typer.Option(help="Folder for everything that the workbench writes.")] = Path(
        "hepatica-workbench"
    ),
    cohorts: Annotated[
        Path | None, typer.Option(help="Folder of cohort folders, to train on; the one of --runs by default.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", min=0, max=65535)] = 8750,
    database: Annotated[
        str, typer.Option(metavar="URL", help="postgresql://…, or an SQLite file; DATA/workbench.sqlite by default.")
    ] = "",
    workers: Annotated[int, typer.Option(help="Processes that do jobs; 0 where others do them.", min=0)] = 1,
) -> None:
    """Start the workbench: pages in a browser and a programming interface, on this machine alone.

    The link that is printed signs its user in, once.
    """
    from hepatica.serve.running import run
    from hepatica.serve.settings import Settings

    settings = Settings(
        runs=runs.resolve(), data=data.resolve(), cohorts=(cohorts or runs).resolve(), port=port, database=database,
        workers=workers,
    )  # fmt: skip
    run(settings, say=typer.echo)
