"""Phantom: the commands that write phantom cohorts."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Write a phantom cohort: synthetic files in real formats with known truth, for trials and teaching.",
    no_args_is_help=True,
)


@app.command()
def slides(
    folder: Annotated[Path, typer.Argument(help="Cohort folder to make, or to complete after a stop.")],
    patients: Annotated[int, typer.Option(help="Number of patients; each has two slides.", min=1)] = 60,
    seed: Annotated[int, typer.Option(help="One seed gives one cohort.", min=0)] = 0,
    difficulty: Annotated[
        float, typer.Option(help="0 (plain to see) to 1 (hardly visible, noisy labels).", min=0, max=1)
    ] = 0.5,
    hospital: Annotated[str, typer.Option(help="A or B: two hospitals with their own stain and scanner.")] = "A",
) -> None:
    """Write H&E slides (pyramidal TIFF) of resected liver cancer with follow-up: phantoms, not patients."""
    from hepatica.pathology.phantom import phantom_slides

    phantom_slides(folder, patients=patients, seed=seed, difficulty=difficulty, hospital=hospital)
    typer.echo(f"phantom cohort: {folder}")


@app.command()
def ct(
    folder: Annotated[Path, typer.Argument(help="Cohort folder to make, or to complete after a stop.")],
    patients: Annotated[int, typer.Option(help="Number of patients; each has one study of four phases.", min=1)] = 60,
    seed: Annotated[int, typer.Option(help="One seed gives one cohort.", min=0)] = 0,
    difficulty: Annotated[
        float, typer.Option(help="0 (textbook lesions) to 1 (faint, noisy, untypical).", min=0, max=1)
    ] = 0.5,
    hospital: Annotated[str, typer.Option(help="A or B: two hospitals with their own scanner and timing.")] = "A",
) -> None:
    """Write four-phase liver CT (DICOM, a zip each) with pathology and readers: phantoms, not patients."""
    from hepatica.radiology.phantom import phantom_ct

    phantom_ct(folder, patients=patients, seed=seed, difficulty=difficulty, hospital=hospital)
    typer.echo(f"phantom cohort: {folder}")


@app.command()
def spectra(
    folder: Annotated[Path, typer.Argument(help="Cohort folder to make, or to complete after a stop.")],
    patients: Annotated[int, typer.Option(help="Number of patients; each has one spectrum.", min=1)] = 37,
    seed: Annotated[int, typer.Option(help="One seed gives one cohort.", min=0)] = 0,
    difficulty: Annotated[
        float, typer.Option(help="0 (choline and lipids rise plainly with HCC) to 1 (nothing rises).", min=0, max=1)
    ] = 0.5,
    hospital: Annotated[str, typer.Option(help="A or B: two hospitals; B has more noise and broader lines.")] = "A",
) -> None:
    """Write liver 1H-MRS (NIfTI-MRS, with water) of cirrhosis without and with HCC: phantoms, not patients."""
    from hepatica.spectroscopy.phantom import phantom_spectra

    phantom_spectra(folder, patients=patients, seed=seed, difficulty=difficulty, hospital=hospital)
    typer.echo(f"phantom cohort: {folder}")


@app.command()
def lesions(
    study: Annotated[Path, typer.Argument(help="A CT study of yours: folder, zip archive or file.", exists=True)],
    folder: Annotated[Path, typer.Argument(help="New folder: a DICOM series in dicom, the truth in mask.nii.gz.")],
    kind: Annotated[str, typer.Option(help="hcc, metastasis, cyst, hemangioma …; a wrong one lists them all.")] = "hcc",
    diameter_cm: Annotated[
        list[float] | None, typer.Option(help="Diameter of a lesion; repeat for more lesions. 3 when left out.")
    ] = None,
    phase: Annotated[
        str, typer.Option(help="The phase the scan was made in: plain, arterial, portal venous or delayed.")
    ] = "portal venous",
    seed: Annotated[int, typer.Option(help="One seed gives one place and shape.", min=0)] = 0,
    difficulty: Annotated[float, typer.Option(help="0 (textbook contrast) to 1 (faint).", min=0, max=1)] = 0,
    liver_mask: Annotated[
        Path | None, typer.Option(help="Mask of the liver (NIfTI or DICOM SEG); estimated when left out.", exists=True)
    ] = None,
    series: Annotated[int | None, typer.Option(help="Which axial series of the study, from 1.", min=1)] = None,
) -> None:
    """Draw phantom lesions into the liver of a real CT series; the result is marked as such, the truth is known."""
    from hepatica.radiology.phantom import lesions_into_scan

    lesions_into_scan(
        study, folder, kind=kind, diameters_cm=diameter_cm or [3.0], phase=phase, seed=seed, difficulty=difficulty,
        liver_mask=liver_mask, series=series,
    )  # fmt: skip
    typer.echo(f"real scan with phantom lesions: {folder}")
