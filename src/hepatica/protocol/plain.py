"""Plain: what most systems do alike: learn each region's outcome, score regions, take the mean of a specimen's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from hepatica.cohort import (
    Classes,
    Cohort,
    CohortError,
    LesionClasses,
    MultiClass,
    SettingsError,
    Survival,
    Task,
    TimeToEvent,
)
from hepatica.cohort.predictions import LESION
from hepatica.learn import Augment, Chosen, History, Loss, Plan, Samples, cox_loss, discrete_risk, infer
from hepatica.learn.samples import Labels
from hepatica.networks import Pooled, backbone
from hepatica.protocol.records import Inference, Material, Standardising, Training
from hepatica.saliency import grad_cam


@dataclass(frozen=True, kw_only=True)
class ImagePlan(Plan):
    """Settings of a network with a convolutional body."""

    body: str = "resnet18.tv_in1k"
    """Convolutional body, by its name in timm."""
    body_shape: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of timm that change the architecture of the body."""
    weights: str = "imagenet"
    """Initial weights of the body: imagenet, random or a .safetensors file."""


def body_of(settings: ImagePlan, *, pretrained: bool, channels: int = 3) -> Any:
    """The body, its weights drawn from torch's generator unless they are read."""
    weights = settings.weights if pretrained else "random"
    return backbone(settings.body, weights=weights, shape=settings.body_shape, channels=channels)


NARROW: Mapping[str, Any] = {"body": "resnet18.tv_in1k", "body_shape": {"channels": [16, 32, 64, 128]}}
"""Settings of a trial of a system whose body is too large for it: a ResNet-18 a quarter as wide (ours)."""


def pooled(settings: Any, *, pretrained: bool, outputs: int | str, channels: int = 3) -> Pooled:
    """The body and a linear layer on the mean of its maps; the same from one seed. A system's whole `build`.

    `outputs`: how many, or the name of the setting that lists them.
    """
    count = len(getattr(settings, outputs)) if isinstance(outputs, str) else outputs
    torch.manual_seed(settings.seed)
    body = body_of(settings, pretrained=pretrained, channels=channels)
    # Of a VGG, which ends in the hidden layers of its head, the width of these.
    width = getattr(body, "head_hidden_size", None) or body.num_features
    return Pooled(body, channels=width, classes=count)


UNKNOWN = -1
"""The label at one of several horizons, or of one of several endpoints, of a patient of whom it is not known."""


def outcomes(cohort: Cohort, *, task: Task) -> pd.DataFrame:
    """What is learnt of each patient whose outcome is known, by patient_id: class (a whole number), or one column a
    horizon (1, 0, or UNKNOWN), or time and event, or the value. Of an endpoint of lesions, the class of each lesion, by
    the columns LESION. SettingsError for another task.
    """
    endpoint, patients = task.require(cohort), cohort.patients.loc[list(task.eligible(cohort))]
    if isinstance(task, MultiClass) and isinstance(endpoint, LesionClasses):
        known = cohort.lesions.set_index(LESION)[[endpoint.lesion]].dropna()
        return known.map(task.classes.index)
    if isinstance(task, MultiClass) and isinstance(endpoint, Classes):
        return patients[[endpoint.column]].map(task.classes.index)
    if isinstance(task, Survival) and isinstance(endpoint, TimeToEvent):
        return patients[[endpoint.time, endpoint.event]].assign(**{endpoint.event: patients[endpoint.event] == 1})
    if task.KIND == "binary":
        labels = pd.DataFrame({each.key: cohort.label(each) for each in task.targets}).dropna(how="all")
        return labels.fillna(UNKNOWN).astype(int if len(task.targets) == 1 else np.float32)
    if task.KIND == "quantities":
        return patients[[*endpoint.columns]].astype(np.float32)
    raise SettingsError(f"a {task.KIND} task has no plain training; write the system's own `train`")


def labelled(material: Material, *, outcome: pd.DataFrame, task: Task) -> Samples:
    """All regions of the patients of `outcome`, each with its patient's, or its lesion's where that is known."""
    chosen: Any = material.select(patient_ids=outcome.index.get_level_values(0))
    if outcome.index.nlevels == 1:
        return Samples(inputs=chosen, labels=as_labels(outcome.loc[chosen.index["patient_id"]], task=task))
    lesions = pd.MultiIndex.from_frame(chosen.index[list(outcome.index.names)])
    known = lesions.isin(outcome.index)
    inputs = Chosen(inputs=chosen, rows=np.flatnonzero(known))
    return Samples(inputs=inputs, labels=as_labels(outcome.loc[lesions[known]], task=task))


