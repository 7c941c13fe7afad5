"""System: what one published system declares, and the verbs that its paper invented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
import pandas as pd

from hepatica.cohort import Cohort, CohortError, Target, Task, mean_by_patient
from hepatica.protocol.records import Deliver, Draw, Inference, M, Paper, Room, S, Saliency, Training
from hepatica.protocol.settings import override

if TYPE_CHECKING:
    from torch import nn

    from hepatica.cohort.phantom import Population


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
    of specimens; `meaning` is what pictures call the score, {first} in it the first endpoint. `parts` gives the
    networks that can be exported, by name; what is replaced there is replaced in the whole.
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

    def unit(self, settings: S, target: Target, quantity: str) -> str:
        """The unit of a score of this target, and of a quantity by its name; "" where it has none."""
        return next((task.unit(quantity) for task in self.tasks(settings) if target in task.targets), "")

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
