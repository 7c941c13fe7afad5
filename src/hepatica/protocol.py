"""Protocol: what every published system declares, and how its settings are changed, written and read."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeVar, get_args, get_type_hints

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from hepatica.cohort import Cohort, SettingsError, Specimen, Split, Target

if TYPE_CHECKING:
    from torch import nn

S = TypeVar("S")
"""A system's frozen settings dataclass."""

M = TypeVar("M", bound="Material")
"""What a system's `prepare` makes of specimens and its `infer` reads: a store of tiles, slices or spectra."""

S_co = TypeVar("S_co", covariant=True)
M_co = TypeVar("M_co", bound="Material", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The publication, and the numbers it reports, by `cohort: metric of target`; never presented as ours."""

    title: str
    authors: str
    journal: str
    year: int
    doi: str
    reported: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Training(Generic[S_co, M_co]):
    """All that a system's `train` needs. `network` is fitted in place; `folder` keeps checkpoints, from which a stopped
    training goes on; `trainer` are flags of Lightning's Trainer.
    """

    network: Any
    material: M_co
    cohort: Cohort
    split: Split
    settings: S_co
    folder: Path
    trainer: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Inference:
    """What a locked network says of prepared specimens.

    `specimens`: patient_id, specimen_id, endpoint, horizon_months, score in 0..1; one row a specimen and target.
    `regions`: patient_id, specimen_id, score in 0..1, one row a tile or slice, and where it lies: x, y, extent (pixels
    of the file's finest level) of a tile, series, slice and z_mm of a slice, the quality of a spectrum.
    `signatures`: (regions, d) float32, the network's own description of each row of `regions`.
    """

    specimens: pd.DataFrame
    regions: pd.DataFrame
    signatures: np.ndarray


class Material(Protocol):
    """Prepared specimens: a store of tiles, slices or spectra.

    `specimens` has one row a usable specimen (patient_id, specimen_id, key: `specimen_key`, …), `failures` one
    a specimen that gave nothing (patient_id, specimen_id, row, error).
    """

    @property
    def specimens(self) -> pd.DataFrame:
        """Usable specimens."""
        ...

    @property
    def failures(self) -> pd.DataFrame:
        """Specimens that could not be used, with the reason."""
        ...

    def select(self, *, patient_ids: Iterable[str]) -> Self:
        """The same with these patients only."""
        ...


Saliency = Callable[[Any, np.ndarray], np.ndarray]
"""What a network looks at: network and images (b, h, w, c) as its material reads them to maps (b, h, w) in 0..1."""


class Draw(Protocol):
    """Pictures of one specimen: where its risk lies and what the network looks at there."""

    def __call__(
        self,
        specimen: Specimen,
        *,
        material: Any,
        regions: pd.DataFrame,
        saliency: Callable[[np.ndarray], np.ndarray],
        stem: Path,
        note: str,
    ) -> list[Path]:
        """Write files whose names begin with `stem`, and return them; `note` (such as "phantom") goes on each."""


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """Which locked model said something: `digest` is that of its lock, `note` what every result of it must carry."""

    system: str
    version: str
    digest: str
    doi: str
    note: str


class Deliver(Protocol):
    """Results of one specimen in the form its archive takes, such as DICOM beside the study they are of."""

    def __call__(
        self,
        specimen: Specimen,
        *,
        material: Any,
        inference: Inference,
        settings: Any,
        cutoffs: Mapping[str, float],
        saliency: Callable[[np.ndarray], np.ndarray],
        model: ModelIdentity,
        folder: Path,
    ) -> list[Path]:
        """Write files into `folder` and return them; none where the specimen is of a form that takes no results."""


@dataclass(frozen=True, kw_only=True)
class System(Generic[S, M]):
    """One published system: its paper, its numbers and its verbs in the order of Methods.

    `build(settings, pretrained=...)` makes the untrained network; a locked one is built without fetching any weights.
    `endpoints` names the endpoints training needs; `eligible` says which patients it may train on; the others are set
    aside and only predicted.
    `train` fits the network in place, resumes from its work folder, and returns what a report should tell of it.
    `adjustable` names settings that may differ when a locked model is used: how much of a specimen is read, not how.
    `cutoff` is the rule of the locked cut-offs: the median score of the training patients; the score at which
    sensitivity and specificity of the patients of training and tuning are balanced; or that of simulated patients,
    which training left in the network's buffer `cutoff`.
    `parts` gives the networks that can be exported, by name, from the whole; who replaces one there replaces it.
    `deliver` writes what `hepatica predict` gives back to the archive a specimen came from.
    `phantom` writes a phantom cohort of its room; `quick` are settings for minutes on two cores,
    `shortest` changes of those for seconds, which only show that all parts work.
    """

    name: str
    question: str
    modality: Literal["slide", "ct", "mr", "ultrasound", "spectrum", "table"]
    paper: Paper
    targets: tuple[Target, ...]
    settings: S
    quick: S
    shortest: Mapping[str, Any]
    adjustable: tuple[str, ...] = ()
    endpoints: Callable[[S], tuple[str, ...]]
    eligible: Callable[[Cohort, S], tuple[str, ...]]
    prepare: Callable[[Sequence[Specimen], S, Path], M]
    build: Callable[..., nn.Module]
    train: Callable[[Training[S, M]], dict[str, Any]]
    infer: Callable[[Any, M, S], Inference]
    pool: Callable[[pd.DataFrame], pd.DataFrame]
    cutoff: Literal["median", "balanced", "of_simulation"] = "median"
    saliency: Saliency
    draw: Draw
    parts: Callable[[Any], nn.ModuleDict] | None = None
    deliver: Deliver | None = None
    phantom: Callable[..., Path]


def override(settings: S, changes: Mapping[str, Any]) -> S:
    """The settings with some values changed, each checked against its type; SettingsError names the fault."""
    known = {field.name for field in fields(settings)}  # type: ignore[arg-type]
    for name in changes.keys() - known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; settings are {', '.join(sorted(known))}"
        raise SettingsError(f"got the unknown setting {name!r}{hint}")
    try:
        return TypeAdapter(type(settings)).validate_python(asdict(settings) | dict(changes))  # type: ignore[call-overload]
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))} = {fault['input']!r}: {fault['msg']}" for fault in error.errors()
        )
        raise SettingsError(f"got unusable settings: {faults}") from None


def as_plain(settings: Any) -> dict[str, Any]:
    """The settings as values TOML can hold: fractions as text, tuples as lists, None left out."""
    plain = {name: _plain(value) for name, value in asdict(settings).items()}
    return {name: value for name, value in plain.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def from_plain(settings: S, plain: Mapping[str, Any]) -> S:
    """The inverse of `as_plain`: `settings` gives the type, `plain` every value that is not None.

    SettingsError when a value is missing that cannot be None: the file was written by another version.
    """
    hints = get_type_hints(type(settings))
    absent = {name for name in hints if name not in plain}
    missing = sorted(name for name in absent if type(None) not in get_args(hints[name]))
    if missing:
        raise SettingsError(f"got settings without {', '.join(missing)}; use the version they were written with")
    return override(settings, dict.fromkeys(absent) | dict(plain))
