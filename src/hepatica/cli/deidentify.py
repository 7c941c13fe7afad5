"""De-identify: the command that removes the patient's identity from a study."""

from pathlib import Path
from typing import Annotated

import typer


def deidentify(
    study: Annotated[Path, typer.Argument(help="DICOM images: a folder, a zip archive or a file.", exists=True)],
    out: Annotated[Path, typer.Option(help="New folder for the de-identified files, with one folder per series.")],
    shift_dates: Annotated[
        bool,
        typer.Option("--shift-dates", help="Shift the dates of a patient by a secret number of days."),
    ] = False,
    clean_descriptors: Annotated[
        bool,
        typer.Option("--clean-descriptors", help="Keep the contrast phase if the name of a series states it."),
    ] = False,
    keep_flagged: Annotated[
        bool, typer.Option("--keep-flagged", help="Keep files whose pixels may contain text; inspect each of them.")
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(help="File of 16 or more random bytes, with which a patient gets the same pseudonym each time."),
    ] = None,
) -> None:
    """Remove the patient's identity from DICOM images (PS3.15 annex E, basic profile).

    Names, IDs, dates, free text, private and device attributes are removed; UIDs are replaced. Pixels are not changed:
    ultrasound, screenshots and images that may contain text near the border are refused and counted. No tool finds all
    burned-in text, and a face can be reconstructed from a head CT: inspect the files before you share them.
    """
    from hepatica.cohort.errors import SpecimenError
    from hepatica.radiology.deidentify.deidentify import deidentify as deidentify_study

    done = deidentify_study(
        study,
        out=out,
        shift_dates=shift_dates,
        clean_descriptors=clean_descriptors,
        keep_flagged=keep_flagged,
        key=key,
    )
    typer.echo(f"{out}: {done.files} files of {done.series} series and {done.patients} patients")
    for reason, count in sorted(done.flagged.items()):
        typer.echo(f"  kept, inspect them: {count} files: {reason}")
    for reason, count in sorted(done.refused.items()):
        typer.echo(f"  refused: {count} files: {reason}")
    if done.refused or done.flagged:
        typer.echo(f"  named in {out.name}_refused.csv beside {out.name}; file names may identify: do not share it")
    if not done.files:
        raise SpecimenError("no file was written: every one was refused, for the reasons above")
