"""Room: what every system of H&E slides shares: tissue tiles in, scores of tiles and their mean out, heatmaps."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from hepatica.cohort import Cohort, MicronsPerPixel, TilePixels
from hepatica.learn import Augment, Share, augmentation, pixels_to_images
from hepatica.pathology.measures import CHANNEL_TOLERANCES, STAINS, TOLERANCES, channel_maps, measure
from hepatica.pathology.phantom import phantom_multiphoton, phantom_slides
from hepatica.pathology.picture import draw_slide
from hepatica.pathology.stain import REFERENCE, StainSettings
from hepatica.pathology.store import TileStore
from hepatica.pathology.store import prepare as prepare_tiles
from hepatica.pathology.tiles import Tiling
from hepatica.protocol.plain import ImagePlan, grad_cam_of_body, infer_regions
from hepatica.protocol.records import Room


@dataclass(frozen=True, kw_only=True)
class SlidePlan(ImagePlan):
    """Settings of a system of slides."""

    side: Annotated[int, Field(ge=32)] = 224
    """Side of a tile in pixels."""
    mpp: PositiveFloat = 0.5
    """Micrometres per pixel of a tile."""
    background: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Largest fraction of a tile that may be background."""
    tiles_per_specimen: PositiveInt | None = None
    """Tiles per slide, drawn at random by the seed; none: all."""
    stain: bool = True
    """Whether stains are normalised by Vahadane's method, with one matrix per slide."""
    stain_change: Share = 0.0
    """Largest fraction by which augmentation makes a stain stronger or weaker, of tiles whose stains are normalised."""
    noise: Share = 0.0
    """SD of the Gaussian noise in augmentation, as a fraction of full scale."""
    erase: Share = 0.0
    """Fraction of tiles from which augmentation erases a rectangle."""


def prepare(cohort: Cohort, settings: SlidePlan, folder: Path) -> TileStore:
    """Tissue tiles on a grid without overlap, stain-normalised where the settings say so."""
    tiling = Tiling(
        side=TilePixels(settings.side),
        mpp=MicronsPerPixel(settings.mpp),
        background=settings.background,
        limit=settings.tiles_per_specimen,
        seed=settings.seed,
    )
    stain = StainSettings() if settings.stain else None
    return prepare_tiles(cohort.specimens_of("slide"), tiling=tiling, stain=stain, folder=folder)


def augment(settings: SlidePlan) -> Augment:
    """Flips and quarter turns; stronger and weaker stains, noise and erasing as the settings say."""
    recolour = [augmentation.stains(REFERENCE.matrix, strength=settings.stain_change)] if settings.stain_change else []
    return augmentation.compose(
        *recolour,
        augmentation.flips(),
        augmentation.quarter_turns(),
        augmentation.noise(sd=settings.noise),
        augmentation.erase(p=settings.erase),
    )


SLIDES: Room[SlidePlan, TileStore] = Room(
    modality="slide",
    region="tile",
    extra="pathology",
    plan=SlidePlan,
    trial={
        "side": 128,
        "mpp": 1.0,
        "tiles_per_specimen": 6,
        "weights": "random",
        "epochs": 6,
        "batch": 16,
        "learning_rate": 3e-4,
    },
    shortest={"side": 64, "tiles_per_specimen": 3, "epochs": 2},
    prepare=prepare,
    measure=measure,
    tolerances=TOLERANCES,
    augment=augment,
    infer=infer_regions,
    saliency=partial(grad_cam_of_body, read=pixels_to_images),
    draw=draw_slide,
    phantom=phantom_slides,
)
"""H&E slides of resections and biopsies."""


def prepare_unstained(cohort: Cohort, settings: SlidePlan, folder: Path) -> TileStore:
    """The same tiles, and nothing of stains."""
    store = prepare(cohort, settings, folder)
    names = store.specimens.columns
    return replace(store, specimens=store.specimens[names[~names.str.startswith(STAINS)]])


MULTIPHOTON = replace(
    SLIDES,
    prepare=prepare_unstained,
    measure=partial(measure, maps=channel_maps),
    tolerances=CHANNEL_TOLERANCES,
    phantom=phantom_multiphoton,
)
"""Unstained sections under a multiphoton microscope, as images with SHG red and TPEF green."""
