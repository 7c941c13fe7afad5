"""Records: what the paper of a published system and the room of its instrument declare, and what training is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import pandas as pd

from hepatica.cohort import Cohort, SettingsError, Specimen, Split, Task

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

    @property
    def citation(self) -> str:
        """Authors, title, journal and year."""
        return f"{self.authors.removesuffix('.')}. {self.title}. {self.journal} ({self.year})"


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
    `lesions`: the same as `specimens` of each lesion, with lesion_id, where regions are of lesions.
    `signatures`: (regions, d) float32, the network's own description of each row of `regions`.
    `files`: what is written beside the results, such as masks, by the place there that the column `path` names.
    """

    specimens: pd.DataFrame
    regions: pd.DataFrame
    signatures: np.ndarray
    lesions: pd.DataFrame | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


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
    looking at a value. `cases` measures what was segmented against what is outlined in the cohort, a row a specimen and
    class (`evaluate.segmentation_metrics`). `phantom` writes a phantom cohort.
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
    cases: Callable[[Any, Inference, Cohort], pd.DataFrame] | None = None
    phantom: Callable[..., Path]
