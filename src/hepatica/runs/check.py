"""Check: what is wrong with a cohort folder, what is in it, and what can be trained on it."""

import shutil
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

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
class Look:
    """A specimen that was looked at: what was seen, or why it cannot be used."""

    specimen: Specimen
    seen: Inspected | None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`faults` must be corrected, `doubts` should be looked at. `endpoints` has a sentence of each by name.

    `missing` (covariate, missing, share) has the columns of patients.csv that are not complete. `tiles` are the bytes
    that all tiles would take, `free` those that are free. `systems` has the patients each could be trained on, and
    `lacking` what keeps another from it, of the same modality.
    """

    cohort: Cohort | None
    faults: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    endpoints: dict[str, str]
    missing: pd.DataFrame
    looks: tuple[Look, ...] = ()
    tiles: float = 0.0
    free: float = 0.0
    systems: dict[str, int]
    lacking: dict[str, str]


def check(folder: Path, *, specimens: int = 100) -> Checked:
    """Read a cohort folder, look at up to so many of its specimens, evenly spread, and at the others' files."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        cohort, faults = examine_cohort(folder)
    found = faults.sentences(of_all=_EVERY, of_a_column=_EVERY)
    doubts = [str(each.message) for each in warned]
    if cohort is None:
        empty = pd.DataFrame(columns=["covariate", "missing", "share"])
        return Checked(
            cohort=None, faults=(*found,), doubts=(*doubts,), endpoints={}, missing=empty, systems={}, lacking={}
        )
    looks = _looks(cohort, most=specimens)
    found += [f"specimens.csv row {each.specimen.row}: {each.fault}" for each in looks if each.fault]
    found += [*_same_files(cohort.specimens)]
    of_specimens = defaultdict(list)
    for each in looks:
        for doubt in each.seen.doubts if each.seen else ():
            of_specimens[doubt].append(each.specimen.row)
    doubts += [f"specimens.csv {rows_in_words(rows)}: {doubt}" for doubt, rows in of_specimens.items()]
    seen = [each.seen.bytes for each in looks if each.seen]
    of_slides = sum(each.modality == "slide" for each in cohort.specimens)
    systems, lacking = _systems(cohort)
    return Checked(
        cohort=cohort,
        faults=(*found,),
        doubts=(*doubts,),
        endpoints={name: _endpoint(cohort, name) for name in cohort.endpoints},
        missing=_missing(cohort),
        looks=looks,
        tiles=float(np.mean(seen)) * of_slides if any(seen) else 0.0,
        free=float(shutil.disk_usage(folder).free),
        systems=systems,
        lacking=lacking,
    )


def _looks(cohort: Cohort, *, most: int) -> tuple[Look, ...]:
    """The pictures are made on two threads: a study may take a gigabyte."""
    every = [each for each in cohort.specimens if each.modality in INSPECTED]
    chosen = [every[k] for k in np.unique(np.linspace(0, len(every) - 1, min(most, len(every))).astype(int))]
    with ThreadPoolExecutor(2) as pool:
        return tuple(tracked(pool.map(_look, chosen), "Looking at specimens", len(chosen), transient=True))


def _look(specimen: Specimen) -> Look:
    try:
        with reading("the file"):
            return Look(specimen=specimen, seen=inspection(specimen.modality)(specimen))
    except ModuleNotFoundError as error:
        return Look(
            specimen=specimen, seen=None, fault=f"the package {error.name} is not installed; see hepatica doctor"
        )
    except SpecimenError as error:
        return Look(specimen=specimen, seen=None, fault=str(error))


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
            half = curve.time[curve.survival <= 0.5]
            text += f", {half[0]:.3g} by reverse Kaplan-Meier" if half.size else ""
        except EvaluationError:
            pass
    return text


def _missing(cohort: Cohort) -> pd.DataFrame:
    lost = cohort.patients.isna().sum()
    lost = lost[lost > 0].sort_values(ascending=False)
    return pd.DataFrame(
        {"covariate": lost.index, "missing": lost.to_numpy(), "share": lost.to_numpy() / len(cohort.patients)}
    )


def _systems(cohort: Cohort) -> tuple[dict[str, int], dict[str, str]]:
    """How many patients each system of these modalities could be trained on, and what others of them lack."""
    have = {*(each.modality for each in cohort.specimens), *OF_TABLES[:1], *(OF_TABLES if cohort.tables else ())}
    fitting, lacking = {}, {}
    for name, each in listed().items():
        if not set(each.modality.split("+")) <= have:
            continue
        try:
            system = find_system(name)
            of_rooms = [{s.patient_id for s in cohort.specimens_of(room.modality)} for room in system.rooms.values()]
            count = len(set(system.trainable(cohort, system.settings)).intersection(*of_rooms))
            if count:
                fitting[name] = count
            else:
                lacking[name] = "no patient may be trained on"
        except HepaticaError as error:
            lacking[name] = str(error)
    return fitting, lacking
