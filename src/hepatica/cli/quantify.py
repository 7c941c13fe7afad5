"""Quantify: the command that quantifies files of 1H-MR spectra."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    import pandas as pd


NOTED = 5
"""Spectra whose notes are printed; spectra.csv has all."""


def quantify(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Spectra: NIfTI-MRS (.nii.gz), Siemens .rda, .IMA, .dat, Philips .SDAT, LCModel .RAW or .COORD.",
            exists=True,
        ),
    ],
    out: Annotated[Path, typer.Option(help="New folder for tables, report, figures and preprocessed spectra.")],
    method: Annotated[
        Literal["nls", "map", "qcnn", "qcnn+gn"],
        typer.Option(help="nls: least squares; map: with priors; qcnn: networks; qcnn+gn: networks, then a fit."),
    ] = "nls",
    water: Annotated[
        Path | None,
        typer.Option(
            help="Unsuppressed water reference of a single file, for phase, eddy currents and mM.", exists=True
        ),
    ] = None,
    run: Annotated[Path | None, typer.Option(help="Locked run of bae_2025_qcnn, for qcnn and qcnn+gn.")] = None,
    basis: Annotated[
        Path | None,
        typer.Option(help="Basis set instead of the simulated one of liver: .basis, .txt, .nii.gz.", exists=True),
    ] = None,
    brain: Annotated[
        bool,
        typer.Option("--brain", help="Brain metabolites, with LCModel's macromolecules and soft constraints."),
    ] = False,
    priors: Annotated[
        Path | None, typer.Option(help="TOML file of priors instead of those of liver.", exists=True)
    ] = None,
    pdff: Annotated[
        float, typer.Option(help="Fat fraction of the voxels, 0 to 1, by which water is reduced.", min=0, max=0.99)
    ] = 0.0,
    te: Annotated[float | None, typer.Option(help="Echo time (te_ms) in milliseconds, if the file is wrong.")] = None,
    tr: Annotated[float | None, typer.Option(help="Repetition time (tr_ms) in milliseconds.")] = None,
    f0: Annotated[float | None, typer.Option(help="Proton frequency (f0_mhz) in MHz.")] = None,
    bandwidth: Annotated[float | None, typer.Option(help="Spectral bandwidth in Hz (bandwidth_hz).")] = None,
    sequence: Annotated[
        Literal["press", "steam", "slaser", "spin_echo"] | None,
        typer.Option(help="Sequence, if the file is wrong; press if it is missing."),
    ] = None,
    reference: Annotated[
        float | None, typer.Option(help="Receiver frequency in ppm (reference_ppm), 4.65 for water.")
    ] = None,
) -> None:
    """Concentrations of metabolites and lipids in 1H-MR spectra, each with its standard deviation and CRLB.

    Spectra are preprocessed first: coils, transients, eddy currents, residual water, ppm axis. With a water reference
    concentrations are in mM, without one in institutional units, which only compare within a spectrum. What a spectrum
    does not determine is described in words, not printed as a number. Files that cannot be used are listed and skipped.

    Example: hepatica quantify act.SDAT --water ref.SDAT --method map --out result
    """
    from hepatica.report.documents.quantities_page import write_quantities_page
    from hepatica.runs.quantified import Quantification
    from hepatica.runs.quantify import quantify_files
    from hepatica.spectroscopy.signal.header import Header

    overrides = Header(
        te_ms=te, tr_ms=tr, f0_mhz=f0, bandwidth_hz=bandwidth, sequence=sequence, reference_ppm=reference
    )
    settings = Quantification(
        method=method, run=run, basis=basis, priors=priors, brain=brain, pdff=pdff, header_overrides=overrides
    )
    quantities, spectra = quantify_files(files, out=out, settings=settings, water=water)
    for line in unusual(quantities, spectra):
        typer.echo(line, err=True)
    sure = int(quantities["value"].notna().sum())
    typer.echo(
        f"{quantities['spectrum'].nunique()} of {len(spectra)} spectra, {sure} of {len(quantities)} values reported"
    )
    typer.echo(f"page: {write_quantities_page(quantities, spectra, out=out, method=method)}")


def unusual(quantities: "pd.DataFrame", spectra: "pd.DataFrame") -> list[str]:
    """A line for each spectrum that was not used or is flagged; of the first ones also what was done to them."""
    flagged = quantities.loc[quantities["flags"] != ""].groupby("spectrum")["flags"].first()
    lines = []
    for place, row in enumerate(spectra.to_dict("records")):
        error, notes = (row.get(name) for name in ("error", "notes"))
        found = [f"not used: {error}"] if isinstance(error, str) else []
        found += [notes] if notes and isinstance(notes, str) and place < NOTED else []
        found += [flagged[row["spectrum"]]] if row["spectrum"] in flagged.index else []
        lines += [f"spectrum {row['spectrum']}: {'; '.join(found)}"] if found else []
    return lines
