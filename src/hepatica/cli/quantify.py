"""Quantify: the command that quantifies 1H-MR spectra."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hepatica.cli.options import JobsOf, Ray, engine_of, in_stores

if TYPE_CHECKING:
    import pandas as pd

NOTED = 5
"""Specimens whose notes are printed; specimens.csv has all."""

Inputs = Annotated[
    list[Path],
    typer.Argument(
        help="A cohort folder; a folder of spectra and water references, paired by name (a_act.SDAT, a_ref.SDAT); or"
        " spectra: NIfTI-MRS (.nii.gz), Siemens .rda, .IMA, .dat, Philips .SDAT, .dcm, GE .7, LCModel .RAW or .COORD.",
        exists=True,
    ),
]
Out = Annotated[Path, typer.Option(help="Folder, or its URL, for tables, report, figures and spectra.")]
Method = Annotated[
    Literal["nls", "map", "qcnn", "qcnn+gn"],
    typer.Option(help="nls: least squares; map: with priors; qcnn: networks; qcnn+gn: networks, then a fit."),
]
Water = Annotated[
    Path | None,
    typer.Option(help="Unsuppressed water reference of a single file, for phase, eddy currents and mM.", exists=True),
]
Run = Annotated[Path | None, typer.Option(help="Locked run of bae_2025_qcnn, or its URL, for qcnn and qcnn+gn.")]
Basis = Annotated[
    Path | None,
    typer.Option(help="Basis set instead of the simulated one of liver: .basis, .txt, .nii.gz.", exists=True),
]
Brain = Annotated[
    bool, typer.Option("--brain", help="Brain metabolites, with LCModel's macromolecules and soft constraints.")
]
Priors = Annotated[Path | None, typer.Option(help="TOML file of priors instead of those of liver.", exists=True)]
Pdff = Annotated[
    float, typer.Option(help="Fat fraction of the voxels, 0 to 1, by which water is reduced.", min=0, max=0.99)
]
EchoTime = Annotated[float | None, typer.Option(help="Echo time (te_ms) in milliseconds, if the file is wrong.")]
RepetitionTime = Annotated[float | None, typer.Option(help="Repetition time (tr_ms) in milliseconds.")]
Frequency = Annotated[float | None, typer.Option(help="Proton frequency (f0_mhz) in MHz.")]
Bandwidth = Annotated[float | None, typer.Option(help="Spectral bandwidth in Hz (bandwidth_hz).")]
Sequence = Annotated[
    Literal["press", "steam", "slaser", "spin_echo"] | None,
    typer.Option(help="Sequence, if the file is wrong; press if it is missing."),
]
Reference = Annotated[float | None, typer.Option(help="Receiver frequency in ppm (reference_ppm), 4.65 for water.")]


@in_stores
def quantify(
    inputs: Inputs, out: Out, method: Method = "nls", water: Water = None, run: Run = None, basis: Basis = None,
    brain: Brain = False, priors: Priors = None, pdff: Pdff = 0.0, te: EchoTime = None, tr: RepetitionTime = None,
    f0: Frequency = None, bandwidth: Bandwidth = None, sequence: Sequence = None, reference: Reference = None,
    jobs: JobsOf = "1", ray: Ray = None,
) -> None:  # fmt: skip
    """Concentrations of metabolites and lipids in 1H-MR spectra, each with its standard deviation and CRLB.

    Spectra are preprocessed first: coils, transients, eddy currents, residual water, ppm axis. With a water reference
    concentrations are in mM, without one in institutional units, which only compare within a spectrum. What a spectrum
    does not determine is described in words, not printed as a number. Files that cannot be used are listed and skipped;
    after an interruption the same command resumes.

    Example: hepatica quantify act.SDAT --water ref.SDAT --method map --out result
    """
    from hepatica.report.documents.quantities_page import write_quantities_page
    from hepatica.runs.quantified import Quantification
    from hepatica.runs.quantify import quantify as quantify_inputs
    from hepatica.spectroscopy.signal.header import Header

    given = Header(te_ms=te, tr_ms=tr, f0_mhz=f0, bandwidth_hz=bandwidth, sequence=sequence, reference_ppm=reference)
    settings = Quantification(
        method=method, run=run, basis=basis, priors=priors, brain=brain, pdff=pdff, header_overrides=given
    )
    quantities, specimens = quantify_inputs(
        inputs, out=out, settings=settings, water=water, engine=engine_of(jobs, ray)
    )
    for line in remarks(specimens):
        typer.echo(line, err=True)
    typer.echo(summary(quantities, specimens))
    typer.echo(f"page: {write_quantities_page(quantities, specimens, out=out)}")


def summary(quantities: "pd.DataFrame", specimens: "pd.DataFrame") -> str:
    """How many spectra were quantified, and how many of their values are reported."""
    used, sure = quantities["row"].nunique(), int(quantities["value"].notna().sum())
    return f"{used} of {len(specimens)} spectra, {sure} of {len(quantities)} values reported"


def remarks(specimens: "pd.DataFrame") -> list[str]:
    """A line for each spectrum that was not used or is flagged; of the first ones also what was done to them."""
    lines = []
    for place, row in enumerate(specimens.astype(object).where(specimens.notna(), "").to_dict("records")):
        found = [row["notes"]] if row.get("notes") and place < NOTED else []
        if row["reason"]:
            found.append(f"{'UNUSUAL' if row['applicability'] == 'unusual' else 'not used'}: {row['reason']}")
        lines += [f"spectrum {row['row']}: {'; '.join(found)}"] if found else []
    return lines
