"""Basis: the commands that simulate, convert and show basis sets of 1H-MRS."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Basis sets of 1H-MRS: simulate one for your sequence, convert one between programs, look at one.",
    no_args_is_help=True,
)

Out = Annotated[
    Path, typer.Argument(help="File to write: .basis (LCModel), .txt (jMRUI), .nii.gz or .nii (NIfTI-MRS).")
]
Source = Annotated[
    Path, typer.Argument(help="A .basis, .txt, .nii or .nii.gz file, or a folder of NIfTI-MRS files.", exists=True)
]
Align = Annotated[
    bool, typer.Option("--align", help="Find the shift its receiver stands at, instead of taking the file's word.")
]


@app.command()
def write(
    out: Out,
    sequence: Annotated[
        Literal["press", "steam", "slaser", "spin_echo"],
        typer.Option(help="Pulses without length; --shaped gives one."),
    ] = "press",
    te: Annotated[float, typer.Option(help="Echo time in milliseconds.")] = 35.0,
    te1: Annotated[
        float | None, typer.Option(help="First echo of PRESS in milliseconds; TE / 3 when left out.")
    ] = None,
    tm: Annotated[float | None, typer.Option(help="Mixing time of STEAM in milliseconds; 10 when left out.")] = None,
    f0: Annotated[float, typer.Option(help="Frequency of the scanner's protons in MHz: 127.74 at 3 T.")] = 127.74,
    bandwidth: Annotated[float, typer.Option(help="Samples a second.")] = 2000.0,
    points: Annotated[int, typer.Option(help="Samples of a decay.", min=16, max=65_536)] = 1024,
    component: Annotated[
        list[str] | None,
        typer.Option(help="A metabolite or lipid; repeat for more. The 20 of the liver when left out."),
    ] = None,
    shaped: Annotated[
        bool, typer.Option("--shaped", help="Refocus with a sinc of 5 ms, so that shifts lie in slices apart.")
    ] = False,
) -> None:
    """Simulate a basis set and write it, first sample of 1 mM = protons where the echo time is 0."""
    from hepatica.spectroscopy.basis.basis_file import write_basis
    from hepatica.spectroscopy.basis.pulse_sequence import sinc_pulse
    from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
    from hepatica.spectroscopy.signal.header import Header
    from hepatica.spectroscopy.signal.targets import LIVER20

    told = Header(sequence=sequence, te_ms=te, tm_ms=tm, f0_mhz=f0, bandwidth_hz=bandwidth)
    acquisition = told.acquisition(points=points)
    basis = simulate_basis(
        acquisition, names=component or LIVER20, te1_ms=te1, refocusing=sinc_pulse() if shaped else None
    )
    write_basis(basis, path=out)
    typer.echo(f"basis of {len(basis.names)} components: {out}")


@app.command()
def convert(source: Source, out: Out, align: Align = False) -> None:
    """Write a basis set in another program's format; its heights stay as they are."""
    from hepatica.spectroscopy.basis.basis_file import read_basis, write_basis
    from hepatica.spectroscopy.basis.ppm_reference import align_reference

    basis = read_basis(source)
    write_basis(align_reference(basis) if align else basis, path=out)
    typer.echo(f"basis of {len(basis.names)} components: {out}")


@app.command()
def show(
    source: Source,
    align: Align = False,
    picture: Annotated[Path | None, typer.Option(help="PNG to write: every component, ppm from right to left.")] = None,
) -> None:
    """Tell what a basis set holds: sampling, receiver, and each component's height and protons."""
    from hepatica.spectroscopy.basis.basis_file import read_basis
    from hepatica.spectroscopy.basis.basis_picture import draw_basis
    from hepatica.spectroscopy.basis.ppm_reference import ALIASES, align_reference
    from hepatica.spectroscopy.basis.spin_system import lipids, spin_systems

    basis = align_reference(read_basis(source)) if align else read_basis(source)
    told, known = basis.acquisition, spin_systems() | lipids()
    typer.echo(
        f"{told.sequence}, TE {told.te_ms:g} ms, {told.f0_mhz:g} MHz, {told.points} points at {told.bandwidth_hz:g} Hz,"
        f" receiver at {told.reference_ppm:.3f} ppm"
    )
    for name, fid in zip(basis.names, basis.fids, strict=True):
        system = known.get(ALIASES.get(name, name))
        protons = "unknown to hepatica" if system is None else f"{system.protons:g} protons"
        typer.echo(f"{name:8s} first sample {abs(fid[0]):10.4g}   {protons}")
    if picture is not None:
        draw_basis(basis, path=picture)
        typer.echo(f"picture: {picture}")
