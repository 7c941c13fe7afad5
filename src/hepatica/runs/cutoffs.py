"""Cutoffs: the score from which on a patient is called high, fixed on patients of training and tuning alone."""

from typing import Any

from hepatica.cohort import patient_scores, targets
from hepatica.evaluate.binary.confusion import balanced_cutoff
from hepatica.protocol import System, Training
from hepatica.runs.scores import median_cutoffs, pooled


def locked_cutoffs(system: System[Any, Any], training: Training[Any, Any]) -> dict[str, float]:
    """Cut-off of each target by the system's rule, for the network as it is now trained.

    Those of training set the median; those of training and tuning, of known outcome, set the balance; no patient sets
    one of simulation.
    """
    tasks, found = system.tasks(training.settings), {}
    rules = {target.key: task.cutoff for task in tasks for target in task.targets if task.cutoff}
    if set(rules.values()) <= {"of_simulation"}:
        return {key: float(training.network.cutoff) for key in rules}
    split = training.split
    patients = split.train if set(rules.values()) == {"median"} else [*split.train, *split.validation]
    material = training.material.select(patient_ids=patients)
    table = pooled(system, system.read(training.network, material, training.settings), settings=training.settings)
    if set(rules.values()) == {"median"}:
        return {key: each for key, each in median_cutoffs(table).items() if key in rules}
    for target in (each for each in targets(table) if each.key in rules):
        label = training.cohort.endpoint(target.endpoint).label(training.cohort.patients, horizon=target.horizon)
        score = patient_scores(table.assign(fold="train", group=None), target=target)["score"]
        known = label.loc[score.index].dropna()
        found[target.key] = balanced_cutoff(known, score=score.loc[known.index])
    return found
