"""Series: the files of a study grouped into series, duplicate slices dropped."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import pydicom

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.ledger import Ledger
from hepatica.radiology.dicom.decode import decode
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import Header, read_dataset, read_headers
from hepatica.radiology.dicom.sources import find_sources
from hepatica.radiology.dicom.stack import Stack, pile


def drop_duplicates(headers: Sequence[Header]) -> tuple[tuple[Header, ...], tuple[str, ...]]:
    """Slices of one series without the copies, and a note when there were any.

    A copy lies at the same place and has the same pixels, whatever its name or identifier; of a sound and a damaged
    slice at one place the sound one stays. Slices at one place with different pixels all stay.
    """
    kept: list[Header] = []
    for _, own in groupby(sorted(headers, key=_place), key=_place):
        kept += _unlike(list(own))
    dropped = len(headers) - len(kept)
    return tuple(kept), (f"{dropped} duplicate slices dropped",) if dropped else ()


def by_acquisition(headers: Sequence[Header]) -> list[tuple[Header, ...]]:
    """One part where each place has one slice; else the acquisitions (phases sent as one series) apart."""
    if len({_place(header) for header in headers}) == len(headers):
        return [tuple(headers)]
    ordered = sorted(headers, key=lambda header: header.acquisition)
    return [tuple(own) for _, own in groupby(ordered, key=lambda header: header.acquisition)]


def _place(header: Header) -> tuple[float, ...]:
    return tuple(round(each, 2) for each in (*header.position, *header.orientation, *header.spacing))


def _unlike(headers: list[Header]) -> list[Header]:
    if len(headers) == 1:
        return headers
    kept: list[tuple[Header, np.ndarray]] = []
    for header, pixels in zip(headers, decode(headers, workers=1), strict=True):
        if pixels is not None and not any(np.array_equal(pixels, other) for _, other in kept):
            kept.append((header, pixels))
    return [header for header, _ in kept] or headers[:1]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One axial CT series in order, its pixels not yet decoded (`read_volume` does that).

    `patient` counts the patients of the study from 1; `key` is a digest by which the ledger and files may name the
    series. `notes` list corrections.
    """

    key: str
    patient: int
    stack: Stack = field(repr=False)
    notes: tuple[str, ...]

    @property
    def geometry(self) -> Geometry:
        """The regular grid its volume will have."""
        return self.stack.geometry

    @property
    def headers(self) -> tuple[Header, ...]:
        """Its slices, from the feet to the head."""
        return self.stack.headers

    def dataset(self) -> pydicom.Dataset:
        """All attributes of the slice nearest the feet, identifiers included, pixels excepted: for results in DICOM."""
        return read_dataset(self.headers[0].source)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Files that are no readable CT series: how many, of which patient (0: unknown), and why."""

    key: str
    patient: int
    files: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """The content of some files: `series` to read and `refused` with their reasons; patients are never mixed."""

    series: tuple[Series, ...]
    refused: tuple[Refusal, ...]

    @property
    def patients(self) -> int:
        """How many patients have CT slices here, whether they can be read as a series or not."""
        found = [each.patient for each in self.series] + [each.patient for each in self.refused]
        return len(set(found) - {0})

    def axial(self) -> tuple[Series, ...]:
        """The readable series; SpecimenError, with every reason, when there is none."""
        if self.series:
            return self.series
        reasons = "; ".join(f"{each.files} files: {each.reason}" for each in self.refused)
        raise SpecimenError(f"got no axial CT series that can be read ({reasons}); wanted at least one")

    def record(self, ledger: Ledger, *, row: int) -> None:
        """Enter every series and every refusal in the ledger, under row `row` of specimens.csv."""
        for series in self.series:
            with ledger.entry(series.key, row=row):
                pass
        for refusal in self.refused:
            with ledger.entry(refusal.key, row=row):
                raise SpecimenError(f"{refusal.files} files: {refusal.reason}")


def read_study(*paths: Path) -> Study:
    """Sort the files of folders, zip archives and single files into series, by their headers alone.

    Series are separated by patient and SeriesInstanceUID, and where that is blank by frame of reference, number,
    description, kind, orientation, spacing and matrix. SpecimenError when a path or an archive cannot be read at all;
    files and series that cannot be used are in `Study.refused`.
    """
    groups: dict[tuple[tuple[str, ...], ...], list[Header]] = defaultdict(list)
    aside: Counter[str] = Counter()
    for source in find_sources(*paths):
        try:
            headers = read_headers(source)
        except SpecimenError as error:
            aside[str(error)] += 1
            continue
        for header in headers:
            groups[header.patient, header.series].append(header)
    patients = {who: k for k, who in enumerate(sorted({who for who, _ in groups}, key=_digest), start=1)}
    found = [
        each for (who, what), own in groups.items() for each in _sorted(own, patient=patients[who], name=(*who, *what))
    ]
    refused = [Refusal(key=_digest((reason,)), patient=0, files=n, reason=reason) for reason, n in aside.items()]
    return Study(
        series=tuple(sorted((each for each in found if isinstance(each, Series)), key=_order)),
        refused=tuple(sorted([*(each for each in found if isinstance(each, Refusal)), *refused], key=_order)),
    )


def _order(each: Series | Refusal) -> tuple[int, str]:
    return each.patient, each.key


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _sorted(headers: Sequence[Header], *, patient: int, name: tuple[str, ...]) -> list[Series | Refusal]:
    unique, notes = drop_duplicates(headers)
    parts = by_acquisition(unique)
    if len(parts) > 1:
        notes = (*notes, f"one of {len(parts)} acquisitions sent as one series")
    return [_piled(own, patient=patient, key=_digest((*name, str(k))), notes=notes) for k, own in enumerate(parts)]


def _piled(headers: Sequence[Header], *, patient: int, key: str, notes: tuple[str, ...]) -> Series | Refusal:
    try:
        stack = pile(headers)
    except SpecimenError as error:
        files = len({header.source for header in headers})
        return Refusal(key=key, patient=patient, files=files, reason=str(error))
    return Series(key=key, patient=patient, stack=stack, notes=(*notes, *stack.notes))
