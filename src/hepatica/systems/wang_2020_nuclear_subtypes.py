"""Nuclear subtypes: to which of the subtypes that nuclei and immune cells form does this HCC belong?

Nuclei of hepatocellular carcinoma (HCC) are found, classed (parenchymal, lymphocyte, stromal) and measured; 246 numbers
describe those of a slide: shape, stain and texture by class, densities and neighbours. Consensus clustering of the
training patients gives the subtypes, and the nearest one in these numbers is that of another patient. S1 is the subtype
with the most deaths a month.

Departures:
1. The paper segments and classes nuclei by a network trained on outlined cells. Here a nuclear U-Net, or
   haematoxylin-Otsu and watershed (`found_by`), finds them, and size, length and darkness class them.
2. Subtypes are found in training patients and compared in others. Clusters do not use survival, so that their null is a
   permutation of survival among patients, in the report; stability and ambiguity are among the locked model's facts.
3. Patients are described by the mean over their slides.

Unclear (read: the head of the abstract, and the review of Ahn et al., which reports 246 features and three subtypes of
different prognosis, independent of genomic clusters; that the patients were those of TCGA-LIHC is unconfirmed):
1. The list of the 246 features: here 18 measures, 4 statistics, 3 classes, and 30 numbers of neighbourhood.
2. How three groups were chosen: here three are given; the numbers by least ambiguity and by the gap statistic are
   printed beside it.
3. The clustering inside the consensus: here K-means of standardised features.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, PositiveInt
from torch import nn

from hepatica.cohort import MicronsPerPixel, Subtypes
from hepatica.cohort.phantom import SEQUENCED
from hepatica.evaluate import cluster_stability
from hepatica.evaluate.groups.consensus import consensus
from hepatica.networks import NearestCentre, UNet
from hepatica.pathology.nuclei.instances import baseline
from hepatica.pathology.nuclei.measures import PROFILE, nuclei_of_tiles, profiles
from hepatica.pathology.nuclei.pretrained import NucleiSettings, train_nuclei, untrained
from hepatica.pathology.nuclei.training import Finder
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.pathology.store import TileStore
from hepatica.protocol import Inference, Paper, System, Training


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan, NucleiSettings):
    """Numbers of the abstract; nearly all are ours."""

    endpoint: str = "overall_survival"  # survival by which subtypes are compared
    found_by: Literal["unet", "otsu"] = "unet"  # ours: nuclear U-Net, or haematoxylin-Otsu and watershed
    most_groups: Annotated[int, Field(ge=2)] = 6  # ours: largest number of groups tried
    groups: Annotated[int, Field(ge=0)] = 3  # number of subtypes; 0: that of least ambiguity
    parts: PositiveInt = 100  # ours: random parts of the patients that are clustered, for each number of groups
    resamples: Annotated[int, Field(ge=2)] = 50  # ours: parts of the patients in which subtypes are found again
    tiles_per_specimen: PositiveInt | None = 200  # ours
    epochs: int = 1  # ours: nothing but the U-Net is trained in passes
    batch: int = 16  # ours: tiles read at once
    learning_rate: float = 4e-3  # ours
    validation: float = 0.0  # ours
    test: float = 0.4  # ours
    seed: int = 2020


class NuclearSubtypes(nn.Module):
    """`nuclei` finds nuclei, where it is not left to Otsu's threshold; `nearest` tells the subtype of their profile."""

    def __init__(self, nuclei: UNet | None, *, most: int) -> None:
        super().__init__()
        self.nuclei, self.nearest = nuclei, NearestCentre(len(PROFILE), most=most)


def build(settings: Settings, *, pretrained: bool) -> NuclearSubtypes:
    """The untrained network; the same from one seed."""
    nuclei = untrained(settings) if settings.found_by == "unet" else None
    torch.manual_seed(settings.seed)
    return NuclearSubtypes(nuclei, most=settings.most_groups)


