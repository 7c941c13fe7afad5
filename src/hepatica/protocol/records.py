"""Records: what a published system, the room of its instrument and its paper declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import pandas as pd

from hepatica.cohort import Cohort, CohortError, SettingsError, Specimen, Split, Target, Task, mean_by_patient
from hepatica.protocol.settings import override

if TYPE_CHECKING:
    from torch import nn

    from hepatica.cohort.phantom import Population

S = TypeVar("S")
"""A system's frozen settings dataclass, a `learn.Plan` and that of its room."""

M = TypeVar("M", bound="Material")
"""What a room's `prepare` makes of specimens and its `infer` reads: a store of tiles, slices, spectra or rows."""

S_co = TypeVar("S_co", covariant=True)
M_co = TypeVar("M_co", bound="Material", covariant=True)

Modality = Literal["slide", "ct", "mr", "ultrasound", "spectrum", "table", "visits", "claims", "genes"]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The publication. `reported` has the numbers it reports, by cohort and then by "metric target"; never presented as
    ours. `patients`, `network`, `validation` and `code` are its cells of the table of evidence.
    """

    title: str
    authors: str
    journal: str
    year: int
    doi: str
    reported: Mapping[str, Mapping[str, float]]
    patients: str = ""
    network: str = ""
    validation: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        wrong = [name for numbers in self.reported.values() for name in numbers if " " not in name]
        if wrong:
            raise SettingsError(f'got the reported number {wrong[0]!r}, wanted "metric target", such as "auroc hcc"')


@dataclass(frozen=True, kw_only=True)
class Training(Generic[S_co, M_co]):
    """All that a system's `train` needs. `network` is fitted in place; `folder` keeps checkpoints, from which a stopped
    training goes on; `trainer` are flags of Lightning's Trainer; `task` is the first of the system's; `augment` is its
    room's augmentation.
    """

    network: Any
    material: M_co
    cohort: Cohort
    split: Split
    settings: S_co
    folder: Path
    trainer: Mapping[str, Any]
    task: Task
    augment: Callable[[Any], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Inference:
    """What a locked network says of prepared specimens.

    `specimens`: patient_id, specimen_id, score, and where they are not clear from the system's one target: endpoint,
    horizon_months, task, class_or_quantity; one row a specimen, target and class. Further columns describe a specimen.
    `regions`: patient_id, specimen_id, score, one row a tile or slice, and where it lies: x, y, extent (pixels of the
    file's finest level) of a tile, series, slice and z_mm of a slice, the quality of a spectrum.
    `signatures`: (regions, d) float32, the network's own description of each row of `regions`.
    """

    specimens: pd.DataFrame
    regions: pd.DataFrame
    signatures: np.ndarray


class Material(Protocol):
    """Prepared specimens: a store of tiles, slices, spectra or rows, which `hepatica.learn` reads as its inputs.

    `index` has one row a region (patient_id, specimen_id, …), `specimens` one a usable specimen (patient_id,
    specimen_id, key: `specimen_key`, …), `failures` one a specimen that gave nothing (patient_id, specimen_id, row,
    error).
    """

    @property
    def index(self) -> pd.DataFrame:
        """Regions, in the order in which they are read."""
        ...

    @property
    def specimens(self) -> pd.DataFrame:
        """Usable specimens."""
        ...

    @property
    def failures(self) -> pd.DataFrame:
        """Specimens that could not be used, with the reason."""
        ...

    def __len__(self) -> int:
        """Count the regions."""
        ...

    def read(self, indices: np.ndarray) -> Any:
        """What a network reads of these rows of `index`."""
        ...

    def select(self, *, patient_ids: Iterable[str]) -> Self:
        """The same with these patients only."""
        ...


@runtime_checkable
class Standardising(Protocol):
    """Material of measured values, by which a network's layers are standardised before it is trained."""

    def standardise(self, network: Any, *, patients: Iterable[str]) -> None:
        """Fix what the network takes from the training patients."""


Saliency = Callable[[Any, Any], np.ndarray]
"""What a network looks at: network and inputs (b, …) as its material reads them to maps in 0..1, one an input."""


class Draw(Protocol):
    """Pictures of one specimen: where its score comes from and what the network looks at there."""

    def __call__(
        self,
        specimen: Specimen,
        *,
        material: Any,
        regions: pd.DataFrame,
        saliency: Callable[[Any], np.ndarray],
        stem: Path,
        note: str,
        meaning: str,
    ) -> list[Path]:
        """Write files whose names begin with `stem`, and return them; `note` (such as "phantom") goes on each."""


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """Which locked model gave a result: `digest` is that of its lock, `note` what every result of it must carry."""

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


class Decline(Protocol):
    """The same of a specimen without a score."""

    def __call__(self, specimen: Specimen, *, reason: str, model: ModelIdentity, folder: Path) -> list[Path]:
        """Write into `folder` that the specimen is not assessable, and why; the files, none where nothing can be."""


@dataclass(frozen=True, kw_only=True)
class Room(Generic[S, M]):
    """What is the same for every system of one instrument.

    `plan` is the dataclass of settings that `prepare` reads; a system's settings derive from it. `region` is what a
    network reads at once ("tile"), `extra` the optional dependencies to install. `trial` and `shortest` are changes of
    settings for minutes on two cores and for seconds, where a system has such settings. `infer`, `saliency`, `draw` and
    `deliver` serve where a system has none of its own; `decline` reports to the archive what was not assessable;
    `augment` makes the augmentation that settings describe. `measure` describes each prepared specimen (rows, by
    specimen_id) by numbers and words whose range in training is the system's domain, and `tolerances` how far beyond it
    each may lie. `complete` fills settings that are read off the cohort trained on, such as names of genes, without
    looking at a value. `phantom` writes a phantom cohort.
    """

    modality: Modality
    region: str
    extra: str
    plan: type
    trial: Mapping[str, Any] = field(default_factory=dict)
    shortest: Mapping[str, Any] = field(default_factory=dict)
    complete: Callable[[Cohort, Any], Any] | None = None
    prepare: Callable[[Cohort, Any, Path], M]
    measure: Callable[[M], pd.DataFrame] | None = None
    tolerances: Mapping[str, float] = field(default_factory=dict)
    infer: Callable[[Any, Any, Any, Task], Inference]
    augment: Callable[[Any], Callable[[Any], Any]] | None = None
    saliency: Callable[[Any, Any], np.ndarray] | None = None
    draw: Draw | None = None
    deliver: Deliver | None = None
    decline: Decline | None = None
    phantom: Callable[..., Path]


@dataclass(frozen=True, kw_only=True)
class System(Generic[S, M]):
    """One published system: its paper, its question, its numbers, and the verbs that the paper invented.

    `task` is what it is asked (several: the first is the primary one), or a function of the settings that says so.
    `room` is the instrument it reads; with several, `inputs` names them, and its network reads a mapping of them.
    `trial` and `shortest` are changes of settings beyond the room's, for minutes on two cores, and for seconds, which
    only show that all works. `adjustable` names settings that may differ when a locked model is used: how much of a
    specimen is read.
    `build(settings, pretrained=...)` makes the untrained network; a locked one is built without fetching any weights.
    `train` fits the network in place, resumes from its work folder, and returns what a report should say of it.
    `eligible` restricts who is trained on beyond a known outcome; the others are set aside and only predicted.
    `endpoints` names endpoints that training needs beyond those of the tasks. `population` is whom its phantom enrols,
    where that is another than its room's.
    `comparators(network, material, cohort)` gives what else judges the same patients, a column each, by patient_id: the
    higher the sooner or the likelier, missing where it cannot be evaluated. Published scores are
    `clinical.comparators.published`; a baseline that is fitted, such as a logistic regression, is fitted in `train`,
    kept in the network, and read here.
    `signature` names the numbers of a reading's signature, where survival is to be reported by each of them.
    `infer(network, material, settings)`, `saliency`, `draw`, `deliver` stand in for the room's; `pool` makes patients
    of specimens; `meaning` is what pictures call the score. `parts` gives the networks that can be exported, by name;
    what is replaced there is replaced in the whole.
    """

    name: str
    question: str
    paper: Paper
    task: Task | tuple[Task, ...] | Callable[[S], Task | tuple[Task, ...]]
    room: Room[Any, M] | None = None
    inputs: Mapping[str, Room[Any, Any]] = field(default_factory=dict)
    settings: S
    trial: Mapping[str, Any] = field(default_factory=dict)
    shortest: Mapping[str, Any] = field(default_factory=dict)
    adjustable: tuple[str, ...] = ()
    build: Callable[..., nn.Module]
    train: Callable[[Training[S, M]], dict[str, Any]]
    infer: Callable[[Any, M, S], Inference] | None = None
    pool: Callable[[pd.DataFrame], pd.DataFrame] = mean_by_patient
    eligible: Callable[[Cohort, S], tuple[str, ...]] | None = None
    endpoints: Callable[[S], tuple[str, ...]] = lambda settings: ()
    population: Population | None = None
    comparators: Callable[[Any, M, Cohort], pd.DataFrame] | None = None
    meaning: str = "score"
    signature: tuple[str, ...] = ()
    saliency: Saliency | None = None
    draw: Draw | None = None
    deliver: Deliver | None = None
    parts: Callable[[Any], nn.ModuleDict] | None = None

    @property
    def quick(self) -> S:
        """Settings for minutes on two cores."""
        return override(self.settings, self._changes("trial"))

    @property
    def shortest_quick(self) -> S:
        """Settings for seconds."""
        return override(self.quick, self._changes("shortest"))

    def _changes(self, kind: str) -> dict[str, Any]:
        known = {each.name for each in fields(self.settings)}  # type: ignore[arg-type]
        of_rooms = {name: value for room in self.rooms.values() for name, value in getattr(room, kind).items()}
        return {name: value for name, value in of_rooms.items() if name in known} | dict(getattr(self, kind))

    @property
    def rooms(self) -> dict[str, Room[Any, Any]]:
        """Each input's room, by name; a single one by its modality."""
        if self.room is not None:
            return {self.room.modality: self.room}
        return dict(self.inputs)

    @property
    def first(self) -> Room[Any, Any]:
        """The room whose specimens are counted, listed and drawn."""
        return next(iter(self.rooms.values()))

    @property
    def phantom(self) -> Callable[..., Path]:
        """Writes a phantom cohort of its first room."""
        return partial(self.first.phantom, population=self.population) if self.population else self.first.phantom

    @property
    def modality(self) -> str:
        """Its modality, or several joined by "+"."""
        return "+".join(room.modality for room in self.rooms.values())

    def completed(self, cohort: Cohort, settings: S) -> S:
        """The settings, with what its rooms read off the cohort it is trained on."""
        for room in self.rooms.values():
            settings = room.complete(cohort, settings) if room.complete else settings
        return settings

    def tasks(self, settings: S) -> tuple[Task, ...]:
        """What it is asked under these settings, the primary task first."""
        found = self.task(settings) if callable(self.task) else self.task
        return found if isinstance(found, tuple) else (found,)

    def targets(self, settings: S) -> tuple[Target, ...]:
        """What its scores are about, the primary one first."""
        return tuple(target for task in self.tasks(settings) for target in task.targets)

    def trainable(self, cohort: Cohort, settings: S) -> tuple[str, ...]:
        """Patients it may be trained on; CohortError where the cohort lacks an endpoint it needs."""
        for task in self.tasks(settings):
            task.strata(cohort)
        for name in self.endpoints(settings):
            cohort.endpoint(name)
        known = self.tasks(settings)[0].eligible(cohort)
        if self.eligible is None:
            return known
        allowed = set(self.eligible(cohort, settings))
        return tuple(patient for patient in known if patient in allowed)

    def augmentation(self, settings: S) -> Callable[[Any], Any] | None:
        """Its room's augmentation under these settings; None where there is none, or several inputs."""
        return self.room.augment(settings) if self.room is not None and self.room.augment is not None else None

    def prepare(self, cohort: Cohort, settings: S, folder: Path) -> Any:
        """The cohort's specimens as its network reads them; CohortError where the cohort has none."""
        from hepatica.protocol.joined import Joined

        if self.room is not None:
            return self.room.prepare(cohort, settings, folder)
        made = {name: room.prepare(cohort, settings, folder / name) for name, room in self.inputs.items()}
        return Joined.of(made, rows={each.specimen_id: each.row for each in cohort.specimens_of(self.first.modality)})

    def read(self, network: Any, material: Any, settings: S) -> Inference:
        """What the network says of prepared specimens."""
        if self.infer is not None:
            return self.infer(network, material, settings)
        return self.first.infer(network, material, settings, self.tasks(settings)[0])

    def explain(self, network: Any, inputs: Any) -> np.ndarray:
        """Maps of what the network looks at; CohortError where neither system nor room has a method."""
        method = self.saliency or self.first.saliency
        if method is None:
            raise CohortError(f"{self.name} provides no saliency maps; leave explanations out")
        return method(network, inputs)
