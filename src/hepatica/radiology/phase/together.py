"""Together: the phases of one study that a system reads, one volume each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hepatica.cohort import Specimen
from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.scans import Scan, find_scans
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.liver.liver import find_liver
from hepatica.radiology.phase.phase import contrast_phase
from hepatica.radiology.phase.phase_tags import phase_from_tags

SERIES = "series"
"""Column of specimens.csv that names the series of a study to read, by number or UID, or "all"; blank: chosen."""

PHASE = "phase"
"""Column of specimens.csv that says which phase the file in `path` is, where the file itself does not."""

ORDER = ("plain", "arterial", "portal venous", "delayed", "hepatobiliary")
"""Phases in the order in which they are scanned."""

REFERENCE = ("portal venous", "arterial", "hepatobiliary", "delayed")
"""Whose slices and axes those of crops are: the first of these that is there (ours)."""

CLEAR = 0.85
"""Confidence of the header from which on the image is not asked (ours): its name says it in a word, or name and time
agree."""

Absent = Literal["refuse", "nearest", "zero"]
"""What becomes of a study without a wanted phase: refused; the phase scanned nearest to it stands in, the earlier of
two; or it is left empty."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyPhases:
    """`volumes` by the wanted phase, each on its own grid in the patient's axes, absent where it is left empty.

    `found` says which phase each really is; `reference` is the wanted phase whose slices and axes those of crops are.
    """

    volumes: Mapping[str, Volume] = field(repr=False)
    found: Mapping[str, str]
    reference: str
    notes: tuple[str, ...] = ()


def read_phases(
    specimen: Specimen, *, wanted: Sequence[str] = ("plain", "arterial", "delayed"), absent: Absent = "refuse"
) -> StudyPhases:
    """The wanted phases of a study: of DICOM by header and, where that is not clear, by image; else as named.

    What is not DICOM is named by specimens.csv: `path` by its column PHASE, others by columns with a phase's name, `_`
    for spaces (`arterial`, `portal_venous`). Of several series of one phase the one with the clearest header counts,
    then that of most slices. SpecimenError that names what was found where a wanted phase is not, unless `absent`
    allows it.
    """
    scans, notes = _scans(specimen)
    chosen = {each: _standing_in(each, scans, absent=absent) for each in wanted}
    lost = [each for each, name in chosen.items() if name is None]
    if len(lost) == len(wanted) or (lost and absent != "zero"):
        have = ", ".join(scans) or "none that is known"
        raise SpecimenError(
            f"got the phases {have}, wanted {', '.join(wanted)}: no {' and no '.join(lost)}; give that series, name it"
            " in specimens.csv, or set absent"
        )
    found = {each: name for each, name in chosen.items() if name is not None}
    read = {name: scans[name].read() for name in dict.fromkeys(found.values())}
    volumes = {each: read[name] for each, name in found.items()}
    notes += [f"no {each} phase; {name} stands in" for each, name in found.items() if name != each]
    notes += [f"no {each} phase; left empty" for each in lost]
    notes += [note for volume in read.values() for note in volume.notes]
    reference = next((each for each in (*REFERENCE, *volumes) if each in volumes), "")
    return StudyPhases(volumes=volumes, found=found, reference=reference, notes=tuple(dict.fromkeys(notes)))


def _standing_in(wanted: str, scans: Mapping[str, Scan], *, absent: Absent) -> str | None:
    if wanted in scans:
        return wanted
    known = [each for each in scans if each in ORDER]
    if absent != "nearest" or wanted not in ORDER or not known:
        return None
    return min(known, key=lambda each: (abs(ORDER.index(each) - ORDER.index(wanted)), ORDER.index(each)))


def _scans(specimen: Specimen) -> tuple[dict[str, Scan], list[str]]:
    """The scan of each phase that is known, in their order of scanning, and notes."""
    found: dict[str, tuple[tuple[float, int], Scan]] = {}
    notes: list[str] = []
    for name, scan, rank in _named(specimen):
        if name in found:
            notes.append(f"several series of the {name} phase; the one named most clearly, then the longest, is read")
        if name not in found or rank > found[name][0]:
            found[name] = (rank, scan)
    ordered = sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return {name: found[name][1] for name in ordered}, notes


def _named(specimen: Specimen) -> list[tuple[str, Scan, tuple[float, int]]]:
    """Name, scan and rank (confidence, slices) of each series whose phase is known."""
    found = []
    for scan in find_scans(specimen.path, wanted=specimen.extra.get(SERIES, "")).scans:
        if scan.series is None:
            name, rank = specimen.extra.get(PHASE, ""), (1.0, 0)
        else:
            name, confidence = _phase(scan)
            rank = (confidence, len(scan.series.headers))
        if name:
            found.append((name, scan, rank))
    for column, path in specimen.attachments.items():
        name = column.replace("_", " ")
        if name in ORDER:
            found += [(name, scan, (1.0, 0)) for scan in find_scans(path).scans]
    return found


def _phase(scan: Scan) -> tuple[str, float]:
    assert scan.series is not None
    tags = phase_from_tags(scan.series.dataset())
    if tags is not None and tags.confidence >= CLEAR:
        return tags.name, tags.confidence
    seen = contrast_phase(find_liver(scan.read(regular=False)), series=scan.series)
    return "" if seen.name == "unknown" else seen.name, seen.confidence
