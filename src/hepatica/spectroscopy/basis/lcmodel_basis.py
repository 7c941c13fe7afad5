"""LCModel basis: read and write LCModel's .basis files."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from hepatica.cohort.atomic import write_text
from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.ppm_reference import at_reference
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition, Sequence
from hepatica.spectroscopy.signal.header import sequence_of

HALVED = 0.75
"""First samples below this share of the second (median of the components) were halved before the transform (ours)."""

_WRITTEN: dict[Sequence, str] = {"press": "PRESS", "steam": "STEAM", "slaser": "SLASE", "spin_echo": "SE"}
"""LCModel keeps five letters of a sequence's name."""

_OPENED = re.compile(r"^[ \t]{0,80}[$&](\w{1,16})", re.MULTILINE)
_CLOSED = re.compile(r"[$&]END|^[ \t]{0,80}/[ \t]{0,80}$", re.MULTILINE | re.IGNORECASE)
_FIELD = re.compile(
    r"""\b(\w{1,16})\s{0,80}=\s{0,80}(?:'([^']{0,400})'|"([^"]{0,400})"|([^,'"=\s]{1,80}(?=[\s,]|$)))"""
)
"""Bounded, so that work stays proportional to the text."""


def read_lcmodel_basis(path: Path, *, f0_mhz: float | None = None, te_ms: float | None = None) -> Basis:
    """A .basis file as decays in hepatica's sign, in the file's order of metabolites.

    Amplitudes are as LCModel takes them (its transform divides by the root of the number of points; TRAMP, VOLUME and
    CONC are applied); they are not in protons. ISHIFT is applied, and a first sample that was halved (as Osprey and
    spant do) is doubled. LCModel assumes the receiver at 4.65 ppm: where that
    is not so, `ppm_reference.align_reference` finds the offset. `f0_mhz` and `te_ms` override the header's HZPPPM
    and ECHOT; the echo time defaults to Acquisition's. Raises SpecimenError on a file that is truncated,
    encrypted (BADELT below 0) or has no sampling parameters. Source: MYBASI and CFFT of LCModel.f, 6.3-1N.
    """
    text = path.read_text(encoding="latin-1")
    sections = list(_sections(text))
    header: dict[str, str] = {}
    for name, fields, _ in sections:
        if name in ("SEQPAR", "BASIS1"):
            header |= fields
    acquisition = _acquisition(header, f0_mhz=f0_mhz, te_ms=te_ms)
    spectra = {
        fields["METABO"].strip(): _scaled(values, fields, points=acquisition.points)
        for name, fields, values in sections
        if name == "BASIS" and "METABO" in fields
    }
    if not spectra:
        raise SpecimenError("the basis has no metabolite ($BASIS with METABO): it is truncated or of another format")
    fids = np.conj(np.fft.ifft(np.array(list(spectra.values())), axis=1)) * np.sqrt(acquisition.points)
    if np.median(np.abs(fids[:, 0]) / np.abs(fids[:, 1]).clip(min=1e-300)) < HALVED:
        fids[:, 0] *= 2
    return Basis(names=tuple(spectra), fids=fids, acquisition=acquisition)


