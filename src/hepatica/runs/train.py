"""Train: a cohort and a system in, a run folder with a locked model, its cut-offs and internal results out."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from hepatica.cohort import (
    Cohort,
    CohortError,
    RunError,
    Split,
    Target,
    load_cohort,
    patient_scores,
    split_patients,
    targets,
)
from hepatica.cohort.atomic import read_json
from hepatica.cohort.digests import contents, refuse_replaced
from hepatica.cohort.seal import unaltered, write_sealed
from hepatica.evaluate.binary.confusion import balanced_cutoff
from hepatica.learn.launch import Meeting
from hepatica.protocol import System, Training
from hepatica.protocol.domain import learn
from hepatica.runs.engine import ALONE, Engine
from hepatica.runs.folder import RunFolder, start_run
from hepatica.runs.in_use import in_use
from hepatica.runs.inputs import files_of
from hepatica.runs.lock import LockedRun, keyed, lock, open_run, patient_digest, refuse_shared_files, unprepared
from hepatica.runs.ranks import fit_by_ranks, join, training_of
from hepatica.runs.results import write_results
from hepatica.runs.scores import median_cutoffs, pooled
from hepatica.runs.spread import do_share, prepare
from hepatica.systems import reference

FEWEST = 10
"""Training patients of each outcome below which not even one variable can be learnt (Peduzzi 1995, doi
10.1016/0895-4356(95)00048-8)."""


def train(
    system: System[Any, Any],
    cohort: Cohort | str | Path,
    *,
    run: Path,
    settings: Any = None,
    trainer: Mapping[str, Any] | None = None,
    prepared: Path | None = None,
    engine: Engine = ALONE,
    processes: int = 1,
    meeting: Meeting | None = None,
) -> LockedRun:
    """Train `system` on a cohort and lock it; a run that was stopped goes on where it stood, a finished one is read.

    The test patients are dealt and written down first; nothing is chosen or fitted on them. `trainer` are flags of
    Lightning's Trainer, such as devices; `prepared` is a folder of prepared specimens to share with other runs, by
    default the run's own; `engine` prepares them; `processes` of this machine fit one network together, or, of a
    `meeting`, so many of each machine: the same call on each, of which the first locks the model and the others then
    raise `Shared`. Raises CohortError when the cohort cannot be used, RunError when `run` belongs to another training,
    or another process is at it, UnavailableError where the processes die again and again.
    """
    cohort = load_cohort(cohort)
    settings = system.completed(cohort, system.settings if settings is None else settings)
    folder = RunFolder(run)
    begin = partial(
        start_run,
        folder,
        reference=reference(system, settings=settings),
        system=system,
        settings=settings,
        cohort=cohort,
    )
    if meeting is not None and not meeting.is_here:
        join(folder, processes=processes, meeting=meeting, check=begin)
    place = prepared or folder.prepared
    if engine.share:
        do_share(system, cohort, settings, place, engine=engine)
    with in_use(run):
        begin()
        together: dict[str, Any] = {"engine": engine, "processes": processes, "meeting": meeting}
        return _trained(folder, system, cohort, settings, trainer=trainer or {}, prepared=place, **together)


def _trained(
    folder: RunFolder,
    system: System[Any, Any],
    cohort: Cohort,
    settings: Any,
    *,
    trainer: Mapping[str, Any],
    prepared: Path,
    engine: Engine,
    processes: int,
    meeting: Meeting | None,
) -> LockedRun:
    _refuse_replaced(folder, system, cohort)
    split = _split(folder, system, settings, cohort)
    if not folder.model.exists():
        network = system.build(settings, pretrained=True)  # first: weights that are missing are reported in seconds
        material = prepare(system, cohort, settings, prepared, engine=engine)
        if processes > 1 or meeting:
            own: dict[str, Any] = {"trainer": trainer, "prepared": prepared}
            fit_by_ranks(folder, system, cohort, settings, processes=processes, meeting=meeting, **own)
        training = training_of(folder, system, cohort, settings, network=network, material=material, trainer=trainer)
        _fit_and_lock(folder, system, training)
    locked = open_run(folder.path)
    if locked.seen & {patient_digest(cohort.hospital, patient) for patient in split.test}:
        raise RunError(f"{folder.split} names test patients the model was trained on; it was changed, train again")
    folds = split.folds().reindex(cohort.patients.index).fillna("set_aside")
    reported = ("test", "set_aside")
    write_results(locked, cohort=cohort, folds=folds, out=folder.path, reported_folds=reported, prepared=prepared)
    return locked


def _refuse_replaced(folder: RunFolder, system: System[Any, Any], cohort: Cohort) -> None:
    """Write down what the specimens hold, or find it the same: the stages of a training must learn the same files."""
    files = files_of(system, cohort)
    now = contents(files)
    refuse_shared_files(unprepared(files, now), cohort)
    if folder.contents.exists():
        refuse_replaced(now, read_json(unaltered(folder.contents)), since="the training began")
    else:
        write_sealed(folder.contents, now)


def _split(folder: RunFolder, system: System[Any, Any], settings: Any, cohort: Cohort) -> Split:
    """Deal the eligible patients once, stratified as their task says; read it ever after."""
    if not folder.split.exists():
        every = [cohort.specimens_of(room.modality) for room in system.rooms.values()]
        with_files = set.intersection(*({each.patient_id for each in specimens} for specimens in every))
        chosen = [patient for patient in system.trainable(cohort, settings) if patient in with_files]
        if not chosen:
            raise CohortError(
                f"cohort {cohort.name} has no patient with a specimen on whom {system.name} may be trained"
            )
        task = system.tasks(settings)[0]
        task.refuse_absent(cohort, chosen)
        strata, shares = task.strata(cohort).loc[chosen], {"validation": settings.validation, "test": settings.test}
        dealt = split_patients(strata, **shares, seed=settings.seed, classes=task.CLASSES)
        dealt.write(folder.split)
    return Split.read(folder.split)


def _fit_and_lock(folder: RunFolder, system: System[Any, Any], training: Training[Any, Any]) -> None:
    network, material, split = training.network, training.material, training.split
    refuse_shared_files(keyed(material), training.cohort)
    folder.log("prepared", specimens=len(material.specimens))
    record = system.train(training)
    record |= _caution(training, record.get("caution")) | {
        "trainer flags": ", ".join(f"{name}={value}" for name, value in training.trainer.items()) or "none",
        "processor threads": torch.get_num_threads(),
    }
    cutoffs = locked_cutoffs(system, training)
    seen = [*split.train, *split.validation]
    lock(
        folder,
        network=network,
        cutoffs=cutoffs,
        cohort=training.cohort,
        seen=seen,
        material=material,
        domain=learn(system, material, patients=seen),
        training=record,
    )


def _caution(training: Training[Any, Any], own: str | None) -> dict[str, str]:
    """What the report and the command say of the training: the system's own caution, and of too few patients."""
    counts = training.task.strata(training.cohort).loc[list(training.split.train)].value_counts()
    few = (
        f"trained on {counts.sum()} patients, only {counts.min()} of them of the"
        f" {'rarest' if len(counts) > 2 else 'rarer'} outcome of"
        f" {training.task.endpoint.replace('_', ' ')}: from fewer than {FEWEST} hardly one variable can be learnt"
    )
    texts = [own, few if len(counts) > 1 and counts.min() < FEWEST else None]
    return {"caution": "; ".join(filter(None, texts))} if any(texts) else {}


