"""Features: slides described by a frozen encoder, one by one, into a cohort that no longer needs them."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from hepatica.cohort import Cohort, CohortError, NotAssessableError, RunError, Specimen, SpecimenError, load_cohort
from hepatica.cohort.atomic import parse_toml, read_json, replacing, write_json, write_table, write_text
from hepatica.cohort.digests import content_digest
from hepatica.cohort.endpoints import LesionClasses, Outlined
from hepatica.cohort.head import FILE
from hepatica.cohort.preparation import tracked
from hepatica.cohort.remote import bring_beside, place_of, version_of
from hepatica.cohort.specimens import MD5, REGION
from hepatica.pathology.features.feature_file import open_features
from hepatica.pathology.features.feature_store import brought
from hepatica.pathology.features.room import FeaturePlan, complete, prepare
from hepatica.protocol import as_plain, from_plain
from hepatica.runs.engine import ALONE, Engine, Shared
from hepatica.runs.in_use import in_use
from hepatica.runs.inputs import cohort_as_plain, cohort_from_plain
from hepatica.runs.jobs import Job
from hepatica.runs.spread import Item, context_of, lost_of, set_aside, spread
from hepatica.runs.workers import Work

PLAN = FeaturePlan(epochs=1, batch=1, learning_rate=1e-3)
"""How slides are described where nothing else is said; nothing is trained here."""

RECORD = "features.json"
"""Which encoder described the slides, and how they were cut."""

FAILURES = "failures.csv"
"""Slides that gave no features: row of specimens.csv, reason."""

_SETTINGS = ("encoder", "encoder_shape", "side", "mpp", "background", "tiles_per_specimen", "seed", "stain", "made_by")
_FEATURES, _BROUGHT, _KNOWN, _PREPARED = "features", ".brought", "known", "prepared"
_ASKED_AT_ONCE = 8  # stores, for what they say of a slide


def features(
    cohort: Cohort | str | Path,
    *,
    out: Path,
    settings: FeaturePlan = PLAN,
    limit: int | None = None,
    engine: Engine = ALONE,
) -> tuple[Path, int]:
    """Describe the slides of a cohort folder, the first `limit` or all; `out`, and how many gave no features.

    `out` becomes a cohort folder of the same patients, whose specimens are files of features: `train`, `validate` and
    `predict` read it. It has no heatmaps, no other specimens, and no endpoint of lesions or outlines. A slide that
    lies in a store is brought when its turn comes, the next one meanwhile, and removed after it, so that at most two
    are on the disk. The same call goes on where one was stopped; a slide is brought again only where it has changed.
    A slide that cannot be used is listed in failures.csv and tried again next time.

    By jobs of an `engine` each slide is brought and described by itself, one for each process on the disk; one that no
    process outlives is listed too, and not tried again.

    CohortError where slides come with features already, or none gives any; RunError where `out` holds features of
    another encoder, or made otherwise; UnavailableError where a store cannot be reached.
    """
    cohort = load_cohort(cohort)
    slides = cohort.specimens_of("slide")[:limit]
    if cohort.folder is None or any(map(brought, slides)):
        raise CohortError("got files, or slides that have features, wanted a cohort folder of slides without")
    settings = complete(cohort, settings)
    with in_use(out, shared=engine.share):
        _claim(out, cohort, settings)
        if not engine.alone:
            _by_jobs(slides, cohort, settings, out, engine=engine)
        keys, failures = _described(slides, cohort, settings, out)
        lost = pd.DataFrame(failures, columns=["row", "reason"])
        write_table(out / FAILURES, lost)
        if not keys:
            raise CohortError(f"none of {len(slides)} slides gave features; row {lost.row[0]}: {lost.reason[0]}")
        _write_cohort(cohort, keys, out)
    return out, len(lost)


def _claim(out: Path, cohort: Cohort, settings: FeaturePlan) -> None:
    """Write down how the features of `out` are made; RunError where they were made otherwise."""
    plain = as_plain(settings)
    wanted = {"hospital": cohort.hospital, **{name: plain[name] for name in _SETTINGS if name in plain}}
    there = [each for each in out.iterdir() if not each.name.startswith(".")]  # before: another share may begin
    if (out / RECORD).exists() and read_json(out / RECORD) != wanted:
        raise RunError(f"{out} has features of another cohort or encoder, or made otherwise; choose another --out")
    if there and not (out / RECORD).exists():
        raise RunError(f"{out} is not empty and has no {RECORD}; choose an empty folder")
    write_json(out / RECORD, wanted)


def _described(
    slides: Sequence[Specimen], cohort: Cohort, settings: FeaturePlan, out: Path
) -> tuple[dict[str, Specimen], list[tuple[int, str]]]:
    """The slides by the key of their file of features; row and reason of those without."""
    keys: dict[str, Specimen] = {}
    lost = lost_of(slides, folder=out / _PREPARED, content=_of_all)
    failures: list[tuple[int, str]] = list(zip(lost["row"], lost["error"], strict=True))
    slides = [each for each in slides if each.row not in set(lost["row"])]
    for slide, coming in tracked(_brought(slides, out), "Describing slides", len(slides)):
        try:
            known, here = coming.result()
            key = _known(out, known) or _describe(here, cohort, settings, out)
            if key in keys:
                raise SpecimenError("the same slide is in another row, which has its features")
        except NotAssessableError as error:
            failures.append((slide.row, error.failures["error"].iloc[0]))
        except SpecimenError as error:
            failures.append((slide.row, str(error)))
        else:
            keys[key] = slide
            _note(slide, known, key, out)
    return keys, sorted(failures)


def _describe(slide: Specimen, cohort: Cohort, settings: FeaturePlan, out: Path) -> str:
    store = prepare(replace(cohort, specimens=(slide,)), settings, out / _FEATURES, progress=False)
    return str(store.specimens["key"].item())


def _note(slide: Specimen, known: str, key: str, out: Path) -> None:
    if slide.urls:
        write_json(out / _KNOWN / known, {"key": key})


def _by_jobs(slides: Sequence[Specimen], cohort: Cohort, settings: FeaturePlan, out: Path, *, engine: Engine) -> None:
    """A job for each slide that has no features yet; raise `Shared` where this was a share."""
    folder = out / _PREPARED
    lost = set(lost_of(slides, folder=folder, content=_of_all)["row"])
    left = [each for each in slides if each.row not in lost]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        found = list(zip(left, pool.map(_record_or_none, left), strict=True))
    items = [
        Item(place=str(slide.row), specimens=[slide], content=known)
        for slide, known in found
        if known and not _known(out, known)
    ]
    context = {
        "cohort": cohort_as_plain(cohort),
        "settings": as_plain(settings),
        "out": str(out.absolute()),
        "digest": cohort.digest,
    }
    own: dict[str, Any] = {"context": context, "kinds": f"{__name__}:KINDS", "folder": folder, "engine": engine}
    died = spread("features", items, **own, label="Describing slides")
    set_aside([each for item in died for each in item.specimens], folder=folder, content=_of_all)
    if engine.share:
        raise Shared


def _record_or_none(slide: Specimen) -> str:
    """The name of a slide's record; "" where it has none, for which there will be a reason when it is brought."""
    try:
        return _record(slide)
    except SpecimenError:
        return ""


