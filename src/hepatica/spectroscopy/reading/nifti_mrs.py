"""NIfTI-MRS: decays to and from the open format, with what was done to them in the header."""

import gzip
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import RawSpectra, Signal

_COIL, _TRANSIENT = "DIM_COIL", "DIM_DYN"


def read_nifti_mrs(path: Path, *, header_overrides: Header) -> RawSpectra:
    """All coils and transients of a single voxel.

    The standard stores what turns with its resonance backwards (Levitt's sign of the frequency); the library gives it
    conjugated, which is hepatica's convention. Raises SpecimenError when the file is no NIfTI-MRS, is damaged, of
    another nucleus, of several voxels, or has axes that its header does not declare as coils or transients.
    Source: Clarke et al. 2022, doi:10.1002/mrm.29418.
    """
    return of_nifti_mrs(opened(path), header_overrides=header_overrides)


def of_nifti_mrs(image: Any, *, header_overrides: Header) -> RawSpectra:
    """The same of an open nifti_mrs.NIFTI_MRS, such as spec2nii makes of vendors' files."""
    if image.nucleus[0] != "1H":
        raise SpecimenError(f"got a spectrum of {image.nucleus[0]}, wanted 1H; leave it out")
    fids = _axes(np.asarray(image[:], np.complex128), tags=image.dim_tags)
    return RawSpectra.of(fids, _header(image), overrides=header_overrides)


UNRECORDED = "unrecorded"
"""Instead of the time of processing, so that the same spectrum gives the same file, byte for byte."""


def write_nifti_mrs(
    path: Path,
    *,
    fids: Signal,
    acquisition: Acquisition,
    suppressed: bool = True,
    applied: Sequence[str] = (),
) -> None:
    """Write decays (points,) or (transients, coils, points) as NIfTI-2, complex64; `path` ends in .nii or .nii.gz.

    `suppressed` is False for a water reference. `applied` names what was done to them, in words, in the order done.
    Nothing of the patient is written but the signal.
    """
    whole = rearrange(fids, "n -> 1 1 n") if fids.ndim == 1 else fids
    sizes = {_COIL: whole.shape[1], _TRANSIENT: whole.shape[0]}
    tags = [name for name, size in sizes.items() if size > 1]
    data = rearrange(whole, "t c n -> 1 1 1 n c t")
    data = data[(..., *(slice(None) if size > 1 else 0 for size in sizes.values()))]
    program = {"Time": UNRECORDED, "Program": "hepatica", "Version": version("hepatica")}
    further = {
        "WaterSuppressed": suppressed,
        "ConversionMethod": f"hepatica {version('hepatica')}",
        "ProcessingApplied": [program | {"Method": each, "Details": ""} for each in applied] or None,
    }
    save_nifti_mrs(path, data, acquisition, axes={tag: {} for tag in tags}, further=further)


def save_nifti_mrs(
    path: Path,
    data: Signal,
    acquisition: Acquisition,
    *,
    axes: Mapping[str, Mapping[str, Any]],
    further: Mapping[str, Any] | None = None,
) -> None:
    """Write data (1, 1, 1, points, …); `axes` are names of the rest with what is said of them, `further` more facts."""
    from nifti_mrs.create_nmrs import gen_nifti_mrs_hdr_ext
    from nifti_mrs.hdr_ext import Hdr_Ext

    extension = Hdr_Ext(acquisition.f0_mhz, "1H", dimensions=4 + len(axes) if further is None else 4)
    for place, (tag, about) in enumerate(axes.items()):
        extension.set_dim_info(place, tag, **about)
    facts = {
        "EchoTime": acquisition.te_ms / 1000,
        "RepetitionTime": acquisition.tr_ms and acquisition.tr_ms / 1000,
        "MixingTime": acquisition.tm_ms and acquisition.tm_ms / 1000,
        "SpecFreqChemShift": acquisition.reference_ppm,
        "SequenceName": acquisition.sequence,
        **(further or {}),
    }
    for name, value in facts.items():
        if value is not None:
            extension.set_standard_def(name, value)
    made = gen_nifti_mrs_hdr_ext(data.astype(np.complex64), 1 / acquisition.bandwidth_hz, extension)
    content = made.image.nibImage.to_bytes()
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _header(image: Any) -> Header:
    """The parameters of the header, times converted from seconds to milliseconds."""
    facts = image.hdr_ext
    times = {name: 1000 * float(facts[key]) for name, key in _TIMES.items() if key in facts}
    names = " ".join(str(facts[key]) for key in ("SequenceName", "ProtocolName") if key in facts)
    return Header(
        f0_mhz=float(image.spectrometer_frequency[0]),
        bandwidth_hz=float(f"{1 / float(image.dwelltime):.7g}"),  # the dwell time is a float32: 7 digits
        sequence_name=names,
        te_ms=times.get("te_ms"),
        tr_ms=times.get("tr_ms"),
        tm_ms=times.get("tm_ms") or None,
        reference_ppm=float(image.SpecFreqChemShift) + float(image.RxOffset),
    )


