"""Room: what every system of frozen features of slides shares: bags of features in, scores of bags and tiles out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from pydantic import Field, PositiveFloat, PositiveInt

from hepatica.cohort import Cohort, CohortError, MicronsPerPixel, SettingsError, Specimen, TilePixels
from hepatica.pathology.features.encoder import Encoder, build_encoder, card_of, encoder_digest
from hepatica.pathology.features.feature_file import ELSEWHERE, SUFFIXES, open_features, read_features
from hepatica.pathology.features.feature_store import FeatureStore, brought
from hepatica.pathology.features.feature_store import prepare as prepare_features
from hepatica.pathology.measures import TOLERANCES, of_slides
from hepatica.pathology.phantom import phantom_slides
from hepatica.pathology.picture import draw_map, draw_tiles, extremes
from hepatica.pathology.slide import open_slide
from hepatica.pathology.stain import StainSettings
from hepatica.pathology.tiles import Tiling
from hepatica.protocol.bags import BagPlan, infer_bags
from hepatica.protocol.records import Room
from hepatica.protocol.settings import override

SHOWN = TilePixels(224)
"""Pixels of the side of a tile as it is drawn."""


@dataclass(frozen=True, kw_only=True)
class FeaturePlan(BagPlan):
    """Settings of a system of frozen features of slides."""

    encoder: str = "resnet50"
    """Network that describes the tiles: one of encoders.toml, or any of timm."""
    encoder_shape: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of timm that change the architecture of the encoder."""
    weights: str = "published"
    """Weights of the encoder: published, random or a .safetensors file."""
    side: Annotated[int, Field(ge=32)] | None = None
    """Side of a tile in pixels; none: the encoder's."""
    mpp: PositiveFloat | None = None
    """Micrometres per pixel of a tile; none: the encoder's."""
    background: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Largest fraction of a tile that may be background."""
    tiles_per_specimen: PositiveInt | None = None
    """Tiles per slide, drawn at random by the seed; none: all."""
    stain: bool = False
    """Whether stains are normalised by Vahadane's method before the encoder, with one matrix per slide."""
    tiles_at_once: PositiveInt = 64
    """Tiles that the encoder describes at once."""
    made_by: str = ""
    """Digest of the encoder, found when training begins: no other features are read by the model."""
    width: Annotated[int, Field(ge=0)] = 0
    """Features of a tile, found when training begins; 0: the encoder's."""


def encoder_of(settings: FeaturePlan) -> Encoder:
    """The encoder of these settings."""
    return build_encoder(settings.encoder, weights=settings.weights, shape=settings.encoder_shape, seed=settings.seed)


def width_of(settings: FeaturePlan) -> int:
    """Features of a tile."""
    return settings.width or card_of(settings.encoder).width


def complete(cohort: Cohort, settings: FeaturePlan) -> FeaturePlan:
    """Note which encoder the features are of, how many there are and, of features brought from elsewhere, side and mpp
    of their tiles (None where the files do not say); CohortError where slides with such lie beside slides without, or
    such of different encoders or tiles.
    """
    files = [brought(each) for each in cohort.specimens_of("slide")]
    given = [each for each in files if each is not None]
    if not given:
        network = encoder_of(settings)
        width = _answer(network, side=settings.side or card_of(settings.encoder).side).shape[1]
        return replace(settings, made_by=encoder_digest(network), width=width)
    # A damaged file is a failure of its own slide, later; all of them are one here.
    found = [each for each in map(open_features, given) if each is not None] or [read_features(given[0])]
    kinds = {(each.encoder, each.width, each.tile) for each in found}
    if len(given) < len(files) or len(kinds) > 1:
        raise CohortError(
            f"got features of {len(given)} of {len(files)} slides, of {len(kinds)} kinds (encoder, number, size and"
            " magnification of tiles); give those of all slides by one encoder in the column `features`, or none"
        )
    side, mpp = found[0].tile or (None, None)
    return override(settings, {"made_by": found[0].encoder, "width": found[0].width, "side": side, "mpp": mpp})


def _answer(network: Encoder, *, side: int) -> torch.Tensor:
    try:
        with torch.inference_mode():
            found: torch.Tensor = network(torch.zeros(1, 3, side, side))
    except (AssertionError, RuntimeError) as error:
        raise SettingsError(f"the encoder does not read tiles of {side} pixels: {error}; set another side") from error
    return found


