"""Phantom: the commands that write phantom cohorts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hepatica.cohort.phantom import Renderer

app = typer.Typer(
    name="phantom",
    help="Write a phantom cohort: synthetic files in real formats with known truth, for tests and teaching.",
    no_args_is_help=True,
)


Folder = Annotated[Path, typer.Argument(help="Cohort folder to create, or to complete after an interruption.")]
Patients = Annotated[int, typer.Option(help="Number of patients.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of the random numbers.", min=0)]
Difficulty = Annotated[float, typer.Option(help="0 (obvious) to 1 (hardly visible, noisy labels).", min=0, max=1)]
Hospital = Annotated[str, typer.Option(help="A or B: hospitals with different instruments and practice.")]
Others = Annotated[
    list[str] | None,
    typer.Option(
        "--with", help="A further instrument for the same patients: slides, ct, mr, ultrasound or spectra; repeatable."
    ),
]
Whom = Annotated[
    str | None,
    typer.Option(
        "--population",
        help="resected, suspected, cirrhosis, scanned_cirrhosis, liver_states, watched_cirrhosis, hepatitis_b,"
        " surveillance, screened, treated_hepatitis_b, transplanted, sequenced, biopsied, primary_cancer,"
        " focal_lesions, typical_lesions, at_risk, mvi, tace, ablated; the instrument's by default.",
    ),
]
All = Annotated[bool, typer.Option("--all", help="Write all endpoints, columns and tables.")]


def _instrument(name: str, *, patients: int, words: str) -> None:
    @app.command(name, help=words)
    def command(
        folder: Folder, patients: Patients = patients, seed: Seed = 0, difficulty: Difficulty = 0.5,
        hospital: Hospital = "A", others: Others = None, population: Whom = None, everything: All = False,
    ) -> None:  # fmt: skip
        _write(
            folder, [name, *(others or [])], population, patients=patients, seed=seed, difficulty=difficulty,
            hospital=hospital, endpoints="all" if everything else "usual",
        )  # fmt: skip


_instrument(
    "slides", patients=60,
    words="Write H&E slides (pyramidal TIFF), two per patient, of resected liver cancer with follow-up.",
)  # fmt: skip
_instrument(
    "multiphoton", patients=60,
    words="Write the same sections unstained, under a multiphoton microscope (TIFF of two channels, TPEF and SHG).",
)  # fmt: skip
_instrument(
    "ct", patients=60,
    words="Write four-phase liver CT (zipped DICOM) with pathology and reader results.",
)  # fmt: skip
_instrument(
    "mr", patients=60,
    words="Write liver MR (zipped DICOM): T1 before and after gadoxetate, T2 and diffusion, with outlined lesions.",
)  # fmt: skip
_instrument(
    "ultrasound", patients=60,
    words="Write liver ultrasound (zipped DICOM): B-mode with burned-in names, elastograms or contrast cines.",
)  # fmt: skip
_instrument(
    "spectra", patients=37,
    words="Write liver 1H-MRS (NIfTI-MRS, with water reference) of cirrhosis with and without HCC.",
)  # fmt: skip


@app.command()
def tables(
    folder: Folder, patients: Patients = 500, seed: Seed = 0, difficulty: Difficulty = 0.5, hospital: Hospital = "A",
    population: Whom = None,
    missing: Annotated[str, typer.Option(help="none, mcar, mar or mnar: how values of visits are missing.")] = "none",
) -> None:  # fmt: skip
    """Write patients, visits, claims and gene expression, without specimens."""
    _write(
        folder, [], population, patients=patients, seed=seed, difficulty=difficulty, hospital=hospital,
        endpoints="all", missing=missing,
    )  # fmt: skip


def _write(folder: Path, instruments: list[str], population: str | None, **options: Any) -> None:
    from hepatica.cohort import SettingsError
    from hepatica.cohort.phantom import POPULATIONS, phantom_cohort

    if population not in (None, *POPULATIONS):
        raise SettingsError(f"got the population {population!r}, wanted one of {', '.join(POPULATIONS)}")
    renderers = [_renderer(name) for name in dict.fromkeys(instruments)]
    whom = POPULATIONS[population] if population else None
    phantom_cohort(folder, renderers=renderers, population=whom, **options)
    typer.echo(f"phantom cohort: {folder}")


def _renderer(instrument: str) -> "Renderer":
    from hepatica.cohort import SettingsError

    if instrument in ("slides", "multiphoton"):
        from hepatica.pathology.phantom import PhantomSettings, Slides

        return Slides(
            settings=PhantomSettings(microscope="multiphoton" if instrument == "multiphoton" else "brightfield")
        )
    if instrument == "ct":
        from hepatica.radiology.phantom import CT

        return CT()
    if instrument == "mr":
        from hepatica.radiology.phantom import MR

        return MR()
    if instrument == "ultrasound":
        from hepatica.radiology.phantom import Ultrasound

        return Ultrasound()
    if instrument == "spectra":
        from hepatica.spectroscopy.phantom import Spectra

        return Spectra()
    raise SettingsError(f"got the instrument {instrument!r}, wanted slides, multiphoton, ct, mr, ultrasound or spectra")


@app.command()
def lesions(
    study: Annotated[Path, typer.Argument(help="CT study: folder, zip archive or file.", exists=True)],
    folder: Annotated[Path, typer.Argument(help="New folder: a DICOM series in dicom, the truth in mask.nii.gz.")],
    kind: Annotated[str, typer.Option(help="hcc, metastasis, cyst, hemangioma …; any other lists all.")] = "hcc",
    diameter_cm: Annotated[
        list[float] | None, typer.Option(help="Diameter of a lesion; repeat for several lesions. 3 by default.")
    ] = None,
    phase: Annotated[
        str, typer.Option(help="Contrast phase of the scan: plain, arterial, portal venous or delayed.")
    ] = "portal venous",
    seed: Annotated[int, typer.Option(help="Seed of the random place and shape.", min=0)] = 0,
    difficulty: Annotated[float, typer.Option(help="0 (textbook contrast) to 1 (faint).", min=0, max=1)] = 0,
    liver_mask: Annotated[
        Path | None, typer.Option(help="Mask of the liver (NIfTI or DICOM SEG); estimated by default.", exists=True)
    ] = None,
    series: Annotated[int | None, typer.Option(help="Which axial series of the study, from 1.", min=1)] = None,
) -> None:
    """Insert phantom lesions into the liver of a real CT series; the result is marked as synthetic."""
    from hepatica.radiology.phantom import lesions_into_scan

    lesions_into_scan(
        study, folder, kind=kind, diameters_cm=diameter_cm or [3.0], phase=phase, seed=seed, difficulty=difficulty,
        liver_mask=liver_mask, series=series,
    )  # fmt: skip
    typer.echo(f"real scan with phantom lesions: {folder}")