@lru_cache(maxsize=1)
def _opened(file: str) -> tuple[Cohort, FeaturePlan, dict[str, Specimen]]:
    """The cohort, the settings, and the slides by the place of their job."""
    context = context_of(file)
    cohort = cohort_from_plain(context["cohort"])
    slides = {str(each.row): each for each in cohort.specimens_of("slide")}
    return cohort, from_plain(PLAN, context["settings"]), slides


def _bring_and_describe(job: Job, progress: Any) -> None:
    cohort, settings, slides = _opened(job.given["context"])
    out, slide = Path(context_of(job.given["context"])["out"]), slides[job.given["place"]]
    own = out / _BROUGHT / job.given["place"]
    try:
        with suppress(NotAssessableError, SpecimenError):  # the call finds the reason again
            known = _record(slide)
            _note(slide, known, _describe(bring_beside(slide, own), cohort, settings, out), out)
    finally:
        shutil.rmtree(own, ignore_errors=True)


KINDS: Mapping[str, Work] = {"features": _bring_and_describe}
"""The work of `_by_jobs`."""


def _brought(slides: Sequence[Specimen], out: Path) -> Iterator[tuple[Specimen, "Future[tuple[str, Specimen]]"]]:
    """Each slide, with what will be the name of its record and its files on this machine until the next is asked for.

    The next one is brought meanwhile.
    """
    folder = out / _BROUGHT

    def bring(slide: Specimen) -> tuple[str, Specimen]:
        known = _record(slide)
        return known, slide if _known(out, known) else bring_beside(slide, folder)

    if not slides:
        return
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(bring, slides[0])
        for after, slide in enumerate(slides, start=1):
            now = coming
            coming = pool.submit(bring, slides[after]) if after < len(slides) else now
            yield slide, now
            needed = slides[after].urls.values() if after < len(slides) else ()
            for url in set(slide.urls.values()).difference(needed):
                shutil.rmtree(place_of(url, folder).parent, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _record(slide: Specimen) -> str:
    """The name of the record of a slide's features: another one where any of its files is. Errors as `version_of`."""
    local = [path for name, path in {"path": slide.path, **slide.attachments}.items() if name not in slide.urls]
    own: list[object] = [version("hepatica"), version_of(slide), sorted(slide.urls.items()), slide.mpp]
    own += [slide.force_mpp, sorted(slide.extra.items()), [content_digest(path).hex() for path in local]]
    return f"{hashlib.sha256(json.dumps(own).encode()).hexdigest()[:32]}.json"


def _of_all(slides: Sequence[Specimen]) -> str:
    return " ".join(map(_record_or_none, slides))


def _known(out: Path, known: str) -> str:
    """The key of features that an earlier call has made of the same files; "" where there are none."""
    path = out / _KNOWN / known
    key = read_json(path)["key"] if path.exists() else ""
    return key if key and open_features(out / _FEATURES / f"{key}.h5") else ""


def _write_cohort(cohort: Cohort, keys: dict[str, Specimen], out: Path) -> None:
    """The tables of the cohort with files of features as its specimens; cohort.toml last, which makes it complete."""
    source, further = (
        Path(cohort.folder or ""),
        [each for table in cohort.tables.values() for each in (table.path, table.names)],
    )
    for path in (source / "patients.csv", *filter(None, further)):
        with replacing(out / path.relative_to(source)) as temporary:
            shutil.copyfile(path, temporary)
    rows = [
        {"patient_id": each.patient_id, "specimen_id": each.specimen_id, "modality": "slide", "path": f"{key}.h5"}
        | {name: text for name, text in each.extra.items() if name not in (MD5, *REGION)}
        for key, each in keys.items()
    ]
    write_table(out / "specimens.csv", pd.DataFrame(rows))
    write_text(out / FILE, tomli_w.dumps(_head(cohort, parse_toml((source / FILE).read_text(encoding="utf-8-sig")))))


def _head(cohort: Cohort, declared: dict[str, Any]) -> dict[str, Any]:
    lost = {name for name, each in cohort.endpoints.items() if isinstance(each, LesionClasses | Outlined)}
    kept = {name: each for name, each in declared.get("endpoints", {}).items() if name not in lost}
    notes = f"{declared.get('notes', '')} Features of its slides, see {RECORD}.".strip()
    own = {name: each for name, each in declared.items() if name not in ("attachments", "endpoints")}
    return own | {"specimen_root": _FEATURES, "notes": notes} | ({"endpoints": kept} if kept else {})
