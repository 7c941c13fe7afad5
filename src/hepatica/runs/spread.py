"""Spread: the work on single specimens as jobs, done by other processes before a call puts their outputs together.

Outputs lie under names made of content and settings, so that the call finds them as if it had made them itself. A job
is a place in a context: what the call was asked, as a JSON file that any process can read.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import torch

from hepatica.cohort import Cohort, NotAssessableError, Specimen
from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.digests import content_digest, content_digests, content_name
from hepatica.cohort.preparation import Ledger
from hepatica.cohort.table import OF_TABLES
from hepatica.protocol import System, as_plain, from_plain
from hepatica.runs.engine import Engine, Shared, ledger
from hepatica.runs.in_use import in_use
from hepatica.runs.inputs import cohort_as_plain, cohort_from_plain
from hepatica.runs.jobs import ATTEMPTS, Job, Jobs, State
from hepatica.runs.workers import Work
from hepatica.systems import find_system, reference

SET_ASIDE = "set_aside_"
"""Beginning of the names of the ledger's entries of specimens that no process outlived."""

OWN = f"{__name__}:KINDS"
"""The work of `prepare_jobs`, as module:NAME."""

DIED = f"the process that read it died, {ATTEMPTS} times; it is not tried again while the ledger's entry says so"


@dataclass(frozen=True, kw_only=True)
class Item:
    """What a job is about: a `place`, its specimens, and a name of their `content`, "": that of their files here."""

    place: str
    specimens: Sequence[Specimen]
    content: str = ""


def spread(
    kind: str,
    items: Sequence[Item],
    *,
    context: Mapping[str, Any],
    kinds: str,
    folder: Path,
    engine: Engine,
    label: str,
) -> list[Item]:
    """Let others do a job for each item; those whose job killed its worker `ATTEMPTS` times.

    `context` is what a worker needs to know, values of JSON; `kinds` the work, as module:NAME; `folder` that of
    prepared specimens, in which the table of jobs is. Jobs that an earlier call of other settings has left there are
    cancelled, for they would write into the same folder; those that failed are begun anew.
    """
    if not items:
        return []
    folder = folder.absolute()  # a worker may be in another one
    file, text = _file_of(context, folder=folder)
    write_json(file, json.loads(text) | {"threads": engine.threads})
    content_digests([each.path for item in items if not item.content for each in item.specimens])  # for `content_of`
    given = [
        {"context": str(file), "place": each.place, "content": each.content or content_of(each.specimens)}
        for each in items
    ]
    jobs = Jobs(ledger(folder))
    keys = jobs.add_all([(kind, each) for each in given])
    cancel_others(kind, context=context, folder=folder)
    # Set aside: its entry in the ledger was removed; but beside other processes it may have died just now.
    again: tuple[State, ...] = ("failed", "cancelled") if engine.share else ("failed", "cancelled", "quarantined")
    own = set(keys)
    for key in own & {job.key for state in again for job in jobs.all(kind=kind, state=state)}:
        jobs.retry(key)
    engine.run(ledger(folder), kinds, label=label, total=len(items))
    if failed := [job.error for job in jobs.all(kind=kind, state="failed") if job.key in own]:
        print(f"{len(failed)} of {len(items)} jobs failed, which one process tries again: {failed[0]}", file=sys.stderr)
    lost = {job.key for job in jobs.all(state="quarantined")}
    return [each for key, each in zip(keys, items, strict=True) if key in lost]


def _file_of(context: Mapping[str, Any], *, folder: Path) -> tuple[Path, str]:
    """Where a context lies, and its text."""
    text = json.dumps(context, sort_keys=True, default=str)
    return folder.absolute() / "jobs" / f"{content_name(text.encode())}.json", text


def cancel_others(kind: str, *, context: Mapping[str, Any], folder: Path) -> None:
    """Cancel the jobs of that kind, and of the folder, that a call of another context has left."""
    jobs, (file, _) = Jobs(ledger(folder)), _file_of(context, folder=folder)
    unfinished: tuple[State, ...] = ("waiting", "running")
    for job in (each for state in unfinished for each in jobs.all(kind=kind, state=state)):
        other = Path(job.given.get("context", ""))
        if other != file and other.parent == file.parent:
            jobs.cancel(job.key)


def content_of(specimens: Sequence[Specimen]) -> str:
    """A name of the content of their files on this machine."""
    return content_name(b"".join(content_digest(each.path) for each in specimens))


@lru_cache(maxsize=1)
def context_of(file: str) -> dict[str, Any]:
    """What `spread` wrote; the process takes the number of threads that it says."""
    found: dict[str, Any] = read_json(Path(file))
    torch.set_num_threads(found["threads"])
    return found


def set_aside(
    specimens: Sequence[Specimen], *, folder: Path, content: Callable[[Sequence[Specimen]], str] = content_of
) -> None:
    """Enter specimens that no process outlived into the ledger, by row and content, and say so on stderr."""
    for each in specimens:
        attempt = {"started": None, "finished": None, "error": DIED}
        entry = {"row": each.row, "content": content([each]), "attempts": [attempt] * ATTEMPTS}
        write_json(Ledger(folder / "ledger").folder / f"{SET_ASIDE}{each.row}.json", entry)
        print(f"specimen of row {each.row} is set aside: {DIED}", file=sys.stderr, flush=True)


