"""Cutoffs: the score from which on a patient is called high, fixed on patients of training and tuning alone."""

from typing import Any

import pandas as pd

from hepatica.cohort import Target, patient_scores, targets
from hepatica.evaluate.binary.confusion import balanced_cutoff
from hepatica.protocol import System, Training
from hepatica.runs.scores import median_cutoffs, pooled


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
