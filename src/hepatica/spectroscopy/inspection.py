"""Inspection: a spectrum as it is checked before training: its real part after preprocessing, and its quality."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hepatica.cohort.specimens import Inspected, Specimen
from hepatica.spectroscopy.preprocessing.quality import quality
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.spectrum import Spectrum

SHOWN_PPM = (0.2, 4.4)


def inspect(specimen: Specimen, *, outlined: bool = True) -> Inspected:
    """The preprocessed spectrum from 4.4 to 0.2 ppm, its linewidth and signal-to-noise ratio; SpecimenError where it
    cannot be used. Nothing is outlined.
    """
    spectrum = read_spectrum(specimen.path, water=specimen.attachments.get("water"))
    found, own = quality(spectrum), spectrum.acquisition
    facts = {
        "sequence": f"{own.sequence}, TE {own.te_ms:g} ms, TR {own.tr_ms:g} ms",
        "signal to noise": f"{found.snr:.0f}",
        "linewidth": f"{found.linewidth_hz:.1f} Hz",
    }
    return Inspected(picture=_picture(spectrum), facts=facts, doubts=spectrum.notes)


def _picture(spectrum: Spectrum) -> np.ndarray:
    ppm, real = spectrum.acquisition.ppm, spectrum.values.real
    inside = (ppm >= SHOWN_PPM[0]) & (ppm <= SHOWN_PPM[1])
    figure = Figure(figsize=(4, 4), dpi=100, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(ppm[inside], real[inside], color="#222222", linewidth=0.8)
    axes.set(xlim=SHOWN_PPM[::-1], xlabel="chemical shift, ppm", yticks=[])
    axes.spines[["top", "right", "left"]].set_visible(False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
