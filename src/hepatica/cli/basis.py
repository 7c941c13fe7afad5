"""Basis: the commands that simulate, convert and show basis sets for 1H-MRS."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="basis",
    help="Simulate, convert and inspect basis sets for 1H-MRS.",
    no_args_is_help=True,
)

Out = Annotated[
    Path, typer.Argument(help="File to write: .basis (LCModel), .txt (jMRUI), .nii.gz or .nii (NIfTI-MRS).")
]
Source = Annotated[
    Path, typer.Argument(help="A .basis, .txt, .nii or .nii.gz file, or a folder of NIfTI-MRS files.", exists=True)
]
Align = Annotated[
    bool,
    typer.Option("--align", help="Find the receiver's ppm from the peaks, not from the file header."),
]


@app.command()
def write(
    out: Out,
    sequence: Annotated[
        Literal["press", "steam", "slaser", "spin_echo"],
        typer.Option(help="Ideal (instantaneous) pulses; --shaped uses a 5 ms sinc."),
    ] = "press",
    te: Annotated[float, typer.Option(help="Echo time in milliseconds.")] = 35.0,
    te1: Annotated[float | None, typer.Option(help="First echo of PRESS in milliseconds; TE / 3 by default.")] = None,
    tm: Annotated[float | None, typer.Option(help="Mixing time of STEAM in milliseconds; 10 by default.")] = None,
    f0: Annotated[float, typer.Option(help="Proton frequency of the scanner in MHz: 127.74 at 3 T.")] = 127.74,
    bandwidth: Annotated[float, typer.Option(help="Spectral bandwidth in Hz.")] = 2000.0,
    points: Annotated[int, typer.Option(help="Samples of the FID.", min=16, max=65_536)] = 1024,
    component: Annotated[
        list[str] | None,
        typer.Option(help="A metabolite or lipid; repeatable. The 20 of the liver by default."),
    ] = None,
    shaped: Annotated[
        bool, typer.Option("--shaped", help="Refocus with 5 ms sinc pulses, which gives chemical shift displacement.")
    ] = False,
) -> None:
    """Simulate a basis set and write it, scaled so that 1 mM at TE 0 starts at the number of protons."""
    from hepatica.spectroscopy.basis.basis_file import write_basis
    from hepatica.spectroscopy.basis.pulse_sequence import sinc_pulse
    from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
    from hepatica.spectroscopy.signal.header import Header
    from hepatica.spectroscopy.signal.targets import LIVER20

    header = Header(sequence=sequence, te_ms=te, tm_ms=tm, f0_mhz=f0, bandwidth_hz=bandwidth)
    acquisition = header.acquisition(points=points)
    basis = simulate_basis(
        acquisition, names=component or LIVER20, te1_ms=te1, refocusing=sinc_pulse() if shaped else None
    )
    write_basis(basis, path=out)
    typer.echo(f"basis of {len(basis.names)} components: {out}")


@app.command()
def convert(source: Source, out: Out, align: Align = False) -> None:
    """Write a basis set in the format of another program, with unchanged amplitudes."""
    from hepatica.spectroscopy.basis.basis_file import read_basis, write_basis
    from hepatica.spectroscopy.basis.ppm_reference import align_reference

    basis = read_basis(source)
    write_basis(align_reference(basis) if align else basis, path=out)
    typer.echo(f"basis of {len(basis.names)} components: {out}")


@app.command()
def show(
    source: Source,
    align: Align = False,
    picture: Annotated[Path | None, typer.Option(help="PNG of all components to write.")] = None,
) -> None:
    """Show the sampling, the receiver frequency, and the amplitude and protons of each component of a basis set."""
    from hepatica.spectroscopy.basis.basis_file import read_basis
    from hepatica.spectroscopy.basis.basis_picture import draw_basis
    from hepatica.spectroscopy.basis.ppm_reference import ALIASES, align_reference
    from hepatica.spectroscopy.basis.spin_system import lipids, spin_systems

    basis = align_reference(read_basis(source)) if align else read_basis(source)
    sampling, known = basis.acquisition, spin_systems() | lipids()
    typer.echo(
        f"{sampling.sequence}, TE {sampling.te_ms:g} ms, {sampling.f0_mhz:g} MHz, {sampling.points} points at"
        f" {sampling.bandwidth_hz:g} Hz, receiver at {sampling.reference_ppm:.3f} ppm"
    )
    for name, fid in zip(basis.names, basis.fids, strict=True):
        system = known.get(ALIASES.get(name, name))
        protons = "unknown to hepatica" if system is None else f"{system.protons:g} protons"
        typer.echo(f"{name:8s} first sample {abs(fid[0]):10.4g}   {protons}")
    if picture is not None:
        draw_basis(basis, path=picture)
        typer.echo(f"picture: {picture}")