def locked_cutoffs(system: System[Any, Any], training: Training[Any, Any]) -> dict[str, float]:
    """Cut-off of each target by the system's rule, for the network as it is now trained.

    Those of training set the median; those of training and tuning, of known outcome, set the balance; no patient sets
    one of simulation.
    """
    tasks = system.tasks(training.settings)
    rules = {target.key: task.cutoff for task in tasks for target in task.targets if task.cutoff}
    found = {key: float(training.network.cutoff) for key, rule in rules.items() if rule == "of_simulation"}
    if len(found) == len(rules):
        return found
    split = training.split
    patients = [*split.train, *split.validation] if "balanced" in rules.values() else split.train
    material = training.material.select(patient_ids=patients)
    table = pooled(system, system.read(training.network, material, training.settings), settings=training.settings)
    medians = median_cutoffs(table[table["patient_id"].isin(split.train)])
    for target in (each for each in targets(table) if rules.get(each.key) in ("median", "balanced")):
        median = rules[target.key] == "median"
        found[target.key] = medians[target.key] if median else _balance(training, table, target)
    return found | {key: found[next(iter(rules))] for key, rule in rules.items() if rule == "first"}


def _balance(training: Training[Any, Any], table: pd.DataFrame, target: Target) -> float:
    label = training.cohort.label(target)
    score = patient_scores(table.assign(fold="train", group=None), target=target)["score"]
    known = label.loc[score.index].dropna()
    return balanced_cutoff(known, score=score.loc[known.index])