def _sections(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Each namelist's name, its fields, and the text up to the next."""
    place = 0
    while (head := _OPENED.search(text, place)) and (tail := _CLOSED.search(text, head.end())):
        following = _OPENED.search(text, tail.end())
        place = len(text) if following is None else following.start()
        fields = {
            match[1].upper(): next(each for each in match.groups()[1:] if each is not None)
            for match in _FIELD.finditer(text, head.end(), tail.start())
        }
        yield head[1].upper(), fields, text[tail.end() : place]


def _number(header: dict[str, str], name: str) -> float | None:
    try:
        return float(header[name].upper().replace("D", "E"))  # Fortran's double precision
    except (KeyError, ValueError):
        return None


def _acquisition(header: dict[str, str], *, f0_mhz: float | None, te_ms: float | None) -> Acquisition:
    dwell, points = _number(header, "BADELT"), _number(header, "NDATAB")
    if dwell is None or points is None:
        raise SpecimenError("the basis has no BADELT and NDATAB ($BASIS1): it is truncated or of another format")
    if dwell < 0:
        raise SpecimenError(
            "the basis is encrypted (BADELT below 0), which only LCModel reads: simulate one with hepatica basis, or"
            " get one in plain numbers"
        )
    f0 = f0_mhz or _number(header, "HZPPPM")
    if f0 is None:
        raise SpecimenError("the basis has no field (HZPPPM): give f0_mhz")
    te = te_ms or _number(header, "ECHOT")
    name = header.get("SEQ", "").strip()
    short = next((sequence for sequence, written in _WRITTEN.items() if written == name.upper()), None)
    return Acquisition(
        f0_mhz=f0, bandwidth_hz=1 / dwell, points=int(points), tr_ms=None,
        te_ms=te or Acquisition.te_ms, sequence=short or sequence_of(name) or "press",
    )  # fmt: skip


def _scaled(text: str, fields: dict[str, str], *, points: int) -> NDArray[np.complex128]:
    """(points,) spectrum as LCModel takes it: times TRAMP / (VOLUME CONC), ISHIFT points to the left."""
    try:
        values = np.array(text.split(), float)
        if not np.isfinite(values).all():
            raise ValueError
    except ValueError:
        raise SpecimenError(
            f"{fields['METABO']} of the basis has a value that is not a number: get the file again"
        ) from None
    if len(values) != 2 * points:
        raise SpecimenError(
            f"{fields['METABO']} of the basis has {len(values)} numbers, wanted {2 * points}: it is truncated"
        )
    spectrum = rearrange(values, "(point part) -> part point", part=2)
    scale = (_number(fields, "TRAMP") or 1) / ((_number(fields, "VOLUME") or 1) * (_number(fields, "CONC") or 1))
    return np.roll(scale * (spectrum[0] + 1j * spectrum[1]), -int(_number(fields, "ISHIFT") or 0))


def write_lcmodel_basis(basis: Basis, *, path: Path) -> None:
    """Write a .basis file that LCModel and `read_lcmodel_basis` read, whole or not at all.

    The first sample is halved, which leaves no offset under the spectra. LCModel only takes a receiver at 4.65 ppm, so
    decays with another are turned to it.
    """
    acquisition = basis.acquisition
    fids = np.conj(at_reference(basis, ppm=WATER_PPM).fids)
    fids[:, 0] *= 0.5
    spectra = np.fft.fft(fids, axis=1) / np.sqrt(acquisition.points)
    head = (
        f" $SEQPAR\n FWHMBA = 0.01,\n HZPPPM = {acquisition.f0_mhz:.6f},\n ECHOT = {acquisition.te_ms:.3f},\n"
        f" SEQ = '{_WRITTEN[acquisition.sequence]}' $END\n $BASIS1\n IDBASI = 'hepatica',\n FMTBAS = '(6E15.7)',\n"
        f" BADELT = {1 / acquisition.bandwidth_hz:.9e},\n NDATAB = {acquisition.points} $END\n"
    )
    parts = [_component(name, spectrum) for name, spectrum in zip(basis.names, spectra, strict=True)]
    write_text(path, head + "".join(parts))


def _component(name: str, spectrum: NDArray[np.complex128]) -> str:
    numbers = [f"{part:15.7E}" for value in spectrum for part in (value.real, value.imag)]
    lines = ["".join(numbers[start : start + 6]) for start in range(0, len(numbers), 6)]
    return (
        f" $NMUSED\n FILERAW = '{name}' $END\n $BASIS\n ID = '{name}',\n METABO = '{name}',\n CONC = 1.,\n"
        " TRAMP = 1.,\n VOLUME = 1.,\n ISHIFT = 0 $END\n" + "\n".join(lines) + "\n"
    )
