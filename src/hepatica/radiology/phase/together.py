"""Together: the phases of one study, or sequences of MR, that a system reads, one volume each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hepatica.cohort import Specimen
from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.scans import Scan, find_scans
from hepatica.radiology.dicom.series import Series
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.liver.liver import find_liver
from hepatica.radiology.mr.adc import fit_adc, normalised
from hepatica.radiology.mr.sequence import sequences_of
from hepatica.radiology.phase.phase import contrast_phase
from hepatica.radiology.phase.phase_tags import phase_from_tags

SERIES = "series"
"""Column of specimens.csv that names the series of a study to read, by number or UID, or "all"; blank: chosen."""

PHASE = "phase"
"""Column of specimens.csv that says which phase the file in `path` is, where the file itself does not."""

ORDER = {"plain": 0, "pre": 0, "arterial": 1, "portal venous": 2, "delayed": 3, "hepatobiliary": 4}
"""Phases by the order in which they are scanned: plain of CT, pre of MR."""

_COLUMNS = {each.replace(" ", "_"): each for each in (*ORDER, "t2", "t1_in", "t1_opposed", "dwi")}

ADC = "adc"
"""The phase that is fitted to all diffusion-weighted images of MR (`mr.adc`)."""

REFERENCE = ("portal venous", "arterial", "hepatobiliary", "delayed")
"""Whose slices and axes those of crops are: the first of these that is there (ours)."""

CLEAR = 0.85
"""Confidence of the header from which on the image is not asked (ours): its name says it in a word, or name and time
agree."""

Register = Literal["none", "rigid", "deformable"]
"""How other phases are brought onto the reference."""

Absent = Literal["refuse", "nearest", "zero"]
"""What becomes of a study without a wanted phase: refused; the phase scanned nearest is read, the earlier of two; or it
is left empty."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyPhases:
    """`volumes` by the wanted phase, each on its own grid in the patient's axes, absent where it is left empty.

    `found` says which phase each really is; `reference` is the wanted phase whose slices and axes those of crops are,
    and onto which the others are registered.
    `keys` are those of the scans that were read, that of the reference first.
    """

    volumes: Mapping[str, Volume] = field(repr=False)
    found: Mapping[str, str]
    reference: str
    keys: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_phases(
    specimen: Specimen,
    *,
    kind: Kind = "ct",
    wanted: Sequence[str] = ("plain", "arterial", "delayed"),
    absent: Absent = "refuse",
    register: Register = "none",
    reference: str | None = None,
) -> StudyPhases:
    """The wanted phases of a study: of DICOM by header and, of CT where that is not clear, by image; else as named.

    Sequences of MR are named as `mr.sequence` has them, diffusion by its b-value (`dwi b600`), and brought onto one
    scale each (`mr.signal`); ADC is fitted to all b-values before. What is not DICOM is
    named by specimens.csv: `path` by its column PHASE, others by columns with a phase's name, `_` for spaces
    (`arterial`, `portal_venous`, `dwi_b600`). Of several series of one phase the one with the clearest header counts,
    then that of most slices. SpecimenError that names what was found where a wanted phase is not, unless `absent`
    allows it.

    `reference` is the phase whose anatomy counts, such as that on which masks were drawn, by default the first of
    REFERENCE; with `register` the others are brought onto its grid and anatomy (`registration`).
    """
    scans, notes = _scans(specimen, kind=kind)
    chosen = {each: _standing_in(each, scans, absent=absent) for each in wanted}
    if ADC in chosen and len(_diffusion(scans)) > 1:
        chosen[ADC] = ADC
    lost = [each for each, name in chosen.items() if name is None]
    if len(lost) == len(wanted) or (lost and absent != "zero"):
        _refuse_other_kinds(specimen, kind=kind)
        have = ", ".join(scans) or "none that is known"
        raise SpecimenError(
            f"got the phases {have}, wanted {', '.join(wanted)}: no {' and no '.join(lost)}; give that series, name it"
            " in specimens.csv, or set absent"
        )
    found = {each: name for each, name in chosen.items() if name is not None}
    read = {name: _read(name, scans, kind=kind) for name in dict.fromkeys(found.values())}
    volumes = {each: read[name] for each, name in found.items()}
    notes += [f"no {each} phase; {name} is read in its place" for each, name in found.items() if name != each]
    notes += [f"no {each} phase; left empty" for each in lost]
    reference = next(each for each in (reference, *REFERENCE, *volumes) if each in volumes)
    if register != "none":
        volumes = _registered(volumes, reference=reference, kind=register)
    notes += [note for volume in volumes.values() for note in volume.notes]
    names = dict.fromkeys((found[reference], *read))
    return StudyPhases(
        volumes=volumes,
        found=found,
        reference=reference,
        keys=tuple(scans[name].key for name in names if name in scans),
        notes=tuple(dict.fromkeys(notes)),
    )


