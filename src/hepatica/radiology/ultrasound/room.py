"""Room: what every system of ultrasound shares: views of masked images in, scores of views and patients out."""

from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from einops import rearrange
from pydantic import Field, PositiveFloat, PositiveInt

from hepatica.cohort import Cohort, Task
from hepatica.learn import Augment, Chosen, Plan, Samples, augmentation
from hepatica.learn.images import as_network_input
from hepatica.protocol.plain import (
    LOSSES,
    fit_stage,
    grad_cam_of_body,
    outcomes,
    read_scores,
    require_both,
    scored,
)
from hepatica.protocol.records import Inference, Room, Training
from hepatica.radiology.lesions.room import repeated
from hepatica.radiology.phantom import phantom_ultrasound
from hepatica.radiology.ultrasound.deliver import decline_ultrasound, deliver_ultrasound
from hepatica.radiology.ultrasound.measures import TOLERANCES
from hepatica.radiology.ultrasound.picture import draw_ultrasound
from hepatica.radiology.ultrasound.store import UltrasoundStore
from hepatica.radiology.ultrasound.store import prepare as prepare_views
from hepatica.radiology.ultrasound.views import Viewing

LESION = 0.5
"""Share of a view that is lesion from which on it is learnt as one (ours)."""


@dataclass(frozen=True, kw_only=True)
class UltrasoundPlan(Plan):
    """Settings of a system of ultrasound."""

    view: Literal["patches", "capsule", "elastogram", "cine"] = "patches"
    """What is read: squares of tissue of B-mode images, alone or with the capsule above them; elastograms; or the
    lesion of a contrast cine.
    """
    side: PositiveInt = 56
    """Pixels of a view's side."""
    pixel_mm: PositiveFloat = 0.5
    """Side of a pixel, mm."""
    step_mm: PositiveFloat = 14.0
    """Distance of neighbouring views, mm."""
    scales: tuple[PositiveFloat, ...] = (1.0,)
    """Widths at which the surroundings of each place are read, as channels, in units of the first."""
    images: PositiveInt = 4
    """Images of a study that are read, the first of the kind."""
    times: PositiveInt = 16
    """Times at which a cine is read, evenly from its first to its last frame."""
    top_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of a study's views, those of the highest score of the last class, whose mean is the study's score."""
    balanced: bool = False
    """Whether each class has as many views in an epoch as the largest."""
    flip: bool = True
    """Whether augmentation mirrors left and right at random."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Largest change of brightness and contrast in augmentation."""
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of the noise of each pixel in augmentation, on 0 to 1."""


def prepare(cohort: Cohort, settings: UltrasoundPlan, folder: Path) -> UltrasoundStore:
    """Views of the cohort's ultrasound."""
    shared = {each.name: getattr(settings, each.name) for each in fields(Viewing) if each.name != "kind"}
    viewing = Viewing(kind=settings.view, **shared)
    return prepare_views(cohort.specimens_of("ultrasound"), viewing=viewing, folder=folder)


def augment(settings: UltrasoundPlan) -> Augment:
    """Mirroring, brightness and contrast, noise; all times of a cine alike."""
    changed = augmentation.compose(
        augmentation.mirror(p=0.5 if settings.flip else 0.0),
        augmentation.jitter(brightness=settings.jitter, contrast=settings.jitter),
        augmentation.noise(sd=settings.noise),
    )
    if settings.view != "cine":
        return changed

    def of_cine(cines: torch.Tensor) -> torch.Tensor:
        times = cines.shape[1]
        return rearrange(changed(rearrange(cines, "b t c y x -> b (t c) y x")), "b (t c) y x -> b t c y x", t=times)

    return of_cine


def measure(store: UltrasoundStore) -> pd.DataFrame:
    """`measures.measured` of each study, by specimen_id."""
    return store.specimens.set_index("specimen_id").reindex(columns=list(TOLERANCES))


def labelled_views(store: UltrasoundStore, outcome: pd.DataFrame, *, lesions: bool) -> Samples:
    """Views with the class of their patient. `lesions`: the last class, 1 of a binary one, is that of a lesion: of its
    patients only views within their outlines are learnt, of others none with a lesion.
    """
    own = store.select(patient_ids=outcome.index)
    label = outcome.iloc[:, 0].loc[own.index["patient_id"]].to_numpy(np.int64)
    share = own.index["lesion"].to_numpy(float)
    kept = np.ones(len(own), bool)
    if lesions:
        kept = np.where(label == outcome.iloc[:, 0].max(), share >= LESION, ~(share > 0))
    return Samples(inputs=Chosen(inputs=own, rows=np.flatnonzero(kept)), labels=label[kept])


