"""Two-stage: an extractor of signatures, then a head a target on the mean signature of an image."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import Target
from hepatica.learn import Arrays, Loss, Plan, Samples, infer
from hepatica.protocol.plain import fit_stage
from hepatica.protocol.records import Inference, Material, Training

KEYS = ["patient_id", "specimen_id"]


def mean_by_specimen(material: Material, values: np.ndarray) -> pd.DataFrame:
    """Mean over each specimen of its regions' values (regions, d), indexed by patient_id and specimen_id."""
    owner = pd.MultiIndex.from_frame(material.index[KEYS])
    return pd.DataFrame(values, index=owner).groupby(level=KEYS, sort=False).mean()


def read_regions(network: Any, material: Material, *, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Probability of the second class, (regions,), and signature, (regions, d), by the network's extractor."""
    scores, signatures = infer(
        network.extractor,
        material,
        batch=batch,
        label="reading tiles",
        outputs=lambda read: (read.logits.softmax(1)[:, 1], read.signature),
    )
    return scores, signatures


def train_heads(training: Training[Any, Any], *, targets: Sequence[Target], plan: Plan, loss: Loss) -> None:
    """Fit each target's head to the mean signatures of the images of patients whose outcome is known."""
    split, heads = training.split, training.network.heads
    seen = training.material.select(patient_ids=[*split.train, *split.validation])
    signatures = mean_by_specimen(seen, read_regions(training.network, seen, batch=training.settings.batch)[1])
    for target in targets:
        known = training.cohort.label(target).dropna()
        read = known[known.index.isin(signatures.index.get_level_values("patient_id"))]
        folds = {fold: read.index.intersection([*getattr(split, fold)]) for fold in ("train", "validation")}
        samples = {fold: _signed(signatures, read, ids) for fold, ids in folds.items() if len(ids) or fold == "train"}
        fit_stage(training, f"stage 2 {target.key}", heads[target.key], samples, plan=plan, loss=loss)


def _signed(signatures: pd.DataFrame, known: pd.Series, patients: Iterable[str]) -> Samples:
    rows = signatures[signatures.index.isin(known.index.intersection(list(patients)), level="patient_id")]
    label = known.loc[rows.index.get_level_values("patient_id")]
    return Samples(inputs=Arrays(values=rows.to_numpy(np.float32)), labels=label.to_numpy(int))


def infer_two_stage(network: Any, material: Any, *, targets: Sequence[Target], batch: int) -> Inference:
    """Score of each image for each target, score and signature of each region."""
    score, signature = read_regions(network, material, batch=batch)
    images = mean_by_specimen(material, signature)
    inputs = Arrays(values=images.to_numpy(np.float32))
    rows = [
        images.index.to_frame(index=False).assign(
            endpoint=target.endpoint,
            horizon_months=np.nan if target.horizon is None else target.horizon,
            score=_head(network.heads, target, inputs, batch=batch),
        )
        for target in targets
    ]
    return Inference(specimens=pd.concat(rows), regions=material.index.assign(score=score), signatures=signature)


def _head(heads: Mapping[str, Any], target: Target, inputs: Arrays, *, batch: int) -> np.ndarray:
    read: np.ndarray = infer(
        heads[target.key], inputs, batch=batch, label=target.label, outputs=lambda logits: logits.softmax(1)[:, 1]
    )
    return read
