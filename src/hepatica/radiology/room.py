"""Room: what every system of liver CT shares: axial slices in, scores of slices and their mean out, pictures."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from hepatica.cohort import Cohort
from hepatica.learn import Augment, augmentation, pixels_to_images, warps
from hepatica.protocol.plain import ImagePlan, grad_cam_of_body, infer_regions
from hepatica.protocol.records import Room
from hepatica.radiology.measures import TOLERANCES, measure
from hepatica.radiology.phantom import phantom_ct
from hepatica.radiology.picture import draw_study
from hepatica.radiology.results.deliver import decline_study
from hepatica.radiology.slices import SliceStore
from hepatica.radiology.slices import prepare as prepare_slices
from hepatica.radiology.slicing import WINDOWS, Slicing


@dataclass(frozen=True, kw_only=True)
class SlicePlan(ImagePlan):
    """Settings of a system of axial CT slices."""

    side: PositiveInt = 224
    """Side of a slice in pixels, after resampling."""
    per_series: PositiveInt | None = None
    """Slices per series, evenly distributed over the liver; none: all."""
    window: Literal["abdomen", "liver", "bone", "lung"] = "abdomen"
    """Window of Hounsfield units that the network reads."""
    least_crop: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Smallest fraction of a slice's area to which augmentation crops."""
    degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Largest rotation in augmentation, degrees."""
    distortion: Annotated[float, Field(ge=0, le=0.6)] = 0.0
    """Largest distortion of perspective in augmentation, as a fraction of half the side."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Largest change of brightness and contrast in augmentation."""


def prepare(cohort: Cohort, settings: SlicePlan, folder: Path) -> SliceStore:
    """Axial slices from the lowest to the highest of the liver, of all series of a study, in Hounsfield units."""
    slicing = Slicing(side=settings.side, per_series=settings.per_series)
    return prepare_slices(cohort.specimens_of("ct"), slicing=slicing, window=WINDOWS[settings.window], folder=folder)


def augment(settings: SlicePlan) -> Augment:
    """Crop, perspective and rotation in one interpolation; mirror; brightness and contrast: slices are grey."""
    warped = warps.warp(
        warps.crop(area=(settings.least_crop, 1.0)),
        warps.perspective(distortion=settings.distortion),
        warps.rotation(degrees=settings.degrees),
    )
    grey = augmentation.jitter(brightness=settings.jitter, contrast=settings.jitter)
    return augmentation.compose(warped, augmentation.mirror(), grey)


CT: Room[SlicePlan, SliceStore] = Room(
    modality="ct",
    region="slice",
    extra="radiology",
    plan=SlicePlan,
    trial={
        "side": 128,
        "per_series": 5,
        "window": "liver",
        "body_shape": {"channels": [16, 32, 64, 128], "stem_width": 16},
        "weights": "random",
        "epochs": 20,
        "batch": 16,
    },
    shortest={"side": 64, "per_series": 3, "epochs": 2, "body_shape": {"channels": [8, 16, 32, 64], "stem_width": 8}},
    prepare=prepare,
    measure=measure,
    tolerances=TOLERANCES,
    augment=augment,
    infer=infer_regions,
    saliency=partial(grad_cam_of_body, read=pixels_to_images),
    draw=draw_study,
    decline=decline_study,
    phantom=phantom_ct,
)
"""CT of the liver, any phases."""