def train_views(training: Training[Any, Any], *, lesions: bool) -> dict[str, Any]:
    """Fit the network to the class of each view, with `balanced`; a system's whole `train`."""
    split, outcome = training.split, outcomes(training.cohort, task=training.task)
    samples = {
        name: labelled_views(training.material, outcome[outcome.index.isin(patients)], lesions=lesions)
        for name, patients in (("train", split.train), ("validation", split.validation))
        if patients
    }
    learnt, labels = len(samples["train"]), np.asarray(samples["train"].labels)
    require_both(labels, of="views", hint="outline the lesions of training patients in specimens.csv: mask")
    samples["train"] = repeated(samples["train"], copies=1, even=training.settings.balanced)
    loss = LOSSES[training.task.KIND]
    history = fit_stage(training, "training", training.network, samples, augment=training.augment, loss=loss)
    if hasattr(training.network, "offset"):
        level(training, outcome.iloc[:, 0][outcome.index.isin(split.train)])
    return {"epochs": len(history.epochs), "views learnt": learnt}


def level(training: Training[Any, Any], outcome: pd.Series) -> None:
    """Set the network's `offset` (classes,) so that the mean probabilities of training patients are the shares of their
    classes: the highest of many views is high in everybody, and the last class would be called of all (ours).
    """
    own = training.material.select(patient_ids=outcome.index)
    score, _ = read_scores(training.network, own, training.settings, training.task)
    owner, offset = own.index["patient_id"].to_numpy(), training.network.offset
    found = pooled(score, owner, share=training.settings.top_share)
    wanted = np.bincount(outcome.loc[pd.unique(owner)].to_numpy(int), minlength=len(offset)) / len(found)
    for _ in range(100):  # steps of iterative scaling, which converges
        offset += torch.from_numpy(np.log(wanted.clip(1e-3) / shifted(found, offset.numpy()).mean(axis=0)))


def infer_views(network: Any, material: Any, settings: Any, task: Task) -> Inference:
    """Scores of each view, and of each study by `top_share`."""
    score, signature = read_scores(network, material, settings, task)
    owner = material.index[["patient_id", "specimen_id"]]
    studies = pooled(score, owner["specimen_id"].to_numpy(), share=settings.top_share)
    if hasattr(network, "offset"):
        studies = shifted(studies, network.offset.numpy())[:, -studies.shape[1] :]
    specimens = scored(owner.drop_duplicates().reset_index(drop=True), studies, task=task)
    return Inference(specimens=specimens, regions=material.index.assign(score=score[:, -1]), signatures=signature)


def pooled(score: np.ndarray, owner: np.ndarray, *, share: float) -> np.ndarray:
    """Scores (n, classes) of views as those (studies, classes) of their owners (n,), in order of appearance.

    That of the last class is the mean over the `share` of views where it is highest; those of the others are their
    means, shrunk or stretched so that all sum to 1.
    """
    made = []
    for each in pd.unique(owner):
        own = score[owner == each].astype(float)
        count = max(round(share * len(own)), 1)
        mean, last = own.mean(axis=0), np.sort(own[:, -1])[-count:].mean()
        others = mean[:-1] * (1 - last) / max(1 - mean[-1], 1e-9)
        made.append([*others, last])
    return np.array(made)


def shifted(score: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes), or of the second of two alone (n, 1), after `offset` (classes,) on their logarithms;
    of all classes.
    """
    whole = np.hstack([1 - score, score]) if score.shape[1] == 1 else score
    odds = whole.clip(1e-6) * np.exp(offset)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def as_pixels(views: Any) -> torch.Tensor:
    """Views as a network reads them."""
    pixels: torch.Tensor = as_network_input(torch.from_numpy(views))
    return pixels


ULTRASOUND: Room[UltrasoundPlan, UltrasoundStore] = Room(
    modality="ultrasound",
    region="view",
    extra="radiology",
    plan=UltrasoundPlan,
    trial={"epochs": 10, "batch": 64, "images": 2},
    shortest={"epochs": 2},
    prepare=prepare,
    measure=measure,
    tolerances=TOLERANCES,
    augment=augment,
    infer=infer_views,
    saliency=partial(grad_cam_of_body, read=as_pixels),
    draw=draw_ultrasound,
    deliver=deliver_ultrasound,
    decline=decline_ultrasound,
    phantom=phantom_ultrasound,
)
"""Ultrasound of the liver."""