_TIMES = {"te_ms": "EchoTime", "tr_ms": "RepetitionTime", "tm_ms": "MixingTime"}


_TIMES_LARGER, _SPARE_BYTES, _MOST_BYTES = 100, 2**20, 2**29
"""How many times the size of a compressed file, and beyond, its content may be (ours): 1000 times is a bomb."""


def opened(path: Path) -> Any:
    """The file as a nifti_mrs.NIFTI_MRS whose data is as long as its header says; else SpecimenError."""
    from nibabel import Nifti1Image, Nifti2Image
    from nifti_mrs.nifti_mrs import NIFTI_MRS, NotNIFTI_MRS
    from nifti_mrs.validator import Error

    content = _content(path)
    second = 540 in (int.from_bytes(content[:4], "little"), int.from_bytes(content[:4], "big"))
    image = (Nifti2Image if second else Nifti1Image).from_bytes(content)
    header: Any = image.header
    if math.prod(int(size) for size in header.get_data_shape()) * header.get_data_dtype().itemsize > len(content):
        raise SpecimenError(
            "the file has less data than its header declares: it is truncated; convert or send it again"
        )
    try:
        return NIFTI_MRS(image)
    except Error as error:
        raise SpecimenError(
            f"the file breaks the NIfTI-MRS standard ({str(error).strip()}); correct its header: every axis of coils"
            " and transients has a name (dim_5, dim_6)"
        ) from None
    except NotNIFTI_MRS:
        raise SpecimenError("got a NIfTI image, wanted NIfTI-MRS; convert it") from None


def _content(path: Path) -> bytes:
    if path.suffix.lower() != ".gz":
        return path.read_bytes()
    most = min(_TIMES_LARGER * path.stat().st_size + _SPARE_BYTES, _MOST_BYTES)
    with gzip.open(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise SpecimenError(
            f"the file holds more than {most / 2**20:.0f} MiB compressed: give it as .nii, if it is correct"
        )
    return content


def _axes(values: Signal, *, tags: Sequence[str | None]) -> Signal:
    """(transients, coils, points) of (x, y, z, points, …); axes of one entry need no name."""
    if values.shape[:3] != (1, 1, 1):
        raise SpecimenError(f"got {values.shape[:3]} voxels, wanted one; give the spectrum of a single voxel")
    axes = [(f"{tag}", size) for tag, size in zip(tags, values.shape[4:], strict=False)]
    named = [tag for tag, size in axes if size > 1]
    if len(set(named)) < len(named) or not set(named) <= {_COIL, _TRANSIENT}:
        raise SpecimenError(
            f"got axes of {', '.join(f'{size} {tag}' for tag, size in axes)} beside the points, wanted at most one"
            f" {_COIL} and one {_TRANSIENT}; name them in the header (dim_5, dim_6), or split the file first"
        )
    absent = [name for name in (_TRANSIENT, _COIL) if name not in named]
    squeezed = values[(0, 0, 0, slice(None), *(slice(None) if size > 1 else 0 for _, size in axes))]
    fids = rearrange(squeezed, f"n {' '.join(named)} -> {' '.join([*named, 'n'])}")
    fids = fids[(*(np.newaxis for _ in absent), ...)]
    return np.asarray(rearrange(fids, f"{' '.join([*absent, *named])} n -> {_TRANSIENT} {_COIL} n"))
