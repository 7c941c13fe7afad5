"""Room: what every system of liver CT shares: axial slices in, scores of slices and their mean out, pictures."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import PositiveInt

from hepatica.cohort import Cohort
from hepatica.learn import pixels_to_images
from hepatica.protocol.plain import ImagePlan, grad_cam_of_body, infer_regions
from hepatica.protocol.records import Room
from hepatica.radiology.phantom import phantom_ct
from hepatica.radiology.picture import draw_study
from hepatica.radiology.slices import SliceStore
from hepatica.radiology.slices import prepare as prepare_slices
from hepatica.radiology.slicing import WINDOWS, Slicing


@dataclass(frozen=True, kw_only=True)
class SlicePlan(ImagePlan):
    """Settings of a system of axial CT slices."""

    side: PositiveInt = 224
    """Side of a slice in pixels, after resampling."""
    per_series: PositiveInt | None = None
    """Slices of one series, evenly spread over the liver; None takes all."""
    window: Literal["abdomen", "liver", "bone", "lung"] = "abdomen"
    """Window of Hounsfield units that is shown to the network."""


def prepare(cohort: Cohort, settings: SlicePlan, folder: Path) -> SliceStore:
    """Axial slices from the lowest to the highest of the liver, of all series of a study, in Hounsfield units."""
    slicing = Slicing(side=settings.side, per_series=settings.per_series)
    return prepare_slices(cohort.specimens_of("ct"), slicing=slicing, window=WINDOWS[settings.window], folder=folder)


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
    shortest={"side": 64, "per_series": 3, "epochs": 2},
    prepare=prepare,
    infer=infer_regions,
    saliency=partial(grad_cam_of_body, read=pixels_to_images),
    draw=draw_study,
    phantom=phantom_ct,
)
"""CT of the liver, any phases."""
