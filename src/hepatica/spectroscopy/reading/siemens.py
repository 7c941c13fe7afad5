"""Siemens: RDA files of one decay, and TWIX raw data (.dat) of every coil and transient."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from einops import rearrange

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs
from hepatica.spectroscopy.signal.header import Header, number
from hepatica.spectroscopy.signal.spectrum import RawSpectra

_BEGIN, _END = b">>> Begin of header <<<", b">>> End of header <<<"
_VOXELS = tuple(f"CSIMatrixSize[{axis}]" for axis in range(3))


def read_rda(path: Path, *, header_overrides: Header) -> RawSpectra:
    """The decay of a single voxel; Siemens turns it the other way round, so it is conjugated.

    Raises SpecimenError when it is no RDA, is truncated or longer than declared, of several voxels or another nucleus.
    """
    head, ending, body = path.read_bytes().partition(_END)
    if not ending or _BEGIN not in head:
        raise SpecimenError("the file has no RDA header; export the spectrum from the scanner again")
    facts = _facts(head)
    if facts.get("Nucleus", "1H") != "1H":
        raise SpecimenError(f"got a spectrum of {facts['Nucleus']}, wanted 1H; leave it out")
    if any(number(facts, axis, 1.0) > 1 for axis in _VOXELS):
        raise SpecimenError("got a spectroscopic image of several voxels, wanted a single voxel; leave it out")
    points = int(number(facts, "VectorSize"))
    numbers = body.lstrip(b"\r\n")[: len(body) // 8 * 8] if body[:1] in b"\r\n" else body
    values = np.frombuffer(numbers[: len(numbers) // 16 * 16], "<c16")
    if len(values) != points:
        raise SpecimenError(
            f"got {len(values)} points, the header declares {points}: the file is truncated or coils were written one"
            " by one; export it again, combined"
        )
    return RawSpectra.of(
        rearrange(values.conj(), "n -> 1 1 n"),
        _header(facts),
        overrides=header_overrides,
        averages=int(number(facts, "NumberOfAverages", 1.0)),
    )


def _header(facts: dict[str, str]) -> Header:
    return Header(
        f0_mhz=number(facts, "MRFrequency"),
        bandwidth_hz=float(f"{1e6 / number(facts, 'DwellTime'):.7g}"),
        te_ms=number(facts, "TE"),
        tr_ms=number(facts, "TR"),
        tm_ms=number(facts, "TM", 0.0) or None,
        sequence_name=f"{facts.get('SequenceName', '')} {facts.get('ProtocolName', '')}",
        field_t=number(facts, "MagneticFieldStrength", 0.0) or None,
    )


def _facts(head: bytes) -> dict[str, str]:
    pairs = [line.partition(":") for line in head.decode("latin-1").splitlines() if ":" in line]
    return {name.strip(): value.strip() for name, _, value in pairs}


_LATER_AXES: dict[str, tuple[None, None, None]] = {"dims": (None, None, None), "tags": (None, None, None)}


def read_twix(path: Path, *, header_overrides: Header) -> RawSpectra:
    """The last measurement of a .dat file, its oversampling kept, with the reference scan XA software puts into it.

    Raises SpecimenError when it is no TWIX of a single voxel, is truncated, or of software spec2nii does not know.
    """
    from mapvbvd import mapVBVD
    from spec2nii.Siemens.twixfunctions import process_twix

    _refuse_endless(path.read_bytes())
    found = mapVBVD(str(path), quiet=True)
    measured = found[-1] if isinstance(found, list) else found
    sizes = [math.prod(map(int, each.dataSize)) for each in vars(measured).values() if hasattr(each, "dataSize")]
    if _BYTES * sum(sizes) > _TIMES_LARGER * path.stat().st_size:
        raise SpecimenError("the TWIX file has less data than its headers declare: it is damaged; export it again")
    images, names = process_twix(measured, "spectrum", "spectrum", "image", _LATER_AXES, quiet=True)
    by_kind = {name.endswith("_ref"): image for name, image in zip(names, images, strict=True)}
    if False not in by_kind:
        raise SpecimenError("the TWIX file has only a reference scan; give it as the water of another file")
    read = {kind: of_nifti_mrs(image, header_overrides=header_overrides) for kind, image in by_kind.items()}
    return replace(read[False].with_water(read.get(True)), averages=1)


_BYTES, _TIMES_LARGER = (
    8,
    4,
)  # of a sample; times the file that its data may be, of dimensions only partly filled (ours)
_HEAD = 128  # bytes of a scan's header in software VB


def _refuse_endless(content: bytes) -> None:
    """SpecimenError where a scan of software VB, without channels, takes no bytes: mapVBVD would read it for ever."""
    first, second = (int.from_bytes(content[place : place + 4], "little") for place in (0, 4))
    place = first
    while (first >= 10_000 or second > 64) and place + _HEAD <= len(content):
        head = content[place : place + _HEAD]
        length = int.from_bytes(head[:4], "little") & 0x1FFFFFF
        if head[20] & 1 or not length:
            return
        columns, channels = (int.from_bytes(head[at : at + 2], "little") for at in (28, 30))
        step = length if head[20] & 32 else (8 * columns + _HEAD) * channels
        if not step:
            raise SpecimenError("the TWIX file has a scan without channels: it is damaged; export it again")
        place += step
