"""Dicomweb: a study of an archive, in place of files, for the commands that read files."""

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