def as_labels(outcome: pd.DataFrame, *, task: Task) -> Labels:
    """The rows of `outcomes` as the labels of samples: a class of each, (n,), or numbers (n, …)."""
    values = outcome.to_numpy()
    classes = task.KIND in ("binary", "multi_class") and values.shape[1] == 1
    return values[:, 0].astype(np.int64) if classes else values.astype(np.float32)


def binary_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of two logits (b, 2), or of one, the log-odds (b, 1); or the mean over the known labels (b, k) of
    that of the log-odds (b, k) at each of several horizons.
    """
    if labels.ndim == 2:
        known = labels != UNKNOWN
        return binary_cross_entropy_with_logits(logits[known], labels[known], reduction="sum") / known.sum().clamp(
            min=1
        )
    if logits.shape[1] == 2:
        return cross_entropy(logits, labels)
    return binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))


LOSSES: dict[str, Loss] = {
    "binary": binary_loss,
    "multi_class": cross_entropy,
    "survival": cox_loss,
    "quantities": mse_loss,
}
"""What each kind of task is learnt by."""


def fit_stage(
    training: Training[Any, Any],
    stage: str,
    network: Any,
    samples: Mapping[str, Samples],
    *,
    plan: Plan | None = None,
    augment: Augment | None = None,
    loss: Loss,
) -> History:
    """Fit a network, or a part of it, to the samples of fold `train`, watching those of `validation` if there are any.

    `stage` names the folder of checkpoints and the progress bar; `plan` is by default the settings.
    """
    # Lightning takes seconds to import, which only training needs to pay.
    from hepatica.learn.fit import fit

    plan = training.settings if plan is None else plan
    return fit(
        network,
        samples["train"],
        plan if "validation" in samples else replace(plan, monitor="train_loss"),
        folder=training.folder / stage.lower().replace(" ", "_"),
        label=stage,
        validation=samples.get("validation"),
        augment=augment,
        loss=loss,
        trainer=training.trainer,
    )


def warm_up(
    training: Training[Any, Any],
    network: Any,
    samples: Mapping[str, Samples],
    *,
    plan: Plan,
    augment: Augment | None = None,
    loss: Loss,
) -> None:
    """Fit the network's `body` alone, under average pooling: from random weights many heads hardly learn (ours)."""
    pooled = Pooled(network.body, channels=network.body.num_features)
    fit_stage(training, "warm-up", pooled, samples, plan=plan, augment=augment, loss=loss)


def standardise(training: Training[Any, Any]) -> None:
    """Fix the scale of measured values by the training patients, where the material has such."""
    for part in getattr(training.material, "parts", {"": training.material}).values():
        if isinstance(part, Standardising):
            part.standardise(training.network, patients=training.split.train)


def train_plainly(
    training: Training[Any, Any],
    *,
    outcome: pd.DataFrame | None = None,
    loss: Loss | None = None,
    views: Callable[[Samples], Samples] | None = None,
) -> dict[str, Any]:
    """Fit the network to the `outcome` of each region's patient, by default that of the task; a system's whole `train`.

    Several horizons of one endpoint are learnt together, an output each. The loss is cross-entropy for classes, Cox's
    partial likelihood for survival, squared error for quantities, unless one is given. Images are augmented as the room
    does; values of tables are standardised by the training patients. `views` makes of the training samples what an
    epoch has of them, such as several of each.
    """
    split = training.split
    outcome = outcomes(training.cohort, task=training.task) if outcome is None else outcome
    standardise(training)
    owner = outcome.index.get_level_values(0)
    known = {name: outcome[owner.isin(getattr(split, name))] for name in ("train", "validation")}
    there = set(training.material.index["patient_id"])
    samples = {
        name: labelled(training.material, outcome=each, task=training.task)
        for name, each in known.items()
        if there & set(each.index.get_level_values(0))
    }
    loss = loss or LOSSES[training.task.KIND]
    if views is not None:
        samples["train"] = views(samples["train"])
    history = fit_stage(training, "training", training.network, samples, augment=training.augment, loss=loss)
    return {"epochs": len(history.epochs)}


