"""Selection: which CT and MR series are read, one reconstruction a scan, and why the others are set aside."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from hepatica.radiology.dicom.header import MOMENTS, Header, Kind
from hepatica.radiology.dicom.weighting import Part

if TYPE_CHECKING:
    from hepatica.radiology.dicom.series import Series

LEAST_PLACES = 3  # ours
"""Places of a series; bolus tracking and single slices scanned again have fewer."""

MOST_TIMES: dict[Kind, int] = {"ct": 6, "mr": 12}  # ours; MR has several arterial ones
"""Time points of one series; more are a dynamic (perfusion) scan, not the phases of a liver."""

USUAL_MM = 5.0  # ours
"""Of several reconstructions of one scan, that of a thickness nearest to this is read."""

AT_ONCE = 5.0  # ours
"""Seconds between the scan times of two series within which they are reconstructions of one scan."""

_PROJECTION = re.compile(r"\b(?:MIP|MINIP|MAXIP|MAX[_ ]IP|MIN[_ ]IP|VRT|SSD|VOLREN|PROJECTION)\b")
_MAP = re.compile(
    r"\b(?:PERFUSION|PERF|CBF|CBV|MTT|TTP|TMAX|TTD|BLOOD ?(?:FLOW|VOLUME)|PERMEABILITY|SUBTRACT(?:ION|ED)"
    r"|MATERIAL|IODINE|Z[_ ]?EFF(?:ECTIVE)?|ELECTRON[_ ]DENSITY|COLOU?R)\b"
)
_SHARP = re.compile(  # of Siemens (B60f), GE, Philips, Canon and United Imaging, in this order
    r"[A-Z]{1,2}(?:5[5-9]|[6-9]\d)[A-Z]*|(?:LUNG|BONE|EDGE).*|L[AB]?|Y[A-D]|[DE][A-D]?|FC[358]\d|.*(?:LUNG|BONE|_SHARP).*"
)
_SHARP_NAME = re.compile(r"\b(?:LUNG|LUNGE|LUNGENFENSTER|BONE|KNOCHEN)\b")
_PLANNING = re.compile(
    r"\b(?:LOC|LOCALI[SZ]ER|SCOUT|SURVEY|CALIB\w*|ASSET|(?:REF|REFERENCE|SENSE|COIL) ?(?:SCAN|SURVEY))\b"
)
_MAP_OF_MR = re.compile(
    r"\b(?:E?ADC|(?:T1|T2|T2 ?STAR|R2|R2 ?STAR|B0|B1|PHASE|FIELD) ?MAP\w*|R2 ?STAR|FF|PDFF|FAT ?FRAC\w*"
    r"|STIFFNESS|ELASTO\w*|MRE|WAVE|SUB|SUBTRACT(?:ION|ED)|PERFUSION)\b"
)


def unwanted(header: Header) -> str | None:
    """Why a slice shows no section of tissue in Hounsfield units or MR signal as systems read it; None where nothing
    says so.
    """
    words = " ".join([*header.kind[2:], header.description.upper()]).replace("\\", " ")
    if header.weighting is not None:
        words = words.replace("_", " ")
    if _PROJECTION.search(words):
        return "a projection (MIP, MinIP or volume rendering), not a section"
    if header.weighting is not None:
        return _unwanted_of_mr(words, part=header.weighting.part)
    if _MAP.search(words) or "PERFUSION" in header.kind:
        return "a perfusion or other derived map, or a part of a perfusion scan"
    if _SHARP.fullmatch(header.kernel) or (not header.kernel and _SHARP_NAME.search(header.description.upper())):
        return "a lung or bone kernel; wanted a reconstruction for soft tissue"
    return None


def _unwanted_of_mr(words: str, *, part: Part) -> str | None:
    if _PLANNING.search(words):
        return "a localizer or a calibration scan"
    if _MAP_OF_MR.search(words):
        return "a map or a difference computed from images (ADC, T2*, fat fraction, subtraction or similar)"
    return f"a {part} image; wanted magnitude" if part in {"fat", "phase", "real", "imaginary"} else None


def place(header: Header) -> tuple[float, ...]:
    """Where a slice lies and how it is turned, rounded; slices of one place show the same part of the patient."""
    return tuple(round(each, 2) for each in (*header.position, *header.orientation, *header.spacing))


def time_points(headers: Sequence[Header]) -> tuple[list[tuple[Header, ...]], tuple[str, ...]]:
    """The phases that were sent as one series, each with one slice a place, and notes.

    The first of MOMENTS, or else the kernel, the image type or the thickness, by which slices of one place differ tells
    phases apart: taken in order, a new one begins where a place comes again. What is left over of slices scanned again
    is dropped. One part, with several slices at a place, where nothing tells them apart.
    """
    if len({place(header) for header in headers}) == len(headers):
        return [tuple(headers)], ()
    for values in zip(*map(_marks, headers), strict=True):
        parts = _apart(headers, values)
        largest = max(map(len, parts), default=0)
        whole = [part for part in parts if len(part) >= max(LEAST_PLACES, largest / 4)]
        if whole:
            again = sum(map(len, parts)) - sum(map(len, whole))
            notes = (f"scanned again: {again} slices; one of each place is read",) if again else ()
            several = (f"one of {len(whole)} time points sent as one series",) if len(whole) > 1 else ()
            return whole, (*notes, *several)
    return [tuple(headers)], ()


def _marks(header: Header) -> tuple[str, ...]:
    return *header.moments, header.kernel, "\\".join(header.kind), str(header.thickness or "")


def _apart(headers: Sequence[Header], values: Sequence[str]) -> list[tuple[Header, ...]]:
    """Parts with one slice a place; none where a slice is silent or two of one place say the same."""
    marked = sorted(zip(values, headers, strict=True), key=lambda each: _order(each[0]))
    if not all(values) or len({(value, place(header)) for value, header in marked}) < len(headers):
        return []
    ways = _in_turn(marked), _in_turn(marked[::-1])[::-1]  # from the end, where a slice was scanned before the others
    return max(ways, key=lambda parts: max(map(len, parts)))


def _in_turn(marked: Sequence[tuple[str, Header]]) -> list[tuple[Header, ...]]:
    """A new part begins where a place comes again."""
    parts: list[list[Header]] = [[]]
    taken: set[tuple[float, ...]] = set()
    for _, block in groupby(marked, key=lambda each: each[0]):
        own = [header for _, header in block]
        places = {place(header) for header in own}
        if taken & places:
            parts.append([])
            taken = set()
        parts[-1] += own
        taken |= places
    return [tuple(part) for part in parts]


def _order(value: str) -> tuple[float, str]:
    try:
        return float(value), value
    except ValueError:
        return np.inf, value


def reconstructions(series: Sequence["Series"]) -> dict[str, str]:
    """Keys of those series that are another reconstruction of the scan of one that is read, and why.

    One scan: scanned within AT_ONCE, with another kernel, thickness or image type, over mostly the same part of the
    patient. An original is read before a derived image, then that of a thickness nearest to USUAL_MM.
    """
    kept: list[Series] = []
    aside = {}
    for each in sorted(series, key=_preference):
        better = next((other for other in kept if _same_scan(each, other)), None)
        if better is None:
            kept.append(each)
        else:
            aside[each.key] = f"another reconstruction ({_looks(each)}) of the same scan; {_looks(better)} is read"
    return aside


def _preference(series: "Series") -> tuple[bool, float, str]:
    head = series.headers[0]
    return "DERIVED" in head.kind[:1], abs((head.thickness or series.geometry.spacing[0]) - USUAL_MM), series.key


def _looks(series: "Series") -> str:
    return f"{series.headers[0].thickness or series.geometry.spacing[0]:.3g} mm"


def _same_scan(one: "Series", other: "Series") -> bool:
    a, b = one.headers[0], other.headers[0]
    if one.patient != other.patient or (a.kernel, a.thickness, a.kind) == (b.kernel, b.thickness, b.kind):
        return False
    times = scanned(one), scanned(other)
    if times[0] is None or times[1] is None or abs(times[0] - times[1]) > AT_ONCE:
        return False
    (low, high), (lower, higher) = ((each.stack.positions[0], each.stack.positions[-1]) for each in (one, other))
    return min(high, higher) - max(low, lower) >= min(high - low, higher - lower) / 2


def scanned(series: "Series") -> float | None:
    """Seconds of the day in the middle of a scan; None where a slice does not say."""
    at = list(MOMENTS).index("AcquisitionTime")
    recorded = [each.moments[at] or each.moments[at - 1] for each in series.headers]
    times = [re.fullmatch(r"(?:\d{8})?(\d\d):?(\d\d):?(\d\d(?:\.\d*)?).*", each) for each in recorded]
    seconds = [3600 * int(each[1]) + 60 * int(each[2]) + float(each[3]) for each in times if each]
    return float(np.median(seconds)) if len(seconds) == len(recorded) else None
