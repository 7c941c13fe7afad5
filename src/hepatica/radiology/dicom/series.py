"""Series: the files of a study grouped into series, duplicates dropped, those to be read chosen, pixels decoded."""

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pydicom

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.frames import is_available, read_frames, tolerant
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import Header, Kind, read_dataset, read_headers
from hepatica.radiology.dicom.selection import (
    LEAST_PLACES,
    MOST_TIMES,
    place,
    reconstructions,
    time_points,
    unwanted,
)
from hepatica.radiology.dicom.sources import NOTE as SPELT
from hepatica.radiology.dicom.sources import Identity, Source, find_sources, patients
from hepatica.radiology.dicom.stack import Stack, pile


def drop_duplicates(headers: Sequence[Header]) -> tuple[tuple[Header, ...], tuple[str, ...]]:
    """Slices of one series without the copies, and a note when there were any.

    A copy lies at the same place and has the same pixels, whatever its name or identifier; of a sound and a damaged
    slice at one place the sound one stays. Slices at one place with different pixels all stay.
    """
    kept: list[Header] = []
    for _, own in groupby(sorted(headers, key=place), key=place):
        kept += _unlike(list(own))
    dropped = len(headers) - len(kept)
    return tuple(kept), (f"{dropped} duplicate slices dropped",) if dropped else ()


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
    """One axial series in order, its pixels not yet decoded (`read_volume` does that).

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

    @property
    def files(self) -> frozenset[Source]:
        """The files it is read from."""
        return frozenset(header.source for header in self.headers)

    def dataset(self) -> pydicom.Dataset:
        """All attributes of the slice nearest the feet, identifiers included, pixels excepted: for results in DICOM."""
        return read_dataset(self.headers[0].source)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Files that are no readable series of the kind wanted: how many, of which patient (0: unknown), and why."""

    key: str
    patient: int
    files: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """The content of some files: `series` to read and `refused` with their reasons; patients are never mixed."""

    series: tuple[Series, ...]
    refused: tuple[Refusal, ...]
    kind: Kind

    @property
    def patients(self) -> int:
        """How many patients have slices of the kind here, whether they can be read as a series or not."""
        found = [each.patient for each in self.series] + [each.patient for each in self.refused]
        return len(set(found) - {0})

    def axial(self) -> tuple[Series, ...]:
        """The readable series; SpecimenError, with every reason, when there is none."""
        if self.series:
            return self.series
        reasons = "; ".join(f"{each.files} files: {each.reason}" for each in self.refused)
        raise SpecimenError(
            f"got no axial {self.kind.upper()} series that can be read ({reasons}); wanted at least one"
        )


def read_study(*paths: Path, wanted: str = "", kind: Kind = "ct") -> Study:
    """Sort the files of folders, zip archives and single files into series, by their headers alone, and choose.

    Series are separated by patient and SeriesInstanceUID, and where that is blank by frame of reference, number,
    description, kind, orientation, spacing and matrix; those of MR also by their weighting. `selection` says which are
    read; `wanted` overrides it: "all", or the numbers or UIDs of series, of which every one is read. SpecimenError when
    a path or an archive cannot be read at all; files and series that cannot be used or are set aside are in
    `Study.refused`.
    """
    headers, aside = _headers(paths, choose=not wanted.strip(), kind=kind)
    who = patients({header.patient for header in headers})
    numbers = {words: k for k, words in enumerate(sorted(set(who.values()), key=_digest), start=1)}
    groups: dict[tuple[tuple[str, ...], ...], list[Header]] = defaultdict(list)
    for header in headers:
        weighted = header.weighting.key if header.weighting else ()
        groups[who[header.patient], (*header.series, *weighted)].append(header)
    found: list[Series | Refusal] = []
    for (words, what), own in groups.items():
        found += _sorted(own, patient=numbers[words], name=(*words, *what), wanted=wanted)
    series = _with_notes([each for each in found if isinstance(each, Series)], headers=headers, who=who)
    other = {} if wanted.strip() or kind == "mr" else reconstructions(series)  # MR: each may have another weighting
    refused = [each for each in found if isinstance(each, Refusal)]
    refused += [
        Refusal(key=each.key, patient=each.patient, files=len(each.files), reason=other[each.key])
        for each in series
        if each.key in other
    ]
    refused += [Refusal(key=_digest((reason,)), patient=0, files=n, reason=reason) for reason, n in aside.items()]
    return Study(
        series=tuple(sorted((each for each in series if each.key not in other), key=_order)),
        refused=tuple(sorted(refused, key=_order)),
        kind=kind,
    )


