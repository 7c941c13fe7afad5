"""RDA: Siemens' export of one averaged decay, a text header before doubles."""

from pathlib import Path

import numpy as np
from einops import rearrange

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.header import Header, sequence_of
from hepatica.spectroscopy.signal.raw import RawSpectra

_BEGIN, _END = b">>> Begin of header <<<", b">>> End of header <<<"
_VOXELS = tuple(f"CSIMatrixSize[{axis}]" for axis in range(3))


def read_rda(path: Path, *, told: Header) -> RawSpectra:
    """The decay of a single voxel; Siemens turns it the other way round, so it is conjugated.

    Raises SpecimenError when it is no RDA, is cut short or longer than declared, of several voxels or another nucleus.
    """
    head, ending, body = path.read_bytes().partition(_END)
    if not ending or _BEGIN not in head:
        raise SpecimenError("the file has no RDA header; export the spectrum from the scanner again")
    facts = _facts(head)
    if facts.get("Nucleus", "1H") != "1H":
        raise SpecimenError(f"got a spectrum of {facts['Nucleus']}, wanted 1H; leave it out")
    if any(_number(facts, axis, 1.0) > 1 for axis in _VOXELS):
        raise SpecimenError("got a spectroscopic image of several voxels, wanted a single voxel; leave it out")
    points = int(_number(facts, "VectorSize"))
    numbers = body.lstrip(b"\r\n")[: len(body) // 8 * 8] if body[:1] in b"\r\n" else body
    values = np.frombuffer(numbers[: len(numbers) // 16 * 16], "<c16")
    if len(values) != points:
        raise SpecimenError(
            f"got {len(values)} points, the header declares {points}: the file is cut short or coils were written one"
            " by one; export it again, combined"
        )
    header = _header(facts).under(told)
    return RawSpectra(
        fids=rearrange(values.conj(), "n -> 1 1 n"),
        acquisition=header.acquisition(points=points),
        averages=int(_number(facts, "NumberOfAverages", 1.0)),
    )


def _header(facts: dict[str, str]) -> Header:
    return Header(
        f0_mhz=_number(facts, "MRFrequency"),
        bandwidth_hz=float(f"{1e6 / _number(facts, 'DwellTime'):.7g}"),
        te_ms=_number(facts, "TE"),
        tr_ms=_number(facts, "TR"),
        tm_ms=_number(facts, "TM", 0.0) or None,
        sequence=sequence_of(f"{facts.get('SequenceName', '')} {facts.get('ProtocolName', '')}"),
        field_t=_number(facts, "MagneticFieldStrength", 0.0) or None,
    )


def _facts(head: bytes) -> dict[str, str]:
    pairs = [line.partition(":") for line in head.decode("latin-1").splitlines() if ":" in line]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _number(facts: dict[str, str], name: str, absent: float | None = None) -> float:
    """A number with a decimal point or, from a German or French console, a comma."""
    if absent is not None and not facts.get(name):
        return absent
    try:
        return float(facts[name].replace(",", "."))
    except (KeyError, ValueError):
        got = f"{name} = {facts[name]!r}" if name in facts else f"no {name}"
        raise SpecimenError(f"got {got} in the header, wanted a number; export the spectrum again") from None
