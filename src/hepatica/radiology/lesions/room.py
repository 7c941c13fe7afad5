"""Room: what every system of focal lesions shares: crops over phases in, scores of lesions and of their patients out."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import torch
from pydantic import Field, PositiveFloat, PositiveInt

from hepatica.cohort import Cohort, Task
from hepatica.cohort.predictions import LESION
from hepatica.learn import Plan, infer
from hepatica.learn.images import as_network_input
from hepatica.protocol.plain import grad_cam_of_body, logits_of, scored, scores
from hepatica.protocol.records import Inference, Room
from hepatica.radiology.lesions.crops import Cropping
from hepatica.radiology.lesions.measures import TOLERANCES, measure
from hepatica.radiology.lesions.store import LesionStore, Reading, Scale
from hepatica.radiology.lesions.store import prepare as prepare_lesions
from hepatica.radiology.phantom import phantom_ct
from hepatica.radiology.phase.together import Absent
from hepatica.radiology.results.deliver import decline_study
from hepatica.radiology.slicing import WINDOWS

CTPhase = Literal["plain", "arterial", "portal venous", "delayed"]


@dataclass(frozen=True, kw_only=True)
class LesionPlan(Plan):
    """Settings of a system of focal lesions."""

    phases: tuple[str, ...] = ("plain", "arterial", "delayed")
    """Phases that are read, as channels in this order."""
    absent: Absent = "refuse"
    """A study without one of them is refused; or the nearest phase stands in (nearest), or it is left empty (zero)."""
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
    scale: Literal["window", "crop"] = "window"
    """What becomes 0 to 1: the window, or the range of each phase within the crop."""
    window: Literal["abdomen", "liver", "bone", "lung"] = "liver"
    """Window of Hounsfield units that the network reads."""
    pooling: Literal["largest", "mean", "highest"] = "largest"
    """A patient's score: that of their largest lesion, the mean over their lesions, or the highest."""


def prepare(cohort: Cohort, settings: LesionPlan, folder: Path) -> LesionStore:
    """Crops of the lesions of lesions.csv, in Hounsfield units."""
    cropping = Cropping(
        voxels=settings.voxels,
        share=settings.lesion_share,
        voxel_mm=settings.voxel_mm,
        slices=settings.slices,
        rim_mm=settings.rim_mm,
    )
    return prepare_lesions(
        cohort.specimens_of("ct"),
        cohort.lesions,
        reading=Reading(phases=settings.phases, absent=settings.absent, cropping=cropping),
        scale=Scale(kind=settings.scale, window=WINDOWS[settings.window]),
        folder=folder,
    )


def infer_lesions(network: Any, material: LesionStore, settings: LesionPlan, task: Task) -> Inference:
    """Scores of each crop, their mean over the slices of each lesion, and of each specimen by `pooling`."""
    convert = scores(task)
    score, signature = infer(
        network,
        material,
        batch=settings.batch,
        label="reading",
        outputs=lambda read: (convert(logits_of(read)), getattr(read, "signature", read)),
    )
    wide = pd.DataFrame(score).assign(**{each: material.index[each] for each in (*LESION, "diameter_mm")})
    lesions = wide.groupby(LESION, sort=False).mean().reset_index()
    whole = _pooled(lesions, columns=list(range(score.shape[1])), pooling=settings.pooling)
    return Inference(
        specimens=scored(whole.index.to_frame(index=False), whole.to_numpy(), task=task),
        regions=material.index.assign(score=score.max(axis=1)),
        signatures=signature,
        lesions=scored(lesions[LESION], lesions[whole.columns].to_numpy(), task=task),
    )


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
    infer=infer_lesions,
    saliency=partial(grad_cam_of_body, read=lambda values: as_network_input(torch.from_numpy(values))),
    decline=decline_study,
    phantom=partial(phantom_ct, endpoints="all"),
)
"""Focal lesions on CT, over contrast phases."""
