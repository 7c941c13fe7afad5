"""Cutoffs: the rule of the system, on patients of training and tuning alone."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from hepatica.cohort import (
    Binary,
    Quantities,
    Split,
    Survival,
    load_cohort,
    mean_by_patient,
    patient_scores,
    read_predictions,
    targets,
)
from hepatica.cohort.atomic import read_json
from hepatica.evaluate.binary.confusion import balanced_cutoff
from hepatica.protocol import Training
from hepatica.runs import open_run
from hepatica.runs.train import locked_cutoffs


def test_median_is_that_of_the_training_patients(trained) -> None:
    table = read_predictions(trained.run / "predictions.parquet")
    for target in targets(table):
        scores = patient_scores(table, target=target, fold="train")["score"]
        assert read_json(trained.run / "cutoffs.json")[target.key] == pytest.approx(scores.median())


def test_balance_is_that_of_training_and_tuning_patients(trained_ct) -> None:
    table = read_predictions(trained_ct.run / "predictions.parquet")
    label = load_cohort(trained_ct.cohort).patients["hcc"]
    target = targets(table)[0]
    scores = patient_scores(table, target=target)
    seen = scores[scores["fold"].isin(["train", "validation"])]["score"]
    wanted = balanced_cutoff(label.loc[seen.index], score=seen)
    assert read_json(trained_ct.run / "cutoffs.json") == {"hcc": pytest.approx(wanted)}


def test_rule_is_the_system_s(trained_ct) -> None:
    locked = open_run(trained_ct.run)
    cohort = load_cohort(trained_ct.cohort)
    training = Training(
        network=locked.network,
        material=locked.system.prepare(cohort, locked.settings, trained_ct.run / "prepared"),
        cohort=cohort,
        split=Split.read(trained_ct.run / "splits.csv"),
        settings=locked.settings,
        folder=trained_ct.run / "work",
        trainer={},
        task=locked.system.tasks(locked.settings)[0],
    )
    median, balanced = (
        locked_cutoffs(replace(locked.system, task=Binary("hcc", rule=rule)), training)["hcc"]
        for rule in ("median", "balanced")
    )
    table = read_predictions(trained_ct.run / "predictions.parquet")
    scores = patient_scores(table, target=targets(table)[0], fold="train")["score"]
    assert median == pytest.approx(scores.median())
    assert balanced == pytest.approx(locked.cutoffs["hcc"])


def test_one_of_simulation_is_the_network_s_own_and_looks_at_no_patient(trained_ct) -> None:
    locked = open_run(trained_ct.run)
    network = SimpleNamespace(cutoff=torch.tensor(0.625, dtype=torch.float64))
    training = SimpleNamespace(network=network, settings=locked.settings)
    system = replace(locked.system, task=Binary("hcc", rule="of_simulation"))
    assert locked_cutoffs(system, training) == {"hcc": 0.625}


@pytest.mark.parametrize(
    ("second", "cutoffs"),
    [(Quantities("fat"), {"hcc": 0.3}), (Survival("death", rule="first"), {"hcc": 0.3, "death": 0.3})],
)
def test_a_task_without_a_rule_has_no_cutoff_and_another_that_of_the_first(second, cutoffs) -> None:
    asked = (Binary("hcc"), second)
    scores = pd.DataFrame(
        {"patient_id": ["P1", "P2", "P3"], "specimen_id": ["S1", "S2", "S3"], "score": [0.1, 0.3, 0.4]}
    )
    rows = [
        scores.assign(endpoint=each.endpoint, horizon_months=each.targets[0].horizon, task=each.KIND) for each in asked
    ]
    system = SimpleNamespace(
        tasks=lambda settings: asked,
        targets=lambda settings: tuple(target for task in asked for target in task.targets),
        read=lambda network, material, settings: SimpleNamespace(specimens=pd.concat(rows), lesions=None),
        pool=mean_by_patient,
    )
    training = SimpleNamespace(
        network=None,
        material=SimpleNamespace(select=lambda patient_ids: None),
        split=SimpleNamespace(train=["P1", "P2", "P3"]),
        settings=None,
    )
    assert locked_cutoffs(system, training) == cutoffs
