"""SDAT: Philips' pairs of .SDAT, decays in VAX floats, and .SPAR, a list of parameters."""

from pathlib import Path

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.header import Header, number
from hepatica.spectroscopy.signal.spectrum import RawSpectra, Signal

_BYTES = 8  # of one complex VAX F float
_SIZES = ("volumes", "dim3_pnts")  # of voxels; dim2_pnts are transients where there is no dim3


def read_sdat(path: Path, *, header_overrides: Header) -> RawSpectra:
    """All rows of a pair, each a transient, of one receiver; `path` is either of the two.

    A file whose last rows are missing or cut is read up to its last whole row and the loss is noted. Raises
    SpecimenError when the partner is missing, no row is whole, more rows are there than declared, or a parameter is
    absent or no number.
    """
    sdat, spar = _partner(path, "SDAT"), _partner(path, "SPAR")
    facts = _facts(spar)
    _refuse_others(facts)
    points, rows = int(number(facts, "samples")), int(number(facts, "rows"))
    values = _complex(sdat.read_bytes())
    fids, notes = _rows(values, points=points, rows=rows)
    header = Header(
        f0_mhz=number(facts, "synthesizer_frequency") / 1e6,
        bandwidth_hz=number(facts, "sample_frequency"),
        te_ms=number(facts, "echo_time"),
        tr_ms=number(facts, "repetition_time"),
        sequence_name=facts.get("scan_id"),
    )
    averages = max(1, int(number(facts, "averages")))
    return RawSpectra.of(
        rearrange(fids, "t n -> t 1 n"),
        header,
        overrides=header_overrides,
        averages=averages // rows if averages >= rows else 1,
        notes=notes,
    )


def _refuse_others(facts: dict[str, str]) -> None:
    """Raise SpecimenError on another nucleus, or several voxels, as of a spectroscopic image."""
    nucleus = facts.get("nucleus", "1H")
    if nucleus.upper() not in ("1H", "H1", ""):
        raise SpecimenError(f"got a spectrum of {nucleus}, wanted 1H; leave it out")
    sizes = [number(facts, name) for name in _SIZES if facts.get(name)]
    if facts.get("phase_encoding_enable", "no").lower() == "yes" or max(sizes, default=1) > 1:
        raise SpecimenError("got a spectroscopic image of several voxels, wanted a single voxel; leave it out")


def vax_to_ieee(content: bytes) -> NDArray[np.float64]:
    """VAX F floats, four bytes each, as doubles. Source: VAX Architecture Reference Manual, F_floating."""
    words = np.frombuffer(content, "<u2").astype(np.uint32)
    bits = (words[0::2] << 16) | words[1::2]
    sign = np.where(bits >> 31, -1.0, 1.0)
    exponent = ((bits >> 23) & 0xFF).astype(np.int32)
    fraction = 0.5 + (bits & 0x7FFFFF) / 2.0**24
    return np.asarray(np.where(exponent == 0, 0.0, sign * np.ldexp(fraction, exponent - 128)))


def _partner(path: Path, kind: str) -> Path:
    """The file of that kind beside `path`, whatever the case of its suffix."""
    for suffix in (f".{kind}", f".{kind.lower()}", f".{kind.capitalize()}"):
        if path.with_suffix(suffix).is_file():
            return path.with_suffix(suffix)
    raise SpecimenError(f"the .{kind} file is missing beside the other one; Philips exports pairs, put both together")


def _facts(spar: Path) -> dict[str, str]:
    """By name in small letters."""
    lines = spar.read_text(encoding="latin-1").splitlines()
    pairs = [line.partition(":") for line in lines if ":" in line and not line.startswith("!")]
    return {name.strip().lower(): value.strip().strip('"').strip() for name, _, value in pairs}


def _complex(content: bytes) -> Signal:
    values = vax_to_ieee(content[: len(content) // _BYTES * _BYTES])
    return np.asarray(values[0::2] + 1j * values[1::2])


def _rows(values: Signal, *, points: int, rows: int) -> tuple[Signal, tuple[str, ...]]:
    if points < 1 or rows < 1:
        raise SpecimenError(f"the .SPAR file declares {rows} decays of {points} points; export the pair again")
    whole = min(rows, len(values) // points)
    if not whole:
        raise SpecimenError(
            f"the .SDAT file has {len(values)} of {rows} x {points} points: it is truncated; export it again"
        )
    if len(values) >= (rows + 1) * points:
        raise SpecimenError(
            f"the .SDAT file has {len(values) // points} decays of {points} points, the .SPAR file declares {rows}: the"
            " pair does not belong together, or coils were written one by one; export them combined"
        )
    notes = () if whole == rows else (f"the .SDAT file is truncated: {whole} of {rows} transients were read",)
    return rearrange(values[: whole * points], "(t n) -> t n", t=whole), notes
