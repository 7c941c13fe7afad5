"""Node: the command of the node that an archive of images talks to; and a study of an archive in place of files."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

AUTHORIZATION = "HEPATICA_DICOMWEB_AUTHORIZATION"
"""Variable with the value of the HTTP header of that name, lest a password be on a command line."""

DicomWebUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help=f"An archive, before /studies, that gives the --study; ${AUTHORIZATION} is sent to it as that header.",
    ),
]
StudyUid = Annotated[str | None, typer.Option(metavar="UID", help="Study Instance UID in the --dicomweb archive.")]


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


def given(inputs: Sequence[Path] | None, *, dicomweb: str | None, study: str | None, out: Path) -> list[Path]:
    """The files given, or those of the study, fetched into `out`; SettingsError where both or neither are named."""
    from hepatica.cohort.errors import SettingsError

    if (dicomweb is None) != (study is None) or bool(inputs) == (dicomweb is not None):
        raise SettingsError("got neither or both of files and a study; give files, or --dicomweb URL and --study UID")
    if dicomweb is None or study is None:
        return list(inputs or ())
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        raise SettingsError("got --offline and --dicomweb; leave one of them out")
    from hepatica.serve.node.dicomweb import DicomWeb
    from hepatica.serve.node.received import name_of

    into = out / "prepared" / "dicomweb" / name_of(study)  # of its own, lest images of an earlier study be read as its
    with DicomWeb(dicomweb, authorization=os.environ.get(AUTHORIZATION)) as archive:
        return [archive.fetch(study, into=into)]
