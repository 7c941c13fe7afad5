"""Inputs: what a statistic may be asked of, and the sign its scores must have."""

from typing import Any, NewType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

Risk = NewType("Risk", NDArray[Any])
"""Scores of which the higher mean the earlier event. `Risk(score)` says that yours do; a predicted survival time or
probability runs the other way and is a risk only after `risk_of_survival`."""


def risk_of_survival(predicted: ArrayLike) -> Risk:
    """Turn predicted survival times or survival probabilities round, so that the higher mean the earlier event."""
    return Risk(-numbers(predicted, name="predicted survival"))


def numbers(values: ArrayLike, *, name: str, like: int | None = None) -> Floats:
    """One finite number a patient, `like` of them where that is known; EvaluationError on anything else."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EvaluationError(
            f"{name}: got values that are not numbers ({error}), wanted one number a patient"
        ) from error
    if array.ndim != 1:
        raise EvaluationError(f"{name}: got an array of shape {array.shape}, wanted one number a patient")
    if not array.size:
        raise EvaluationError(f"{name}: got no patients")
    if like is not None and array.size != like:
        raise EvaluationError(f"{name}: got {array.size} values for {like} patients")
    faulty = int((~np.isfinite(array)).sum())
    if faulty:
        raise EvaluationError(
            f"{name}: got {faulty} of {array.size} missing or infinite; leave those patients out first"
        )
    return array


def zero_or_one(values: ArrayLike, *, name: str, like: int | None = None) -> Booleans:
    """One 0 or 1 a patient, as booleans; EvaluationError on anything else."""
    array = numbers(values, name=name, like=like)
    wrong = array[(array != 0) & (array != 1)]
    if wrong.size:
        raise EvaluationError(f"{name}: got {wrong[0]:g}, wanted 0 or 1 for each patient")
    ones: Booleans = array == 1
    return ones


def both_classes(label: ArrayLike) -> Booleans:
    """Labels of which some are 1 and some 0; EvaluationError when there is one class only."""
    checked = zero_or_one(label, name="label")
    if checked.all() or not checked.any():
        raise EvaluationError(f"label: all {checked.size} are {int(checked[0])}, wanted patients with 0 and with 1")
    return checked


def follow_up(time: ArrayLike, *, event: ArrayLike) -> tuple[Floats, Booleans]:
    """Times of 0 or more and events (1 happened, 0 censored); EvaluationError on anything else."""
    times = numbers(time, name="time")
    if times.min() < 0:
        raise EvaluationError(f"time: got {times.min():g}, wanted 0 or more")
    return times, zero_or_one(event, name="event", like=times.size)


def first_events(time: ArrayLike, *, event: ArrayLike) -> tuple[Floats, Floats]:
    """Times of 0 or more and which event ended them: 0 none (censored), else its whole number; EvaluationError."""
    causes = numbers(event, name="event")
    times, _ = follow_up(time, event=causes > 0)
    if (causes < 0).any() or (causes != np.round(causes)).any():
        raise EvaluationError("event: wanted 0 for censored patients and whole numbers for the kinds of event")
    return times, causes