def _headers(paths: Sequence[Path], *, choose: bool, kind: Kind) -> tuple[list[Header], Counter[str]]:
    """The slices of all files, and how many files are no slices that are read, by the reason."""
    found: list[Header] = []
    aside: Counter[str] = Counter()
    for source in find_sources(*paths):
        try:
            headers = read_headers(source, kind=kind)
            reason = next(filter(None, map(unwanted, headers)), None) if choose else None
            if reason:
                raise SpecimenError(reason)
            found += headers
        except SpecimenError as error:
            aside[str(error)] += 1
    return found, aside


def _with_notes(
    series: Sequence["Series"], *, headers: Sequence[Header], who: Mapping[Identity, tuple[str, ...]]
) -> list["Series"]:
    """The series; those of a patient whose files differ in name, birth date or ID say so."""
    spelt: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for each in {header.patient for header in headers}:
        spelt[who[each]].add((each.patient_id, each.issuer, each.name, each.born))
    return [
        replace(each, notes=(*each.notes, SPELT)) if len(spelt[who[each.headers[0].patient]]) > 1 else each
        for each in series
    ]


def _order(each: Series | Refusal) -> tuple[int, str]:
    return each.patient, each.key


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _sorted(headers: Sequence[Header], *, patient: int, name: tuple[str, ...], wanted: str) -> list[Series | Refusal]:
    if reason := _unfit(headers, wanted=wanted):
        return [_refusal(headers, patient=patient, key=_digest(name), reason=reason)]
    unique, notes = drop_duplicates(headers)
    parts, remarks = time_points(unique)
    if len(parts) > MOST_TIMES[headers[0].modality] and not wanted.strip():
        reason = f"{len(parts)} time points of the same places: a perfusion scan, not the phases of a liver"
        return [_refusal(headers, patient=patient, key=_digest(name), reason=reason)]
    keys = [_digest((*name, str(k))) for k in range(len(parts))]
    return [_piled(own, patient=patient, key=k, notes=(*notes, *remarks)) for own, k in zip(parts, keys, strict=True)]


def _unfit(headers: Sequence[Header], *, wanted: str) -> str | None:
    """Why a series is not read, whatever it shows."""
    words = set(re.split(r"[\s;,]+", wanted.strip())) - {""}
    if words:
        names = {"all", headers[0].number, *headers[0].series[:1]}
        return None if words & names else f"not among the series {wanted.strip()}, which specimens.csv names"
    places = len({place(header) for header in headers})
    if places >= LEAST_PLACES:
        return None
    return (
        f"{len(headers)} images at {places} positions (bolus tracking or a single slice), wanted {LEAST_PLACES} or more"
    )


def _piled(headers: Sequence[Header], *, patient: int, key: str, notes: tuple[str, ...]) -> Series | Refusal:
    try:
        stack = pile(headers)
    except SpecimenError as error:
        return _refusal(headers, patient=patient, key=key, reason=str(error))
    return Series(key=key, patient=patient, stack=stack, notes=(*notes, *stack.notes))


def _refusal(headers: Sequence[Header], *, patient: int, key: str, reason: str) -> Refusal:
    return Refusal(key=key, patient=patient, files=len({header.source for header in headers}), reason=reason)


_AT_ONCE = 16  # frames a task


def decode(headers: Sequence[Header], *, workers: int | None = None) -> list[np.ndarray | None]:
    """The stored values (y x) of each slice, in the order given; None for a slice whose pixels are damaged.

    JPEG 2000, JPEG-LS and lossless JPEG are decoded by `workers` threads (by default one a core);
    others one after the other, since they hold Python's lock or have nothing to decode.
    """
    tasks = list(_tasks(headers))
    together = any(is_available(header.transfer_syntax) for header in headers)
    with tolerant(), ThreadPoolExecutor((workers or _cores()) if together else 1) as pool:
        return [frame for part in pool.map(_read, tasks) for frame in part]


def _tasks(headers: Sequence[Header]) -> Iterable[Sequence[Header]]:
    """Neighbouring frames of one file go together, so that its header is read once for them."""
    for _, own in groupby(headers, key=lambda header: header.source):
        frames = list(own)
        for start in range(0, len(frames), _AT_ONCE):
            yield frames[start : start + _AT_ONCE]


def _read(headers: Sequence[Header]) -> list[np.ndarray | None]:
    source, syntax = headers[0].source, headers[0].transfer_syntax
    frames = [header.frame for header in headers]
    return read_frames(source.path, member=source.member, frames=frames, transfer_syntax=syntax)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
