"""JMRUI basis: read and write jMRUI's text files with one signal a component."""

import re
from pathlib import Path

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from hepatica.cohort.atomic import write_text
from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.ppm_reference import at_reference, turned_rightly
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition

_SIGNAL = re.compile(r"^Signal\s+(?:number:?\s*)?\d+ out of \d+ in file.*$", re.MULTILINE)
_FIELD = re.compile(r"^(\w{1,40}):(.*)$", re.MULTILINE)


def read_jmrui_basis(path: Path, *, te_ms: float | None = None) -> Basis:
    """A jMRUI text file with SignalNames as decays in hepatica's sign.

    Programs disagree on the direction in which a jMRUI file turns, so it is judged by the components that are known;
    the receiver is assumed to be at 4.65 ppm (`ppm_reference.align_reference` finds another). The file has no
    echo time: give `te_ms` where it matters. Raises SpecimenError on a file without names, or cut short.
    """
    text = path.read_text(encoding="latin-1")
    head, *signals = _SIGNAL.split(text)
    header = {name: value.strip() for name, value in _FIELD.findall(head)}
    names = [name.strip() for name in header.get("SignalNames", "").split(";") if name.strip()]
    if len(names) != len(signals) or not names:
        raise SpecimenError(
            f"the file names {len(names)} signals and has {len(signals)}, wanted one name each (SignalNames: a;b;c)"
        )
    acquisition = _acquisition(header, te_ms=te_ms)
    fids = np.array([_signal(signal, points=acquisition.points) for signal in signals])
    return turned_rightly(Basis(names=tuple(names), fids=fids, acquisition=acquisition))


def _acquisition(header: dict[str, str], *, te_ms: float | None) -> Acquisition:
    try:
        points, interval, frequency = (
            float(header[name]) for name in ("PointsInDataset", "SamplingInterval", "TransmitterFrequency")
        )
    except (KeyError, ValueError):
        raise SpecimenError(
            "the file has no PointsInDataset, SamplingInterval and TransmitterFrequency: it is truncated or no"
            " jMRUI text"
        ) from None
    return Acquisition(
        f0_mhz=frequency / 1e6 if frequency > 1e5 else frequency,  # some programs write MHz
        bandwidth_hz=1000 / interval, points=int(points), te_ms=te_ms or Acquisition.te_ms, tr_ms=None,
    )  # fmt: skip


def _signal(text: str, *, points: int) -> NDArray[np.complex128]:
    """(points,) decay: the first two columns; files with spectra have two more."""
    try:
        table = np.array([line.split()[:2] for line in text.splitlines() if line.strip()], float)
    except ValueError:
        raise SpecimenError("a signal of the file has a value that is not a number: get the file again") from None
    if table.shape != (points, 2):
        raise SpecimenError(f"a signal of the file has {len(table)} points, wanted {points}: it is truncated")
    real, imaginary = rearrange(table, "point part -> part point")
    return np.asarray(real + 1j * imaginary)


def write_jmrui_basis(basis: Basis, *, path: Path) -> None:
    """Write a jMRUI text file that jMRUI, spec2nii and `read_jmrui_basis` read, whole or not at all.

    It turns as hepatica's decays do, which is how spec2nii takes it, and its receiver is at 4.65 ppm.
    """
    acquisition = basis.acquisition
    head = (
        "jMRUI Data Textfile\n\nFilename: basis.txt\n\n"
        f"PointsInDataset: {acquisition.points}\nDatasetsInFile: {len(basis.names)}\n"
        f"SamplingInterval: {1000 / acquisition.bandwidth_hz:.12g}\nZeroOrderPhase: 0E0\nBeginTime: 0E0\n"
        f"TransmitterFrequency: {acquisition.f0_mhz * 1e6:.12g}\nMagneticField: {acquisition.f0_mhz / 42.577478:.6g}\n"
        "TypeOfNucleus: 0E0\nNameOfPatient: \nDateOfExperiment: \nSpectrometer: \nAdditionalInfo: hepatica\n"
        f"SignalNames: {';'.join(basis.names)}\n\n\nSignal and FFT\nsig(real)\tsig(imag)\n"
    )
    parts = []
    for number, fid in enumerate(at_reference(basis, ppm=WATER_PPM).fids, 1):
        lines = "\n".join(f"{value.real:.9E}\t{value.imag:.9E}" for value in fid)
        parts.append(f"Signal {number} out of {len(basis.names)} in file\n{lines}\n\n")
    write_text(path, head + "".join(parts))
