"""Room: what every system of focal lesions shares: crops over phases in, scores of lesions and patients out."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from hepatica.cohort import Cohort, SettingsError, Task
from hepatica.cohort.predictions import LESION, PROBABILITY
from hepatica.learn import Augment, Chosen, Loss, Plan, Samples, augmentation
from hepatica.learn.images import as_network_input
from hepatica.learn.volumes import brightened, moved
from hepatica.protocol.plain import grad_cam_of_body, read_scores, scored, train_plainly
from hepatica.protocol.records import Inference, Room, Training
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.lesions.crops import Cropping
from hepatica.radiology.lesions.deliver import deliver_lesions
from hepatica.radiology.lesions.measures import TOLERANCES, measure
from hepatica.radiology.lesions.picture import draw_lesions
from hepatica.radiology.lesions.store import LesionStore, Reading, Scale
from hepatica.radiology.lesions.store import prepare as prepare_lesions
from hepatica.radiology.mr.adc import HIGHEST
from hepatica.radiology.phantom import phantom_ct, phantom_mr
from hepatica.radiology.phase.together import ADC, Absent, Register
from hepatica.radiology.results.deliver import decline_study
from hepatica.radiology.slicing import WINDOWS

Shift = tuple[NonNegativeFloat, NonNegativeFloat, NonNegativeFloat]
"""Voxels along z, y and x."""

Scaled = Literal["window", "crop", "liver"]
"""The `kind` of a `Scale`."""


@dataclass(frozen=True, kw_only=True)
class LesionPlan(Plan):
    """Settings of a system of focal lesions."""

    phases: tuple[str, ...] = ("plain", "arterial", "delayed")
    """Phases that are read, as channels in this order."""
    absent: Absent = "refuse"
    """A study without one of them is refused; or the nearest phase is read (nearest), or it is left empty (zero)."""
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 70, 70)
    """Voxels of a crop along z, y and x; one along z: single slices."""
    slices: PositiveInt = 1
    """Slices of each lesion, those where its area is largest, where crops are single slices."""
    lesion_share: Annotated[float, Field(gt=0, le=1)] | None = 0.7
    """Side of the lesion's box as a fraction of that of the crop; none: voxels are of fixed size."""
    voxel_mm: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    """Fixed size of voxels along z, y and x in mm; none: by lesion_share."""
    rim_mm: Annotated[float, Field(ge=0)] = 0.0
    """Width of the rim around the lesion in its mask, mm."""
    scale: Scaled = "window"
    """What becomes 0 to 1: the window (CT), the range of each phase within the crop, or (MR) twice its level around the
    lesion and rim, which keeps how bright these are; ADC then has the scale of its own, 0 to 4e-3 mm2/s.
    """
    surroundings: bool = True
    """Whether what lies beyond the lesion and its rim is read; otherwise it is 0."""
    outline: bool = False
    """Whether the mask, the lesion 1 and its rim 1/2, is read as a further channel, the last."""
    register: Register = "none"
    """How phases are brought onto the one whose slices count: none (by their position), rigid or deformable."""
    window: Literal["abdomen", "liver", "bone", "lung"] = "liver"
    """Window of Hounsfield units that the network reads."""
    pooling: Literal["largest", "mean", "highest"] = "largest"
    """A patient's score: that of their largest lesion, the mean over their lesions, or the highest."""
    copies: PositiveInt = 1
    """Views of each training crop in an epoch, another augmentation each."""
    balanced: bool = False
    """Whether each class has as many views in an epoch as the largest."""
    degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest rotation in the axial plane in augmentation, degrees."""
    zoom: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Largest zoom of each axis in augmentation; 0.5: from 1/1.5 to 1.5."""
    shift: Shift = (0.0, 0.0, 0.0)
    """Largest shift in augmentation, voxels along z, y and x."""
    apart: Shift = (0.0, 0.0, 0.0)
    """Largest shift of a phase against the others in augmentation, voxels along z, y and x."""
    flip: bool = False
    """Whether augmentation mirrors each axis at random."""
    gain: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of the factor of each phase's contrast in augmentation."""
    offset: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of what is added to each phase in augmentation, on 0 to 1."""
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of the noise of each voxel in augmentation, on 0 to 1."""

    @property
    def channels(self) -> int:
        """Of what the network reads."""
        return len(self.phases) + self.outline


