"""Landmarks: samples of a patient at a time of follow-up, and whether the event comes within a window after it.

A sample (patient, t) is read up to t and learns whether the event comes in (t, t + window]. For results each patient is
judged once, at the landmark of the settings, so that patients are counted, and not their visits.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from hepatica.cohort import Cohort, CohortError, TimeToEvent
from hepatica.cohort.units import Months
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.observed import censoring
from hepatica.learn import Plan, Samples
from hepatica.protocol import Training
from hepatica.protocol.plain import fit_stage, require_both, train_plainly
from hepatica.protocol.records import Standardising

Controls = Literal["followed", "weighted"]
"""Who learns as event-free. `followed`: samples followed event-free to the end of the window; others without the event
are left out. `weighted`: also those with a competing event in it, and every sample has a weight for the censored ones
that it represents, G(t) / G(u-): G is the Kaplan-Meier curve of censoring, u the end of the window or the event."""


@dataclass(frozen=True, kw_only=True)
class LandmarkPlan(Plan):
    """Settings of a system that is asked at a landmark."""

    endpoint: str = "incidence"
    """Survival endpoint that is predicted."""
    landmark: Months = Months(24)
    """Months from the index date to the time at which each patient is judged; nothing later is read."""
    window: Months = Months(36)
    """Months after the landmark in which the event counts."""
    controls: Controls = "followed"
    """followed: event-free patients are those followed to the end of the window; weighted: inverse probability of
    censoring weights, and a competing event counts as event-free."""

    @property
    def horizon(self) -> Months:
        """The end of the window, in months from the index date."""
        return Months(self.landmark + self.window)


def at_risk(cohort: Cohort, settings: LandmarkPlan) -> tuple[str, ...]:
    """Patients who are followed beyond the landmark without the event."""
    endpoint = cohort.survival(settings.endpoint)
    return tuple(cohort.patients.index[cohort.patients[endpoint.time] > settings.landmark])


def past(cohort: Cohort, settings: LandmarkPlan) -> NDArray[np.bool_]:
    """Whether the event, or a competing one, of each patient came at or before the landmark: they are not assessable.

    False for all where the cohort does not have the endpoint.
    """
    endpoint = cohort.endpoints.get(settings.endpoint)
    if not isinstance(endpoint, TimeToEvent):
        return np.zeros(len(cohort.patients), bool)
    time, event = (cohort.patients[name].to_numpy(float, na_value=np.nan) for name in (endpoint.time, endpoint.event))
    return np.asarray((event > 0) & (time <= settings.landmark))


def past_reason(settings: LandmarkPlan) -> str:
    """Why such a patient has no score."""
    return (
        f"{settings.endpoint} came at or before month {settings.landmark:g}, the landmark: nothing is left to predict"
    )


def outcomes_after(
    start: ArrayLike,
    *,
    time: ArrayLike,
    event: ArrayLike,
    window: float,
    like: tuple[ArrayLike, ArrayLike] | None = None,
) -> pd.DataFrame:
    """Label (1 or 0) and weight of samples (n,) at `start`, of patients followed for `time` (months) with `event` 0, 1
    or 2 (competing); the weight is 0 where a sample teaches nothing: the event has come before, or is not known.

    `like` are times and events of the patients by whom G is estimated, for the rule `weighted`; none for `followed`.
    See `Controls`.
    """
    start, time, event = (np.asarray(each, float) for each in (start, time, event))
    case = (event == 1) & (time <= start + window)
    known = case | (time >= start + window)
    if like is None:
        weight = np.ones(start.shape)
    else:
        known |= event == 2
        ends, still = _staying(*like)
        until = np.minimum(time, start + window)
        there = still[np.searchsorted(ends, start, side="right")]
        weight = there / np.maximum(still[np.searchsorted(ends, until, side="left")], 1e-12)
    return pd.DataFrame({"label": case.astype(float), "weight": np.where(known & (time > start), weight, 0.0)})


def _staying(time: ArrayLike, event: ArrayLike) -> tuple[Floats, Floats]:
    """Distinct times (k,), and the share (k + 1,) still followed before each of them and after the last."""
    times = np.asarray(time, float)
    found = censoring(times, event=np.asarray(event) != 0)
    return np.unique(times), np.concatenate([[1.0], np.cumprod(1 - found.hazard)])


def weighted_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of log-odds (b, k); `labels` (b, 2 k) are k labels and then k weights."""
    label, weight = labels.chunk(2, dim=1)
    losses = binary_cross_entropy_with_logits(logits, label, reduction="none")
    return (losses * weight).sum() / weight.sum().clamp(min=torch.finfo(losses.dtype).tiny)


def landmark_samples(training: Training[Any, Any]) -> dict[str, Samples]:
    """Samples of folds `train` and, if it has any, `validation`: the rows of the material's index that teach something.

    Their labels (n, 2) are label and weight. CohortError where all training samples are alike.
    """
    settings, index = training.settings, training.material.index
    endpoint, patients = training.cohort.survival(settings.endpoint), training.cohort.patients
    own = patients.loc[list(training.split.train)]
    found = outcomes_after(
        index["months"],
        time=patients.loc[index["patient_id"], endpoint.time],
        event=patients.loc[index["patient_id"], endpoint.event],
        window=settings.window,
        like=(own[endpoint.time], own[endpoint.event]) if settings.controls == "weighted" else None,
    ).to_numpy(np.float32)
    samples = {}
    for fold in ("train", "validation"):
        chosen = index["patient_id"].isin(getattr(training.split, fold)).to_numpy() & (found[:, 1] > 0)
        if chosen.any():
            rows = replace(training.material, index=index[chosen].reset_index(drop=True))
            samples[fold] = Samples(inputs=rows, labels=found[chosen])
    if "train" not in samples:
        raise CohortError(f"no training patient is followed {settings.window:g} months after a visit; lower window")
    hint = "add patients or follow-up, or lower the setting test"
    require_both(samples["train"].labels[:, 0], of=settings.endpoint, hint=hint)
    return samples


def train_at_horizons(training: Training[Any, Any]) -> dict[str, Any]:
    """Train on the event by each horizon of a binary task, by the rule `controls`; a system's whole `train`."""
    if training.settings.controls == "followed":
        return train_plainly(training)
    endpoint, patients = training.cohort.survival(training.task.endpoint), training.cohort.patients
    own = patients.loc[list(training.split.train)]
    like = own[endpoint.time], own[endpoint.event]
    followed: Any = {"time": patients[endpoint.time], "event": patients[endpoint.event], "like": like}
    found = [outcomes_after(0, window=each, **followed) for each in training.settings.horizons]
    values = np.column_stack([each[name] for name in ("label", "weight") for each in found])
    return train_plainly(training, outcome=pd.DataFrame(values, index=patients.index), loss=weighted_loss)


def train_at_landmarks(training: Training[Any, Any]) -> dict[str, Any]:
    """Fit the network to what comes after each sample, standardised by the samples; a system's whole `train`."""
    samples = landmark_samples(training)
    own = samples["train"].inputs
    if isinstance(own, Standardising):
        own.standardise(training.network, patients=training.split.train)
    history = fit_stage(training, "training", training.network, samples, augment=training.augment, loss=weighted_loss)
    labels = samples["train"].labels[:, 0]
    return {"epochs": len(history.epochs), "samples": len(labels), "samples with the event": int(labels.sum())}
