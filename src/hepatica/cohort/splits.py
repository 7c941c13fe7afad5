"""Splits: patients, never tiles, dealt into training, validation and test, once, by a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import CohortError

FOLDS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Split:
    """Three disjoint groups of patient ids; a patient in two of them is a CohortError.

    The test patients are fixed here, before anything is selected or fitted, and stay the same in every later step.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        groups = {name: set(getattr(self, name)) for name in FOLDS}
        for name, group in groups.items():
            if len(group) < len(getattr(self, name)):
                raise CohortError(f"a patient is in {name} more than once; leave each in one row only")
        for first, second in (("train", "validation"), ("train", "test"), ("validation", "test")):
            refuse_overlap(groups[first], groups[second], first=first, second=second)

    def folds(self) -> pd.Series:
        """The fold of each patient, indexed by patient_id."""
        pairs = {patient: name for name in FOLDS for patient in getattr(self, name)}
        return pd.Series(pairs, name="fold", dtype=str).rename_axis("patient_id")

    def write(self, path: Path) -> None:
        """Write `patient_id, fold` as CSV."""
        with replacing(path) as temporary:
            self.folds().to_csv(temporary)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; CohortError when it is another table or has a fold of another name."""
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if list(table.columns) != ["patient_id", "fold"]:
            raise CohortError(f"{path}: got the columns {', '.join(table.columns)}, wanted patient_id, fold")
        unknown = sorted(set(table["fold"]) - set(FOLDS))
        if unknown:
            raise CohortError(f"{path}: got the folds {unknown}, wanted {', '.join(FOLDS)}")
        return cls(**{name: tuple(table.loc[table["fold"] == name, "patient_id"]) for name in FOLDS})


def refuse_overlap(first_patients: set[str], second_patients: set[str], *, first: str, second: str) -> None:
    """Raise CohortError when a patient is in both groups; the message counts them and names none."""
    shared = len(first_patients & second_patients)
    if shared:
        raise CohortError(
            f"{shared} patient(s) are both in {first} and in {second}; results on patients of the training are"
            " not valid: remove them from one of the two"
        )


def _enough(strata: pd.Series, *, least: int, classes: int) -> None:
    unknown = int(strata.isna().sum())
    if unknown:
        raise CohortError(f"{unknown} patient(s) have no class to split by; leave them out before the split")
    counts = strata.convert_dtypes().value_counts().sort_index()
    if len(counts) < classes or counts.min() < least:
        have = ", ".join(f"{count} of class {label}" for label, count in counts.items()) or "no patients"
        each = " of each of two classes or more" if classes == 2 else ""
        raise CohortError(
            f"got {have}, wanted at least {least} patients{each} to split by; add patients, or merge classes"
        )


def split_patients(
    strata: pd.Series, *, validation: float, test: float, seed: int, classes: Literal[1, 2] = 2
) -> Split:
    """Deal patients into three groups with the same share of each stratum.

    `strata` maps patient_id to a class such as the recurrence label; `validation` and `test` are shares of all
    patients in 0..1, 0 for no such group. Each class is dealt by itself: its share is rounded, but a group that is
    wanted gets one patient of it at least, so that no group lacks a class. The order of the rows does not matter.
    CohortError when a class is too small to be dealt, or there are fewer than `classes`; a task whose patients are all
    alike to it, such as a segmentation, has 1.
    """
    _enough(strata, least=3, classes=classes)
    groups: dict[str, list[str]] = {name: [] for name in FOLDS}
    shuffler = np.random.default_rng(seed)
    for _, members in strata.sort_index().groupby(strata):
        patients = list(shuffler.permutation(members.index.to_numpy(object)))
        for name, share in (("validation", validation), ("test", test)):
            count = max(1, round(share * len(members))) if share else 0
            groups[name] += patients[:count]
            patients = patients[count:]
        if min(validation, test) < 0 or not patients:
            raise CohortError(
                f"got shares of {validation} for validation and {test} for test; no patient is left to train"
            )
        groups["train"] += patients
    return Split(**{name: tuple(sorted(group)) for name, group in groups.items()})


def fold_patients(
    strata: pd.Series, *, folds: int, seed: int, classes: Literal[1, 2] = 2
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield (training, held-out) patient ids of a stratified k-fold; the order of the rows does not matter.

    CohortError when there are fewer than 2 folds or a class is smaller than their number; `classes` as in a split.
    """
    from sklearn.model_selection import StratifiedKFold  # brings SciPy, which a list of systems does not need

    if folds < 2:
        raise CohortError(f"got {folds} folds, wanted 2 or more")
    _enough(strata, least=folds, classes=classes)
    ordered = strata.sort_index()
    dealer = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    for kept, held_out in dealer.split(ordered, ordered):
        yield tuple(ordered.index[kept]), tuple(ordered.index[held_out])
