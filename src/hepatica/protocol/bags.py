"""Bags: systems that learn one answer for all rows of a patient or specimen: multiple-instance learning."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Task
from hepatica.learn import Arrays, Bags, Chosen, Loss, Plan, Samples, in_bags, infer
from hepatica.networks.multiple_instance import BagReading
from hepatica.protocol.plain import LOSSES, as_labels, fit_stage, outcomes, scored, scores
from hepatica.protocol.records import Inference, Material, Training

MOST_SIGNED = 64
"""Numbers kept of each row's description; a longer one is projected at random, which keeps distances (ours)."""


@dataclass(frozen=True, kw_only=True)
class BagPlan(Plan):
    """Settings of a system that learns from bags."""

    bag: Literal["patient", "specimen"] = "patient"
    """What has one answer: all regions of a patient, or those of a specimen."""
    rows_drawn: PositiveInt | None = None
    """Regions drawn of each bag, anew in each epoch of training; none: all."""
    rows_read: PositiveInt | None = None
    """Regions that a trained network reads of each bag, drawn once; none: all."""


def bags_of(material: Material, *, settings: BagPlan, most: int | None = None) -> tuple[Bags, pd.Index]:
    """Bags of all rows of a material, in the order of their first row, and the patient_id or specimen_id of each."""
    number, names = pd.factorize(material.index[f"{settings.bag}_id"])
    ends = np.cumsum(np.bincount(number))[:-1]
    members = tuple(np.split(np.argsort(number, kind="stable"), ends))
    return Bags(inputs=material, members=members, most=most, seed=settings.seed), names


def bagged(material: Material, *, outcome: pd.DataFrame, task: Task, settings: BagPlan) -> Samples:
    """A bag for each patient of `outcome`, or each of their specimens, with the patient's outcome."""
    chosen = material.select(patient_ids=outcome.index)
    bags, names = bags_of(chosen, settings=settings, most=settings.rows_drawn)
    owner = chosen.index.drop_duplicates(f"{settings.bag}_id").set_index(f"{settings.bag}_id")
    patients = names if settings.bag == "patient" else owner.loc[names, "patient_id"]
    return Samples(inputs=bags, labels=as_labels(outcome.loc[patients], task=task))


def train_bags(
    training: Training[Any, Any], *, network: Any = None, loss: Loss | None = None, plan: Plan | None = None
) -> dict[str, Any]:
    """Fit the network, or a part of it, to the outcome of each bag; a system's whole `train`.

    Its settings are a `BagPlan`, its network takes bags (`BagNetwork`). The loss is by the kind of task, as in
    `train_plainly`, unless one is given; Cox's has the batch for its risk set, so that a batch of all training patients
    has them all. Images are augmented as the room does.
    """
    outcome, split, settings = outcomes(training.cohort, task=training.task), training.split, training.settings
    there = set(training.material.index["patient_id"])
    known = {name: outcome[outcome.index.isin(there & set(getattr(split, name)))] for name in ("train", "validation")}
    samples = {
        name: bagged(training.material, outcome=each, task=training.task, settings=settings)
        for name, each in known.items()
        if len(each) or name == "train"
    }
    history = fit_stage(
        training,
        "training",
        training.network if network is None else network,
        samples,
        plan=plan,
        augment=in_bags(training.augment) if training.augment else None,
        loss=loss or LOSSES[training.task.KIND],
    )
    return {"epochs": len(history.epochs), "bags": len(samples["train"])}


def infer_bags(network: Any, material: Any, settings: Any, task: Task) -> Inference:
    """Scores of each bag and of the rows read of it; the specimens of a patient's bag have the patient's score.

    One bag is read at a time, `batch` rows at once through `embed`, so that a bag of any size needs little memory.
    A system's whole `infer`, as in `infer=partial(infer_bags, task=task)` or by its room.
    """
    bags, _ = bags_of(material, settings=settings, most=settings.rows_read)
    chosen = [bags.rows(number) for number in range(len(bags))]
    found = [read_bag(network, material, rows, batch=settings.batch, convert=scores(task)) for rows in chosen]
    places = np.concatenate(chosen)
    regions = material.index.iloc[places].assign(score=np.concatenate([each.scores for each, _ in found]))
    signatures = np.concatenate([each for _, each in found])
    owner = material.index.drop_duplicates("specimen_id")[["patient_id", "specimen_id"]]
    bag = {name: number for number, rows in enumerate(bags.members) for name in _names(material, rows)}
    score = np.stack([found[bag[name]][0].logits for name in owner["specimen_id"]])
    order = np.argsort(places, kind="stable")
    return Inference(
        specimens=scored(owner.reset_index(drop=True), score, task=task),
        regions=regions.iloc[order].reset_index(drop=True),
        signatures=signatures[order],
    )


def _names(material: Any, rows: np.ndarray) -> Any:
    return material.index["specimen_id"].iloc[rows].unique()


def read_bag(
    network: Any, material: Any, rows: np.ndarray, *, batch: int, convert: Callable[[Tensor], Tensor]
) -> tuple[BagReading, np.ndarray]:
    """What the network says of the bag of these rows, as arrays without the axis of bags; and of each row, (n, d)."""
    if isinstance(network.embed, nn.Identity):
        embedded = np.asarray(material.read(rows), np.float32)
    else:
        embedded = infer(network.embed, Chosen(inputs=material, rows=rows), batch=batch, label="reading")
    flat = embedded.reshape(len(embedded), -1)
    one = Bags(inputs=Arrays(values=flat), members=(np.arange(len(rows)),))
    judge = _Unflattened(network.judge, embedded.shape[1:])
    read = infer(judge, one, batch=1, label="judging", outputs=lambda read: (convert(read[0]), *read[1:]))
    if flat.shape[1] > MOST_SIGNED:
        flat = np.asarray(
            flat @ np.random.default_rng(0).normal(0, MOST_SIGNED**-0.5, (flat.shape[1], MOST_SIGNED)), np.float32
        )
    return BagReading(*(each[0] for each in read)), np.asarray(flat, np.float32)


class _Unflattened(nn.Module):
    def __init__(self, judge: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.judge, self.shape = judge, shape

    def forward(self, bag: dict[str, Tensor]) -> Any:
        return self.judge(bag["rows"].reshape(*bag["rows"].shape[:2], *self.shape), bag["mask"])