def lost_of(
    specimens: Sequence[Specimen], *, folder: Path, content: Callable[[Sequence[Specimen]], str] = content_of
) -> pd.DataFrame:
    """The specimens that `set_aside` has entered, as a store's table of failures."""
    entries = {own["row"]: own["content"] for own in map(read_json, (folder / "ledger").glob(f"{SET_ASIDE}*.json"))}
    found = [each for each in specimens if entries.get(each.row) and entries[each.row] == content([each])]
    rows = [(each.patient_id, each.specimen_id, each.row, DIED) for each in found]
    return pd.DataFrame(rows, columns=["patient_id", "specimen_id", "row", "error"])


def prepare(system: System[Any, Any], cohort: Cohort, settings: Any, folder: Path, *, engine: Engine) -> Any:
    """`system.prepare`, each specimen by a job first where the engine is not the call alone.

    A specimen that no process outlives is one of the failures of what is prepared. RunError where another call is at
    jobs of the same folder, which this one would cancel.
    """
    if not engine.alone:
        with in_use(folder):
            prepare_jobs(system, cohort, settings, folder, engine=engine)
    return without_lost(system, cohort, settings, folder)


def do_share(system: System[Any, Any], cohort: Cohort, settings: Any, folder: Path, *, engine: Engine) -> NoReturn:
    """Prepare beside other processes, until nothing is left, and raise `Shared`; nothing else is written."""
    with in_use(folder, shared=True):
        prepare_jobs(system, cohort, settings, folder, engine=engine)
    raise Shared


def prepare_jobs(
    system: System[Any, Any], cohort: Cohort, settings: Any, folder: Path, *, engine: Engine, kinds: str = OWN
) -> None:
    """A job for each specimen that is a file, of every input; `kinds` may have the work of jobs that follow too."""
    lost = set(lost_of(cohort.specimens, folder=folder)["row"])
    items = [
        Item(place=f"{name} {each.row}", specimens=[each])
        for name, room in system.rooms.items()
        if room.modality not in OF_TABLES
        for each in cohort.specimens_of(room.modality)
        if each.row not in lost
    ]
    context = {
        "reference": reference(system, settings=settings),
        "settings": as_plain(settings),
        "folder": str(folder.absolute()),
        "cohort": cohort_as_plain(cohort),
        "digest": cohort.digest,  # a process that has read the cohort reads it again once its tables change
    }
    own: dict[str, Any] = {"context": context, "kinds": kinds, "folder": folder, "engine": engine}
    died = spread("prepare", items, **own, label="Preparing specimens")
    set_aside([each for item in died for each in item.specimens], folder=folder)


def without_lost(system: System[Any, Any], cohort: Cohort, settings: Any, folder: Path) -> Any:
    """`system.prepare` of the specimens that a process outlives; the others are failures."""
    lost = lost_of(cohort.specimens, folder=folder)
    if lost.empty:
        return system.prepare(cohort, settings, folder)
    kept = tuple(each for each in cohort.specimens if each.row not in set(lost["row"]))
    if not {each.modality for each in cohort.specimens} <= {each.modality for each in kept}:
        raise NotAssessableError(f"none of {len(cohort.specimens)} specimens is left: {DIED}", failures=lost)
    try:
        found = system.prepare(replace(cohort, specimens=kept), settings, folder)
    except NotAssessableError as error:
        every = pd.concat([error.failures, lost], ignore_index=True)
        raise NotAssessableError(str(error), failures=every) from error
    known = found.failures[~found.failures["specimen_id"].isin(lost["specimen_id"])]
    return replace(found, failures=pd.concat([known, lost], ignore_index=True).sort_values("row", kind="stable"))


@lru_cache(maxsize=1)
def _opened(file: str) -> tuple[System[Any, Any], Any, Cohort, dict[str, Specimen]]:
    """System, settings, cohort, and the specimens by the place of their job."""
    context = context_of(file)
    system = find_system(context["reference"])
    cohort = cohort_from_plain(context["cohort"])
    specimens = {
        f"{name} {each.row}": each for name, room in system.rooms.items() for each in cohort.specimens_of(room.modality)
    }
    return system, from_plain(system.settings, context["settings"]), cohort, specimens


def _prepare(job: Job, progress: Any) -> None:
    system, settings, cohort, specimens = _opened(job.given["context"])
    name, folder = job.given["place"].rpartition(" ")[0], Path(context_of(job.given["context"])["folder"])
    one = replace(cohort, specimens=(specimens[job.given["place"]],))
    with suppress(NotAssessableError):  # the ledger of specimens has the reason
        system.rooms[name].prepare(one, settings, folder if system.room is not None else folder / name)


KINDS: Mapping[str, Work] = {"prepare": _prepare}
"""The work of `prepare_jobs`."""
