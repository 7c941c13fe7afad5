"""Duplicates: slices sent twice, told from two phases that lie at the same place."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from hepatica.radiology.dicom.decode import decode
from hepatica.radiology.dicom.header import Header


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