def prepare(cohort: Cohort, settings: LesionPlan, folder: Path, *, kind: Kind = "ct") -> LesionStore:
    """Crops of the lesions of lesions.csv, in Hounsfield units, or of MR in the signal of its sequences.

    SettingsError where MR is to be read in a window of Hounsfield units, or CT by the level of the liver.
    """
    if settings.scale == {"mr": "window", "ct": "liver"}[kind]:
        other = "crop or liver" if kind == "mr" else "window or crop"
        raise SettingsError(f"got scale {settings.scale}, wanted {other} for {kind.upper()}")
    cropping = Cropping(
        voxels=settings.voxels,
        share=settings.lesion_share,
        voxel_mm=settings.voxel_mm,
        slices=settings.slices,
        rim_mm=settings.rim_mm,
    )
    return prepare_lesions(
        cohort.specimens_of(kind),
        cohort.lesions,
        reading=Reading(
            kind=kind,
            phases=settings.phases,
            absent=settings.absent,
            register=settings.register,
            cropping=cropping,
        ),
        scale=Scale(
            kind=settings.scale,
            window=WINDOWS[settings.window],
            highest=tuple(HIGHEST if phase == ADC else None for phase in settings.phases),
            surroundings=settings.surroundings,
            outline=settings.outline,
        ),
        folder=folder,
    )


def augment(settings: LesionPlan) -> Augment:
    """Rotation, zoom, shifts and mirroring in one interpolation; then contrast, level and noise."""
    steps = [
        moved(
            degrees=settings.degrees, zoom=settings.zoom, shift=settings.shift, apart=settings.apart, flip=settings.flip
        ),
        brightened(gain=settings.gain, offset=settings.offset),
        augmentation.noise(sd=settings.noise),
    ]
    return augmentation.compose(*steps)


def train_lesions(training: Training[Any, Any], *, loss: Loss | None = None) -> dict[str, Any]:
    """Fit the network to the class of each lesion, or the outcome of its patient, with `copies` and `balanced`; a
    system's whole `train`. Copies are made of the crops of training patients alone, after these were dealt.
    """
    settings = training.settings
    return train_plainly(training, loss=loss, views=partial(repeated, copies=settings.copies, even=settings.balanced))


def repeated(samples: Samples, *, copies: int, even: bool) -> Samples:
    """Each sample `copies` times; `even`: those of each class repeated in turn until there are as many as of the
    largest.
    """
    rows = np.arange(len(samples))
    if even:
        classes = [rows[samples.labels == each] for each in np.unique(samples.labels)]
        rows = np.concatenate([np.resize(each, max(map(len, classes))) for each in classes])
    rows = np.tile(rows, copies)
    return Samples(inputs=Chosen(inputs=samples.inputs, rows=rows), labels=samples.labels[rows])


def infer_lesions(network: Any, material: Any, settings: LesionPlan, task: Task) -> Inference:
    """Scores of each crop, their mean over the slices of each lesion, and of each specimen by `pooling`."""
    score, signature = read_scores(network, material, settings, task)
    wide = pd.DataFrame(score).assign(**{each: material.index[each] for each in (*LESION, "diameter_mm")})
    lesions = wide.groupby(LESION, sort=False).mean().reset_index()
    whole = _pooled(lesions, columns=list(range(score.shape[1])), pooling=settings.pooling)
    return Inference(
        specimens=scored(whole.index.to_frame(index=False), whole.to_numpy(), task=task),
        regions=material.index.assign(score=score.max(axis=1), **_by_class(score, task)),
        signatures=signature,
        lesions=scored(lesions[LESION], lesions[whole.columns].to_numpy(), task=task),
    )


def _by_class(score: np.ndarray, task: Task) -> dict[str, np.ndarray]:
    """The probability of each class of a multi-class task."""
    return {f"{PROBABILITY}{name}": score[:, k] for k, name in enumerate(getattr(task, "classes", ()))}


def _pooled(lesions: pd.DataFrame, *, columns: list[int], pooling: str) -> pd.DataFrame:
    """Scores of specimens, by patient_id and specimen_id."""
    owner = ["patient_id", "specimen_id"]
    grouped = lesions.groupby(owner, sort=False)
    if pooling == "largest":
        return lesions.loc[grouped["diameter_mm"].idxmax()].set_index(owner)[columns]
    return grouped[columns].agg("mean" if pooling == "mean" else "max")


LESIONS_CT: Room[LesionPlan, LesionStore] = Room(
    modality="ct",
    region="lesion",
    extra="radiology",
    plan=LesionPlan,
    trial={"epochs": 30, "batch": 16},
    shortest={"epochs": 2},
    prepare=prepare,
    measure=measure,
    tolerances=TOLERANCES,
    augment=augment,
    infer=infer_lesions,
    saliency=partial(grad_cam_of_body, read=lambda values: as_network_input(torch.from_numpy(values))),
    draw=draw_lesions,
    deliver=deliver_lesions,
    decline=decline_study,
    phantom=phantom_ct,
)
"""Focal lesions on CT, over contrast phases."""

LESIONS_MR: Room[LesionPlan, LesionStore] = replace(
    LESIONS_CT, modality="mr", prepare=partial(prepare, kind="mr"), phantom=partial(phantom_mr, endpoints="all")
)
"""Focal lesions on MR, over phases and sequences, scaled by the crop or the liver (`scale`)."""
