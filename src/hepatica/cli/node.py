"""Node: the command that starts the node that an archive of images talks to."""

from pathlib import Path
from typing import Annotated

import typer


def node(
    settings: Annotated[
        Path, typer.Argument(help="Settings (TOML): AE titles, rules, archives; see docs/how_to/node.md.")
    ],
    runs: Annotated[Path, typer.Option(help="Folder of run folders, or one run folder.", exists=True)] = Path(),
    data: Annotated[Path, typer.Option(help="Folder for everything that is written; that of hepatica serve.")] = Path(
        "hepatica-workbench"
    ),
    database: Annotated[
        str, typer.Option(metavar="URL", help="postgresql://…, or an SQLite file; DATA/workbench.sqlite by default.")
    ] = "",
    workers: Annotated[
        int, typer.Option(help="Processes that predict; 0 where hepatica serve with the same --data does.", min=0)
    ] = 1,
) -> None:
    """Receive studies from an archive by DICOM or DICOMweb, predict them by rules, and send the results back.

    What was received is kept before it is acknowledged, and results until every archive has them: after an interruption
    the same command goes on.
    """
    import logging
    import threading

    from hepatica.serve.node.node import run_node
    from hepatica.serve.node.settings import read_settings
    from hepatica.serve.settings import Settings

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("hepatica").setLevel(logging.INFO)
    bench = Settings(runs=runs.resolve(), data=data.resolve(), database=database, workers=workers)
    run_node(read_settings(settings), bench, say=typer.echo, stop=threading.Event())
