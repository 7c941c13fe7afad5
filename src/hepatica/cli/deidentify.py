"""De-identify: the command that takes the patient's identity out of a study."""

from pathlib import Path
from typing import Annotated

import typer


def deidentify(
    study: Annotated[Path, typer.Argument(help="A folder, a zip archive or a file of DICOM images.", exists=True)],
    out: Annotated[Path, typer.Option(help="A new folder for the cleaned files, one folder a series.")],
    shift_dates: Annotated[
        bool, typer.Option("--shift-dates", help="Set a patient's dates back by a secret number of days; keep times.")
    ] = False,
    keep_flagged: Annotated[
        bool, typer.Option("--keep-flagged", help="Keep files whose pixels may show text. Look at each of them.")
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(help="A file of 16 random bytes or more: the same patient gets the same pseudonym each time."),
    ] = None,
) -> None:
    """Remove from DICOM images what tells who the patient is (PS3.15 annex E, basic profile).

    Names, IDs, dates, free text, private and device attributes go; UIDs are mapped. Pixels are not changed: ultrasound,
    screen shots and images with something like text near the border are refused and counted. No tool is sure to find
    all burned-in text, and a face can be drawn from a CT of the head: look before you give files away.
    """
    from hepatica.cohort.errors import SpecimenError
    from hepatica.radiology.deidentify.deidentify import deidentify as deidentify_study

    done = deidentify_study(study, out=out, shift_dates=shift_dates, keep_flagged=keep_flagged, key=key)
    typer.echo(f"{out}: {done.files} files of {done.series} series and {done.patients} patients")
    for reason, count in sorted(done.flagged.items()):
        typer.echo(f"  kept, look at them: {count} files: {reason}")
    for reason, count in sorted(done.refused.items()):
        typer.echo(f"  refused: {count} files: {reason}")
    if not done.files:
        raise SpecimenError("no file was written: every one was refused, for the reasons above")
