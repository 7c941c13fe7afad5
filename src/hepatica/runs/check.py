"""Check: what is wrong with a cohort folder, what is in it, and what can be trained on it."""

import shutil
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hepatica.cohort.digests import content_digest
from hepatica.cohort.endpoints import TimeToEvent
from hepatica.cohort.errors import EvaluationError, HepaticaError, SpecimenError, reading
from hepatica.cohort.faults import rows_in_words
from hepatica.cohort.preparation import tracked
from hepatica.cohort.specimens import Inspected, Specimen
from hepatica.cohort.table import OF_TABLES, Cohort, examine_cohort
from hepatica.evaluate import kaplan_meier
from hepatica.runs.pictures import INSPECTED, inspection
from hepatica.systems import find_system, listed

_EVERY = 10**6


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`faults` must be corrected, `doubts` should be looked at; `cohort` is None where its tables have faults.

    `endpoints` has a sentence of each by name, `missing` how many patients lack a value of each column of patients.csv
    that is not complete, `seen` a look at specimens by their row. `tiles` are the bytes that all tiles would take,
    `free` those that are free. `systems` has the patients each could be trained on, `lacking` what keeps another of the
    same modality from it.
    """

    cohort: Cohort | None
    faults: Sequence[str]
    doubts: Sequence[str]
    endpoints: dict[str, str] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    seen: dict[int, Inspected] = field(default_factory=dict)
    tiles: float = 0.0
    free: float = 0.0
    systems: dict[str, int] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)


def check(folder: Path, *, specimens: int = 100) -> Checked:
    """Read a cohort folder, look at up to so many of its specimens, evenly spread, and for the others' files."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        cohort, found = examine_cohort(folder)
    faults = found.sentences(of_all=_EVERY, of_a_column=_EVERY)
    doubts = [str(each.message) for each in warned]
    if cohort is None:
        return Checked(cohort=None, faults=faults, doubts=doubts)
    if remote := [each.row for each in cohort.specimens if each.urls]:
        doubts.append(f"specimens.csv {rows_in_words(remote)}: files of a store, which were not looked at")
    looks = _looks(cohort, most=specimens)
    faults += [f"specimens.csv row {row}: {look}" for row, look in looks.items() if isinstance(look, str)]
    seen = {row: look for row, look in looks.items() if isinstance(look, Inspected)}
    of_specimens = defaultdict(list)
    for row, look in seen.items():
        for doubt in look.doubts:
            of_specimens[doubt].append(row)
    lost = cohort.patients.isna().sum().sort_values(ascending=False)
    systems, lacking = _systems(cohort)
    return Checked(
        cohort=cohort,
        faults=[*faults, *_same_files(cohort.specimens)],
        doubts=doubts + [f"specimens.csv {rows_in_words(rows)}: {doubt}" for doubt, rows in of_specimens.items()],
        endpoints={name: _endpoint(cohort, name) for name in cohort.endpoints},
        missing={str(name): int(count) for name, count in lost.items() if count},
        seen=seen,
        tiles=_tiles([each for each in cohort.specimens if each.modality == "slide" and not each.urls]),
        free=float(shutil.disk_usage(folder).free),
        systems=systems,
        lacking=lacking,
    )


def _tiles(slides: Sequence[Specimen]) -> float:
    if not slides:
        return 0.0
    from hepatica.pathology.disk_need import expected_bytes  # a room that need not be installed
    from hepatica.pathology.tiles import Tiling

    return expected_bytes(slides, tiling=Tiling())


def _looks(cohort: Cohort, *, most: int) -> dict[int, Inspected | str]:
    """What was seen of specimens by their row, or why they cannot be used; two at once, for a study may take 1 GB."""
    every = [each for each in cohort.specimens if each.modality in INSPECTED and not each.urls]
    chosen = [every[k] for k in np.unique(np.linspace(0, len(every) - 1, min(most, len(every))).astype(int))]
    with ThreadPoolExecutor(2) as pool:
        looks = tracked(pool.map(_look, chosen), "Looking at specimens", len(chosen), transient=True)
        return {each.row: look for each, look in zip(chosen, looks, strict=True)}


def _look(specimen: Specimen) -> Inspected | str:
    try:
        with reading("the file"):
            return inspection(specimen.modality)(specimen)
    except SpecimenError as error:
        return str(error)


def _same_files(specimens: Sequence[Specimen]) -> Iterator[str]:
    """Files of the same bytes under two patients; only those of one size are read."""
    by_size: dict[int, list[Specimen]] = defaultdict(list)
    for each in specimens:
        if each.path.is_file() and "region" not in each.attachments:
            by_size[each.path.stat().st_size].append(each)
    for alike in by_size.values():
        owners: dict[bytes, Specimen] = {}
        for each in alike if len({one.patient_id for one in alike}) > 1 else ():
            first = owners.setdefault(content_digest(each.path), each)
            if first.patient_id != each.patient_id:
                yield f"specimens.csv row {each.row}: the same file as in row {first.row}, of another patient"


def _endpoint(cohort: Cohort, name: str) -> str:
    """Its line; of follow-up also the median by the reverse Kaplan-Meier method (doi 10.1016/0197-2456(96)00075-X)."""
    endpoint = cohort.endpoints[name]
    text = cohort.summary(endpoint)
    if isinstance(endpoint, TimeToEvent):
        time, event = cohort.patients[endpoint.time], cohort.patients[endpoint.event]
        text += f", {int((event == 2).sum())} competing events" if (event == 2).any() else ""
        try:
            curve = kaplan_meier(time, event=event == 0)
        except EvaluationError:
            return text
        half = curve.time[curve.survival <= 0.5]
        text += f", {half[0]:.3g} by reverse Kaplan-Meier" if half.size else ""
    return text


def _systems(cohort: Cohort) -> tuple[dict[str, int], dict[str, str]]:
    """How many patients each system of these modalities could be trained on, and what others of them lack."""
    have = {*(each.modality for each in cohort.specimens), *OF_TABLES[:1], *(OF_TABLES if cohort.tables else ())}
    fitting, lacking = {}, {}
    for name, each in listed().items():
        if set(each.modality.split("+")) <= have:
            try:
                system = find_system(name)
                rooms, settings = system.rooms.values(), system.completed(cohort, system.settings)
                with_files = [{each.patient_id for each in cohort.specimens_of(room.modality)} for room in rooms]
                fitting[name] = len(set(system.trainable(cohort, settings)).intersection(*with_files))
                for room in rooms:
                    if room.modality == OF_TABLES[0]:  # read now, for columns may be lacking
                        with TemporaryDirectory() as folder:
                            room.prepare(cohort, settings, Path(folder))
            except HepaticaError as error:
                fitting.pop(name, None)
                lacking[name] = str(error)
    lacking |= {name: "no patient may be trained on" for name, count in fitting.items() if not count}
    return {name: count for name, count in fitting.items() if count}, lacking