def described(network: NuclearSubtypes, tiles: TileStore, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profiles of each specimen (by specimen_id) and of each tile (by row), of all nuclei found."""
    finder = Finder(network=network.nuclei, mpp=MicronsPerPixel(settings.mpp))
    nuclei = nuclei_of_tiles(tiles, finder)
    each = (settings.side * settings.mpp / 1000) ** 2
    counts = tiles.index["specimen_id"].value_counts(sort=False)
    slides = profiles(nuclei, of="specimen_id", names=counts.index, mm2=counts * each)
    rows = pd.RangeIndex(len(tiles))
    return slides, profiles(nuclei, of="region", names=rows, mm2=pd.Series(each, index=rows))


def train(training: Training[Settings, TileStore]) -> dict[str, Any]:
    """Fit the U-Net, describe the training patients, find their subtypes and lock the centres."""
    settings, network, facts = training.settings, training.network, {}
    if network.nuclei is not None:
        facts = train_nuclei(training, network.nuclei, mpp=settings.mpp)
    own = training.material.select(patient_ids=training.split.train)
    slides, _ = described(network, own, settings)
    owner = own.specimens.set_index("specimen_id")["patient_id"].loc[slides.index]
    patients = slides.groupby(owner).mean()
    network.nearest.standardise.fit(patients.to_numpy(np.float32))
    values = network.nearest.scaled(patients.to_numpy())
    how: dict[str, Any] = {"most": settings.most_groups, "parts": settings.parts, "count": settings.groups or None}
    found = consensus(values, seed=settings.seed, **how)
    groups = by_deaths(found.groups, training, patients.index)
    network.nearest.fit(values, groups)
    stability = cluster_stability(
        values, cluster=lambda rows, seed: consensus(rows, seed=seed, **how).groups, resamples=settings.resamples
    )
    sizes = np.bincount(groups)
    return facts | {
        "training patients": ", ".join(f"{size} of S{each + 1}" for each, size in enumerate(sizes)),
        "ambiguous pairs by number of groups": ", ".join(f"{k}: {v:.2f}" for k, v in found.ambiguous.items()),
        "groups by least ambiguity and by gap": f"{found.least_ambiguous}, {found.count_by_gap}",
        "adjusted Rand index over subsamples of the training patients": str(stability),
    }


def by_deaths(groups: NDArray[np.int64], training: Training[Any, Any], patients: pd.Index) -> NDArray[np.int64]:
    """The groups (n,) numbered anew, 0 the one of most events a month."""
    endpoint = training.cohort.survival(training.task.endpoint)
    followed = training.cohort.patients.loc[patients]
    table = (
        pd.DataFrame({"event": followed[endpoint.event] == 1, "time": followed[endpoint.time]}).groupby(groups).sum()
    )
    order = (table["event"] / table["time"]).sort_values(ascending=False, kind="stable").index
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return np.asarray(place[groups])


def predict(network: NuclearSubtypes, tiles: TileStore, settings: Settings) -> Inference:
    """Probability of each subtype in each slide; a tile's score is that of S1 by its own nuclei."""
    slides, regions = (network.nearest.scaled(each.to_numpy()) for each in described(network, tiles, settings))
    with torch.inference_mode():
        shares, own = (network.nearest(torch.from_numpy(each)).softmax(dim=1).numpy() for each in (slides, regions))
    where = tiles.index.drop_duplicates("specimen_id")[["patient_id", "specimen_id"]].reset_index(drop=True)
    names = [f"S{place + 1}" for place in range(int(network.nearest.count))]
    rows = [where.assign(score=shares[:, place], class_or_quantity=name) for place, name in enumerate(names)]
    specimens = pd.concat(rows, ignore_index=True).astype({"class_or_quantity": "string"})
    return Inference(specimens=specimens, regions=tiles.index.assign(score=own[:, 0]), signatures=regions)


def saliency(network: NuclearSubtypes, tiles: np.ndarray) -> np.ndarray:
    """Where nuclei were found, which is all that the subtypes rest on."""
    if network.nuclei is None:
        return np.stack([(baseline(tile) > 0).astype(np.float32) for tile in tiles])
    return Finder(network=network.nuclei).maps(tiles)[:, 0]


SYSTEM = System(
    name="wang_2020_nuclear_subtypes",
    question="To which of the subtypes that nuclei and immune cells form does this HCC belong?",
    paper=Paper(
        title="Single-Cell Spatial Analysis of Tumor and Immune Microenvironment on Whole-Slide Image Reveals"
        " Hepatocellular Carcinoma Subtypes",
        authors="Wang H, Jiang Y, Li B, Cui Y, Li D, Li R.",
        journal="Cancers 12:3562",
        year=2020,
        doi="10.3390/cancers12123562",
        reported={"development": {"subtypes overall_survival": 3}},
        patients="TCGA-LIHC (unconfirmed)",
        network="nuclear segmentation network, consensus clustering",
        validation="none outside TCGA-LIHC",
        code="not released",
    ),
    task=lambda settings: Subtypes(settings.endpoint),
    room=SLIDES,
    population=SEQUENCED,
    settings=Settings(),
    trial={"nuclei_pictures": 40, "nuclei_epochs": 12, "parts": 40, "resamples": 20},
    shortest={
        "tiles_per_specimen": 1,
        "parts": 6,
        "resamples": 2,
        "most_groups": 3,
        "found_by": "otsu",
        "groups": 2,
    },
    adjustable=("tiles_per_specimen",),
    build=build,
    train=train,
    infer=predict,
    saliency=saliency,
    meaning="probability of S1, the subtype with the most deaths",
)