def scores(task: Task) -> Callable[[Tensor], Tensor]:
    """From logits (b, outputs) to scores (b, columns): probabilities of classes and subtypes, others as they are.

    A binary network has two outputs, of which the second is the event, or one, its log-odds; with several horizons one
    for each. One of survival has one output, or the log-odds of the hazard in each of several intervals.
    """
    if len(task.targets) > 1:
        return lambda logits: logits.sigmoid()
    if task.KIND == "binary":
        return lambda logits: logits.softmax(1)[:, 1:] if logits.shape[1] == 2 else logits.sigmoid()
    if task.KIND == "survival":
        return lambda logits: logits if logits.shape[1] == 1 else discrete_risk(logits)[:, None]
    return (lambda logits: logits.softmax(1)) if task.KIND in ("multi_class", "subtypes") else (lambda logits: logits)


def logits_of(read: Any) -> Tensor:
    """The logits (b, outputs) of a `Reading`, or the output itself."""
    logits: Tensor = getattr(read, "logits", read)
    return logits


def read_scores(network: Any, material: Any, settings: Any, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n, columns) of each region as `scores` has them, and signatures (n, d), else its outputs."""
    convert = scores(task)
    found: tuple[np.ndarray, np.ndarray] = infer(
        network,
        material,
        batch=settings.batch,
        label="reading",
        outputs=lambda read: (convert(logits_of(read)), getattr(read, "signature", read)),
    )
    return found


def infer_regions(network: Any, material: Any, settings: Any, task: Task) -> Inference:
    """Scores of each region, and the mean over the regions of each specimen.

    A region's score is that of the first target, of several classes that of the last one. The network returns logits
    (b, outputs), or a `Reading` of them with a signature.
    """
    score, signature = read_scores(network, material, settings, task)
    keys = ["patient_id", "specimen_id"]
    wide = pd.DataFrame(score).assign(**{each: material.index[each] for each in keys})
    mean = wide.groupby(keys, sort=False).mean()
    specimens = scored(mean.index.to_frame(index=False), mean.to_numpy(), task=task)
    regions = material.index.assign(score=score[:, len(task.classes) - 1 if isinstance(task, MultiClass) else 0])
    return Inference(specimens=specimens, regions=regions, signatures=signature)


def scored(owner: pd.DataFrame, score: np.ndarray, *, task: Task) -> pd.DataFrame:
    """Scores (n, columns) of specimens, whose patient_id and specimen_id are `owner`, as `Inference.specimens` has
    them; SettingsError where the network has more or fewer outputs than the task.
    """
    classes = task.classes if isinstance(task, MultiClass) else (None,)
    columns = [(target, name) for target in task.targets for name in classes]
    if score.shape[1] != len(columns):
        raise SettingsError(
            f"got {score.shape[1]} outputs of the network, wanted {len(columns)} for a {task.KIND} task"
        )
    rows = [
        owner.assign(
            score=score[:, place],
            class_or_quantity=pd.array([name] * len(owner), dtype="string"),
            task=task.KIND,
            endpoint=target.endpoint,
            horizon_months=np.nan if target.horizon is None else target.horizon,
        )
        for place, (target, name) in enumerate(columns)
    ]
    return pd.concat(rows, ignore_index=True)


def log_odds(read: Any) -> Tensor:
    """Log-odds (b,) of the second of two classes, or the highest of several outputs."""
    logits = logits_of(read)
    return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits.max(dim=1).values


def require_both(labels: np.ndarray, *, of: str, hint: str) -> None:
    """CohortError where labels (n,) of 0 and 1 are all alike; `of` is what should learn them, `hint` what to do."""
    if np.unique(labels).size < 2:
        raise CohortError(
            f"got {len(labels)} inputs of training patients for {of}, {int(labels.sum())} of them positive, wanted both"
            f" kinds; {hint}"
        )


def grad_cam_of_body(
    network: Any, images: Any, *, read: Callable[[Any], Tensor], output: int | None = None
) -> np.ndarray:
    """Grad-CAM of a logit at the last feature map of the network's `body`, or of its extractor's.

    `read` makes pixels of images; `output` is the number of the logit: of one or two the last, of more the highest.
    """
    inner = getattr(network, "network", network)  # of a system with several inputs
    inner = getattr(inner, "extractor", inner)
    network = getattr(network, "extractor", network)

    def highest(found: Any) -> Tensor:
        logits = logits_of(found)
        if output is None and logits.shape[1] > 2:
            return logits.max(dim=1).values
        return logits[:, -1 if output is None else output]

    body = inner.get_submodule("body")
    body = getattr(body, "features", body)  # a VGG ends in the hidden layers of its head
    return grad_cam(network, read(images), layer=body, target=highest)