def _refuse_other_kinds(specimen: Specimen, *, kind: Kind) -> None:
    """SpecimenError where a file without headers is by its values of another kind, whatever it is named."""
    for scan in find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""), kind=kind).scans:
        if scan.series is None:
            scan.read()


def _read(name: str, scans: Mapping[str, Scan], *, kind: Kind) -> Volume:
    if name == ADC:
        return fit_adc({b_value: scan.read() for b_value, scan in _diffusion(scans).items()})
    volume = scans[name].read()
    return normalised(volume) if kind == "mr" else volume


def _diffusion(scans: Mapping[str, Scan]) -> dict[float, Scan]:
    """Diffusion-weighted scans by b-value, s/mm2."""
    return {float(name.removeprefix("dwi b")): scan for name, scan in scans.items() if name.startswith("dwi b")}


def _standing_in(wanted: str, scans: Mapping[str, Scan], *, absent: Absent) -> str | None:
    if wanted in scans:
        return wanted
    known = [each for each in scans if each in ORDER]
    if absent != "nearest" or wanted not in ORDER or not known:
        return None
    return min(known, key=lambda each: (abs(ORDER[each] - ORDER[wanted]), ORDER[each]))


def _registered(volumes: Mapping[str, Volume], *, reference: str, kind: Register) -> dict[str, Volume]:
    from hepatica.radiology.registration import register  # SimpleITK takes long to import

    fixed = volumes[reference]
    moved = {id(each): register(each, fixed, kind=kind).volume for each in volumes.values() if each is not fixed}
    return {name: moved.get(id(each), each) for name, each in volumes.items()}


def _scans(specimen: Specimen, *, kind: Kind) -> tuple[dict[str, Scan], list[str]]:
    """The scan of each phase that is known, in their order of scanning, and notes."""
    found: dict[str, tuple[tuple[float, int], Scan]] = {}
    notes: list[str] = []
    for name, scan, rank in _named(specimen, kind=kind):
        if name in found:
            notes.append(f"several series of the {name} phase; the one named most clearly, then the longest, is read")
        if name not in found or rank > found[name][0]:
            found[name] = (rank, scan)
    ordered = sorted(found, key=lambda name: ORDER.get(name, len(ORDER)))
    return {name: found[name][1] for name in ordered}, notes


def _named(specimen: Specimen, *, kind: Kind) -> list[tuple[str, Scan, tuple[float, int]]]:
    """Name, scan and rank (confidence, slices) of each series whose phase is known."""
    found = []
    scans = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""), kind=kind).scans
    series = [each.series for each in scans if each.series is not None]
    if len(series) < len(scans):
        found += [(scan.phase or specimen.extra.get(PHASE, ""), scan, (1.0, 0)) for scan in scans]
    else:
        phases = map(_phase, scans, series) if kind == "ct" else _sequences(series)
        found += [
            (name, scan, (confidence, len(own.headers)))
            for scan, own, (name, confidence) in zip(scans, series, phases, strict=True)
        ]
    for column, path in specimen.attachments.items():
        if is_phase(column):
            name = _COLUMNS.get(column, column.replace("_", " "))
            found += [(name, scan, (1.0, 0)) for scan in find_scans(path, kind=kind).scans]
    return [each for each in found if each[0]]


def is_phase(column: str) -> bool:
    """Whether a column of specimens.csv is named after a phase or sequence, and so names its file."""
    return column in _COLUMNS or re.fullmatch(r"dwi_b\d+", column) is not None


def _sequences(series: Sequence[Series]) -> list[tuple[str, float]]:
    """Name and confidence of each series of MR; no name where it is unknown."""
    return [
        (
            "" if each.name == "unknown" else each.name if each.b_value is None else f"dwi b{each.b_value:.0f}",
            each.confidence,
        )
        for each in sequences_of(series)
    ]


def _phase(scan: Scan, series: Series) -> tuple[str, float]:
    tags = phase_from_tags(series.dataset())
    if tags is not None and tags.confidence >= CLEAR:
        return tags.name, tags.confidence
    seen = contrast_phase(find_liver(scan.read(regular=False)), series=series)
    return "" if seen.name == "unknown" else seen.name, seen.confidence