def prepare(cohort: Cohort, settings: FeaturePlan, folder: Path, *, progress: bool = True) -> FeatureStore:
    """Features of tissue tiles on a grid without overlap, read from the slide, or brought with it."""
    settings = settings if settings.made_by else complete(cohort, settings)
    card = card_of(settings.encoder)
    tiling = Tiling(
        side=TilePixels(settings.side or card.side),
        mpp=MicronsPerPixel(settings.mpp or card.side_mpp),
        background=settings.background,
        limit=settings.tiles_per_specimen,
        seed=settings.seed,
    )
    unknown = settings.made_by == ELSEWHERE and settings.side is None
    return prepare_features(
        cohort.specimens_of("slide"),
        tiling=tiling,
        tile=None if unknown else (tiling.side, tiling.mpp),
        stain=StainSettings() if settings.stain else None,
        encoder=partial(_same_encoder, settings),
        made_by=settings.made_by,
        width=settings.width,
        batch=settings.tiles_at_once,
        folder=folder,
        progress=progress,
    )


def _same_encoder(settings: FeaturePlan) -> Encoder:
    if settings.made_by == ELSEWHERE:
        raise CohortError(
            "the model was trained on features made elsewhere, and slides without such are given; name the files of"
            " features of the same encoder in the column `features` of specimens.csv"
        )
    if settings.made_by in _KEPT:
        return _KEPT[settings.made_by]
    network = encoder_of(settings)
    if (found := encoder_digest(network)) != settings.made_by:
        raise CohortError(
            f"the features of training are of encoder {settings.made_by[:12]}, but {settings.encoder} with weights"
            f" {settings.weights} is {found[:12]}; give its weights (--set weights=FILE.safetensors), or features of"
            " that encoder in the column `features` of specimens.csv"
        )
    _KEPT.clear()
    _KEPT[settings.made_by] = network
    return network


_KEPT: dict[str, Encoder] = {}
"""The last encoder by its digest, for a process that is given one slide after the other."""


def measure(store: FeatureStore) -> pd.DataFrame:
    """What SLIDES measures of each slide, by specimen_id, noted when its features were computed; of features brought
    from elsewhere their mean and SD.
    """
    slides = store.specimens.set_index("specimen_id")
    return of_slides(store.specimens).join(
        slides[[name for name in ("features_mean", "features_sd") if name in slides]]
    )


def row_scores(network: Any, features: np.ndarray) -> np.ndarray:
    """Score of each row of features (n, width) in 0..1, in one bag."""
    rows = torch.from_numpy(features)
    with torch.inference_mode():
        scores: np.ndarray = network({"rows": rows[None], "mask": torch.ones(1, len(rows))}).scores[0].numpy()
    return scores


def draw_features(
    specimen: Specimen,
    *,
    material: FeatureStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write a heatmap of tile scores (PNG), the same for QuPath (GeoJSON), and the extreme tiles (PNG), read from the
    slide; nothing where only features are there.
    """
    if specimen.path.suffix.lower() in SUFFIXES:
        return []
    drawn = draw_map(specimen, regions=regions, stem=stem, note=note, meaning=meaning)
    shown = regions.iloc[extremes(regions["score"].to_numpy())]
    with open_slide(specimen.path, mpp=specimen.mpp, force=specimen.force_mpp) as slide:
        mpp = MicronsPerPixel(slide.mpp * float(shown["extent"].iloc[0]) / SHOWN)
        corners = shown[["x", "y"]].to_numpy().tolist()
        images = np.stack([slide.read((x, y), side=SHOWN, mpp=mpp) for x, y in corners])
    scores = shown["score"].to_numpy()
    return [*drawn, draw_tiles(images, scores, maps=None, stem=stem, note=note, meaning=meaning)]


FEATURES: Room[FeaturePlan, FeatureStore] = Room(
    modality="slide",
    region="tile",
    extra="pathology",
    plan=FeaturePlan,
    trial={
        "encoder": "resnet18.tv_in1k",
        "encoder_shape": {"channels": [16, 32, 64, 128]},
        "weights": "random",
        "side": 128,
        "mpp": 1.0,
        "tiles_per_specimen": 24,
        "stain": True,
        "epochs": 40,
        "batch": 64,
    },
    shortest={"side": 64, "tiles_per_specimen": 4, "epochs": 2},
    complete=complete,
    prepare=prepare,
    measure=measure,
    tolerances=TOLERANCES,
    infer=infer_bags,
    saliency=row_scores,
    draw=draw_features,
    phantom=phantom_slides,
)
"""H&E slides by what a frozen encoder says of their tiles."""
