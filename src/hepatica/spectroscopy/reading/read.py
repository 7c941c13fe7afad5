"""Read: a spectrum of any format from its file, as acquired or preprocessed."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.spectroscopy.preprocessing.preprocess import PREPROCESSING, Preprocessing, preprocess
from hepatica.spectroscopy.reading.dicom_mrs import read_ima
from hepatica.spectroscopy.reading.ge import read_pfile
from hepatica.spectroscopy.reading.lcmodel_raw import read_lcmodel_raw
from hepatica.spectroscopy.reading.nifti_mrs import read_nifti_mrs
from hepatica.spectroscopy.reading.sdat import read_sdat
from hepatica.spectroscopy.reading.siemens import read_rda, read_twix
from hepatica.spectroscopy.signal.header import UNKNOWN, Header
from hepatica.spectroscopy.signal.spectrum import RawSpectra, Spectrum

READERS: Mapping[str, Callable[..., RawSpectra]] = {
    ".nii": read_nifti_mrs,
    ".nii.gz": read_nifti_mrs,
    ".rda": read_rda,
    ".sdat": read_sdat,
    ".spar": read_sdat,
    ".raw": read_lcmodel_raw,
    ".h2o": read_lcmodel_raw,
    ".ima": read_ima,
    ".dcm": read_ima,
    ".dat": read_twix,
    ".7": read_pfile,
}
"""Reader of each ending, in small letters."""

NO_OVERRIDES = UNKNOWN


@contextmanager
def usable(what: str) -> Iterator[None]:
    """`reading` of a spectrum; the warnings of the libraries below are not shown."""
    with warnings.catch_warnings(), reading(f"the {what}", advice="export it again, or as NIfTI-MRS of one voxel"):
        warnings.simplefilter("ignore")
        yield


@usable("spectrum")
def read_spectrum(
    path: Path,
    *,
    water: Path | None = None,
    header_overrides: Header = NO_OVERRIDES,
    settings: Preprocessing = PREPROCESSING,
) -> Spectrum:
    """The preprocessed spectrum of a file and, where there is one, of its water reference's file.

    `header_overrides` corrects or completes the file's header. Raises SpecimenError as `read_raw` and `preprocess` do.
    """
    return preprocess(read_raw(path, water=water, header_overrides=header_overrides), settings=settings)


@usable("spectrum")
def read_raw(path: Path, *, water: Path | None = None, header_overrides: Header = NO_OVERRIDES) -> RawSpectra:
    """All coils and transients of a file, and of its water reference's; the format goes by the ending.

    Raises SpecimenError when the ending is unknown, the file cannot be read (see its reader), or the water reference
    was sampled otherwise.
    """
    raw = _reader(path)(path, header_overrides=header_overrides)
    if water is None:
        return raw
    try:
        with usable("file"):
            reference = _reader(water)(water, header_overrides=header_overrides)
            times = _times(reference, raw, header_overrides).acquisition(points=reference.acquisition.points)
    except SpecimenError as error:
        raise SpecimenError(f"water reference: {error}") from None
    notes = tuple(f"water reference: {note}" for note in reference.notes if note not in reference.header.notes)
    both = raw.with_water(replace(reference, fids=_fitting(reference, raw), acquisition=raw.acquisition))
    return replace(both, water_acquisition=times, notes=(*raw.notes, *notes))


def _times(reference: RawSpectra, raw: RawSpectra, overrides: Header) -> Header:
    """The reference's header; where its own echo and repetition times are not the spectrum's, they are not overridden,
    and where it has none, they are the spectrum's.
    """
    given = overrides
    for name in ("te_ms", "tr_ms"):
        own, other = getattr(reference.header, name), getattr(raw.header, name)
        if own is None:
            given = replace(given, **{name: getattr(raw.acquisition, name)})
        elif own != other:
            given = replace(given, **{name: None})
    return reference.header.overridden_by(given)


def _fitting(reference: RawSpectra, raw: RawSpectra) -> np.ndarray:
    """Decays of the water reference, cut or continued with zeros to the spectrum's points, per averaged transient."""
    ours, theirs = raw.acquisition, reference.acquisition
    if abs(theirs.bandwidth_hz / ours.bandwidth_hz - 1) > 1e-3 or abs(theirs.f0_mhz / ours.f0_mhz - 1) > 1e-3:
        raise SpecimenError(
            f"the water reference was sampled at {theirs.bandwidth_hz:g} Hz and {theirs.f0_mhz:.2f} MHz, the spectrum"
            f" at {ours.bandwidth_hz:g} Hz and {ours.f0_mhz:.2f} MHz; give the reference of this spectrum, or none"
        )
    missing = max(0, ours.points - theirs.points)
    return np.pad(reference.fids[..., : ours.points], [(0, 0), (0, 0), (0, missing)])


def _reader(path: Path) -> Callable[..., RawSpectra]:
    if path.is_dir():
        raise SpecimenError("got a folder, wanted the file of one spectrum; give the files in it")
    if not path.is_file():
        raise SpecimenError("there is no such file; correct its path")
    name = path.name.lower()
    for ending, reader in READERS.items():
        if name.endswith(ending):
            return reader
    raise SpecimenError(
        f"got a file that ends in {path.suffix!r}, wanted {', '.join(READERS)}; export it as one of them"
    )
