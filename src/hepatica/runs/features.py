"""Features: slides described by a frozen encoder, one after the other, into a cohort that no longer needs them."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
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
from hepatica.protocol import as_plain
from hepatica.runs.in_use import in_use

PLAN = FeaturePlan(epochs=1, batch=1, learning_rate=1e-3)
"""How slides are described where nothing else is said; nothing is trained here."""

RECORD = "features.json"
"""Which encoder described the slides, and how they were cut."""

FAILURES = "failures.csv"
"""Slides that gave no features: row of specimens.csv, reason."""

_SETTINGS = ("encoder", "encoder_shape", "side", "mpp", "background", "tiles_per_specimen", "seed", "stain", "made_by")
_FEATURES, _BROUGHT, _KNOWN = "features", ".brought", "known"


def features(
    cohort: Cohort | str | Path, *, out: Path, settings: FeaturePlan = PLAN, limit: int | None = None
) -> tuple[Path, int]:
    """Describe the slides of a cohort folder, the first `limit` or all; `out`, and how many gave no features.

    `out` becomes a cohort folder of the same patients, whose specimens are files of features: `train`, `validate` and
    `predict` read it. It has no heatmaps, no other specimens, and no endpoint of lesions or outlines. A slide that
    lies in a store is brought when its turn comes, the next one meanwhile, and removed after it, so that at most two
    are on the disk. The same call goes on where one was stopped; a slide is brought again only where it has changed.
    A slide that cannot be used is listed in failures.csv and tried again next time.

    CohortError where slides come with features already, or none gives any; RunError where `out` holds features of
    another encoder, or made otherwise; UnavailableError where a store cannot be reached.
    """
    cohort = load_cohort(cohort)
    slides = cohort.specimens_of("slide")[:limit]
    if cohort.folder is None or any(map(brought, slides)):
        raise CohortError("got files, or slides that have features, wanted a cohort folder of slides without")
    settings = complete(cohort, settings)
    with in_use(out):
        _claim(out, cohort, settings)
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
    if (out / RECORD).exists() and read_json(out / RECORD) != wanted:
        raise RunError(f"{out} has features of another cohort or encoder, or made otherwise; choose another --out")
    if not (out / RECORD).exists() and any(not each.name.startswith(".") for each in out.iterdir()):
        raise RunError(f"{out} is not empty and has no {RECORD}; choose an empty folder")
    write_json(out / RECORD, wanted)


def _described(
    slides: Sequence[Specimen], cohort: Cohort, settings: FeaturePlan, out: Path
) -> tuple[dict[str, Specimen], list[tuple[int, str]]]:
    """The slides by the key of their file of features; row and reason of those without."""
    keys: dict[str, Specimen] = {}
    failures: list[tuple[int, str]] = []
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
            if slide.urls:
                write_json(out / _KNOWN / known, {"key": key})
    return keys, failures


def _describe(slide: Specimen, cohort: Cohort, settings: FeaturePlan, out: Path) -> str:
    store = prepare(replace(cohort, specimens=(slide,)), settings, out / _FEATURES, progress=False)
    return str(store.specimens["key"].item())


def _brought(slides: Sequence[Specimen], out: Path) -> Iterator[tuple[Specimen, "Future[tuple[str, Specimen]]"]]:
    """Each slide, with what will be the name of its record and its files on this machine until the next is asked for.

    The next one is brought meanwhile.
    """
    folder = out / _BROUGHT

    def bring(slide: Specimen) -> tuple[str, Specimen]:
        local = [path for name, path in {"path": slide.path, **slide.attachments}.items() if name not in slide.urls]
        own: list[object] = [version("hepatica"), version_of(slide), sorted(slide.urls.items()), slide.mpp]
        own += [slide.force_mpp, sorted(slide.extra.items()), [content_digest(path).hex() for path in local]]
        known = f"{hashlib.sha256(json.dumps(own).encode()).hexdigest()[:32]}.json"
        return known, slide if _known(out, known) else bring_beside(slide, folder)

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
