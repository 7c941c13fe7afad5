"""Lock: weights and cut-offs fixed by their digests, and opened only as they were locked."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hepatica.cohort import Cohort, CohortError, RunError, SettingsError, Specimen
from hepatica.cohort.applicability import Domain
from hepatica.cohort.atomic import read_json, write_json
from hepatica.cohort.digests import CONTENT, file_digest
from hepatica.cohort.faults import rows_in_words
from hepatica.cohort.preparation import content_of, overlapping
from hepatica.cohort.seal import file_state, seal_states, write_sealed
from hepatica.protocol import Material, ModelIdentity, System, from_plain, override
from hepatica.runs.folder import FORMAT, RunFolder, read_settings, refuse_other_format
from hepatica.systems import find_system

if TYPE_CHECKING:  # torch is loaded where weights are: a report, and the pages, verify a lock without it
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class LockedRun:
    """A trained system, ready to be used on patients it has not seen.

    `domain` is what the training specimens measured, by input. `seen` are digests of the patients of training and
    validation, `seen_files` those of their specimens' content, with the places of regions. `caution` is what a user
    must know of its training, empty where there is nothing.
    """

    folder: RunFolder
    system: System[Any, Any]
    settings: Any
    network: "nn.Module"
    cutoffs: dict[str, float]
    domain: Mapping[str, Domain]
    digest: str
    phantom: bool
    seen: frozenset[str]
    seen_files: frozenset[str]
    caution: str = ""


def keyed(material: Any) -> pd.DataFrame:
    """patient_id, specimen_id, key and content, with the place of a region, of every specimen that was read, of all
    inputs, of the material's patients.
    """
    patients = set(material.specimens["patient_id"])
    parts = getattr(material, "parts", {"": material}).values()
    every = pd.concat([each.specimens for each in parts], ignore_index=True)
    own = every[every["patient_id"].isin(patients)].reindex(columns=["patient_id", "specimen_id", "key", "place"])
    return pd.DataFrame(own.assign(content=content_of(own["key"]) + own.pop("place").fillna("")))


def unprepared(specimens: Sequence[Specimen], contents: Mapping[str, str]) -> pd.DataFrame:
    """The same but for keys, by the digests of `contents`, of those that are whole files."""
    whole = [each for each in specimens if "region" not in each.attachments]
    rows = [(each.patient_id, each.specimen_id, contents[str(each.row)][:CONTENT]) for each in whole]
    return pd.DataFrame(rows, columns=["patient_id", "specimen_id", "content"])


def patient_digest(hospital: str, patient_id: str) -> str:
    """Digest by which a run knows the patients it has seen; it hides a name, not one that can be guessed."""
    return hashlib.sha256(f"{hospital}\0{patient_id}".encode()).hexdigest()[:32]


def lock(
    folder: RunFolder,
    *,
    network: "nn.Module",
    cutoffs: dict[str, float],
    cohort: Cohort,
    seen: Sequence[str],
    material: Material,
    domain: Mapping[str, Any],
    training: dict[str, Any],
) -> None:
    """Write weights, cut-offs and domain, then model.json with their digests; from here on nothing of it changes.

    `seen` are the patients of training and validation, whose specimens are found in `material`.
    """
    from hepatica.learn import save_weights

    save_weights(network, folder.weights)
    write_json(folder.cutoffs, cutoffs)
    write_json(folder.domain, domain)
    files = (folder.settings, folder.weights, folder.cutoffs, folder.domain, folder.split)
    record = {
        "format": FORMAT,
        "phantom": cohort.phantom,
        "parameters": sum(each.numel() for each in network.parameters()),
        "sha256": {file.name: file_digest(file) for file in files},
        "training": training,
        "seen": sorted(patient_digest(cohort.hospital, patient) for patient in seen),
        "seen_files": sorted(set(keyed(material.select(patient_ids=seen))["content"])),
    }
    write_sealed(folder.model, record)
    folder.log("locked", parameters=record["parameters"])


def verify_lock(folder: RunFolder) -> dict[str, Any]:
    """What model.json says, once its files are found unchanged; RunError when one was altered or is missing.

    The split may be missing: a model is handed on without it.
    """
    if not folder.model.exists():
        read_settings(folder)  # a folder that is no run is named as one
        raise RunError(
            f"{folder.path} has no locked model yet; finish it with the hepatica train command it was started with"
        )
    record: dict[str, Any] = read_json(folder.model)
    refuse_other_format(folder, record)
    for name, state in lock_states(folder, record).items():
        if state == "changed" or (state == "missing" and name != folder.split.name):
            path = folder.path / name
            raise RunError(f"{path} is missing or was changed after the model was locked; restore it or train again")
    return record


def lock_states(folder: RunFolder, record: dict[str, Any]) -> dict[str, str]:
    """`unchanged`, `changed` or `missing` of model.json and of each file that it locks, by name.

    Of model.json `not checked` where the model was handed on without digests.json.
    """
    model = folder.model.name
    return {model: seal_states(folder.path).get(model, "not checked")} | {
        name: file_state(folder.path / name, digest) for name, digest in record["sha256"].items()
    }


def open_run(path: Path) -> LockedRun:
    """Open a locked run; RunError when it is unfinished, altered since it was locked, or of another version."""
    from hepatica.learn import load_weights

    folder = RunFolder(path)
    head = read_settings(folder)
    record = verify_lock(folder)
    system = find_system(head["reference"])
    settings = from_plain(system.settings, head["settings"])
    network = system.build(settings, pretrained=False)
    load_weights(network, folder.weights)
    return LockedRun(
        folder=folder,
        system=system,
        settings=settings,
        network=network,
        cutoffs=read_json(folder.cutoffs),
        domain=read_json(folder.domain),
        digest=file_digest(folder.model),
        phantom=record["phantom"],
        seen=frozenset(record["seen"]),
        seen_files=frozenset(record["seen_files"]),
        caution=record["training"].get("caution", ""),
    )


def identity(locked: LockedRun) -> ModelIdentity:
    """Which model this is, for those who get its results without the run."""
    return ModelIdentity(
        system=locked.system.name,
        version=version("hepatica"),
        digest=locked.digest,
        doi=locked.system.paper.doi,
        note=picture_note(locked),
    )


def picture_note(locked: LockedRun) -> str:
    """The note printed on every picture and result of this model."""
    return "phantom-trained model: not for clinical use" if locked.phantom else "research use only"


def changed(locked: LockedRun, changes: Mapping[str, Any]) -> LockedRun:
    """The same model, reading specimens otherwise; SettingsError for a change of anything but how much is read."""
    refused = sorted(changes.keys() - set(locked.system.adjustable))
    if refused:
        allowed = ", ".join(locked.system.adjustable) or "none"
        raise SettingsError(f"{', '.join(refused)}: locked with the model; settings that may differ here: {allowed}")
    return replace(locked, settings=override(locked.settings, changes))


def refuse_shared_files(specimens: pd.DataFrame, cohort: Cohort) -> None:
    """CohortError when one file or scan, or a place on it, is listed under two patients: it would leak from one fold
    into another. `specimens` are those of `keyed`, or of `unprepared`.
    """
    owners = specimens.groupby(specimens["content"].str[:CONTENT])["patient_id"].transform("nunique")
    shared = {
        each.specimen_id
        for _, own in specimens[owners > 1].groupby(specimens["content"].str[:CONTENT])
        for each in own.itertuples()
        if overlapping([str(each.content)], own.loc[own["patient_id"] != each.patient_id, "content"])
    }
    if shared:
        rows = [each.row for each in cohort.specimens if each.specimen_id in shared]
        raise CohortError(
            f"specimens.csv {rows_in_words(rows)}: files of the same specimen (identical bytes, or one scan by its own"
            " identifier), or regions of it that overlap, are listed under two patients; correct or remove these rows"
        )
