"""Basis picture: every component of a basis in its own row, ppm from right to left."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hepatica.cohort.atomic import replacing
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.signal.spectrum import to_spectrum

WIDTH_HZ = 3.0
"""Lines are drawn this wide (FWHM, Lorentzian) on top of their own width (ours)."""

WINDOW_PPM = (0.4, 4.4)
"""What is drawn: where metabolites of the liver resonate, below water (ours)."""

_LINE, _QUIET = "#0072b2", "#7b8794"


def draw_basis(basis: Basis, *, path: Path, width_hz: float = WIDTH_HZ) -> None:
    """Write a PNG of the real parts; each row has its own scale, printed beside it as a share of the highest."""
    acquisition = basis.acquisition
    fine = replace(acquisition, points=4 * acquisition.points)  # zeros behind the decay, so that peaks are smooth
    damped = np.zeros((len(basis.names), fine.points), complex)
    damped[:, : acquisition.points] = basis.fids * np.exp(-np.pi * width_hz * acquisition.time_s)
    window = fine.within(*WINDOW_PPM)
    spectra, ppm = to_spectrum(damped).real[:, window], fine.ppm[window]
    figure = Figure(figsize=(7.2, 0.9 + 0.36 * len(spectra)), dpi=150, layout="constrained")
    axes = figure.subplots()
    heights = np.abs(spectra).max(1)
    for row, (name, spectrum, height) in enumerate(zip(basis.names, spectra, heights, strict=True)):
        axes.plot(ppm, 0.85 * spectrum / (height or 1) - row, color=_LINE, linewidth=0.7)
        axes.text(WINDOW_PPM[1] + 0.05, -row, name, fontsize=8, ha="right", va="center")
        share = height / (heights.max() or 1)
        axes.text(WINDOW_PPM[0] - 0.05, -row, f"{share:.2g}", fontsize=7, ha="left", va="center", color=_QUIET)
    axes.set(xlim=WINDOW_PPM[::-1], ylim=(-len(spectra) - 0.3, 1.1), yticks=[], xlabel="chemical shift, ppm")
    axes.spines[["left", "right", "top"]].set_visible(False)
    sequence = f"{acquisition.sequence.replace('_', ' ')}, TE {acquisition.te_ms:g} ms, {acquisition.f0_mhz:g} MHz"
    axes.set_title(f"{sequence}; right: highest peak, share of the highest", loc="left", fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
