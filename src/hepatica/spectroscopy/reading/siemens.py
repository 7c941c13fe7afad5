"""Siemens: RDA files of one decay, and TWIX raw data (.dat) of every coil and transient."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import of_nifti_mrs
from hepatica.spectroscopy.signal.header import Header, sequence_of
from hepatica.spectroscopy.signal.spectrum import RawSpectra

_BEGIN, _END = b">>> Begin of header <<<", b">>> End of header <<<"
_VOXELS = tuple(f"CSIMatrixSize[{axis}]" for axis in range(3))


def read_rda(path: Path, *, header_overrides: Header) -> RawSpectra:
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
    header = _header(facts).overridden_by(header_overrides)
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


_LATER_AXES: dict[str, tuple[None, None, None]] = {"dims": (None, None, None), "tags": (None, None, None)}


def read_twix(path: Path, *, header_overrides: Header) -> RawSpectra:
    """The last measurement of a .dat file, its oversampling kept, with the reference scan XA software puts into it.

    Raises SpecimenError when it is no TWIX of a single voxel, is cut short, or of software spec2nii does not know.
    """
    images = _converted(path)
    by_kind = {name.endswith("_ref"): image for name, image in images.items()}
    if False not in by_kind:
        raise SpecimenError("the TWIX file has only a reference scan; give it as the water of another file")
    raw = of_nifti_mrs(by_kind[False], header_overrides=header_overrides)
    return replace(
        raw,
        averages=1,
        water=of_nifti_mrs(by_kind[True], header_overrides=header_overrides).fids if True in by_kind else None,
    )


def _converted(path: Path) -> dict[str, Any]:
    """What spec2nii makes of a file, by name; it meets unknown software with whatever error comes first."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mapvbvd import mapVBVD
            from spec2nii.Siemens.twixfunctions import process_twix

            found = mapVBVD(str(path), quiet=True)
            measured = found[-1] if isinstance(found, list) else found
            images, names = process_twix(measured, "spectrum", "spectrum", "image", _LATER_AXES, quiet=True)
    except Exception as error:
        raise SpecimenError(
            f"the TWIX file cannot be read ({type(error).__name__}); it is cut short, of several voxels or of software"
            " that spec2nii does not know: export RDA or DICOM, or convert it to NIfTI-MRS"
        ) from None
    return dict(zip(names, images, strict=True))
