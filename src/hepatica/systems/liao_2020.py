"""Tumour and mutations: is there hepatocellular carcinoma in this section, and which genes are mutated in it?

Tiles of 256 pixels at 20-fold magnification are read by a convolutional network, a slide's score is the mean over its
tiles. One network tells HCC from liver beside it, another has one output a gene.

Departures:
1. For trials a narrow ResNet replaces Inception-v3.
2. Confidence intervals are over patients: slides of tumour and of liver beside it are often of the same ones, and those
   stay on one side of the split.

Unclear: the text could not be read where this was written, only its abstract and reviews.
1. The network, taken to be Inception-v3, and its training.
2. Tile size and magnification, taken from other studies of TCGA-LIHC.
3. Areas of single genes: reviews give "above 0.70".
4. Which kinds of variant make a gene mutated: `hepatica fetch tcga-lihc --gene` counts those that change the protein.
"""

from dataclasses import dataclass, replace
from functools import partial

from hepatica.cohort import Binary
from hepatica.cohort.phantom import BIOPSIED, SEQUENCED
from hepatica.learn import pixels_to_images
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import NARROW, grad_cam_of_body, pooled, train_plainly


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan):
    """Reviews give the side of a tile and the genes; all else is ours."""

    genes: tuple[str, ...] = ("alb", "csmd3", "ctnnb1", "muc4", "obscn", "tp53", "ryr2")
    """Labels of the network of mutations, in lower case; without meaning for the other."""
    body: str = "inception_v3.tv_in1k"  # ours; see Unclear 1
    side: int = 256
    stain: bool = False  # ours
    epochs: int = 30  # ours
    batch: int = 64  # ours
    learning_rate: float = 1e-4  # ours
    seed: int = 2020


SYSTEM = System(
    name="liao_2020",
    question="Is there hepatocellular carcinoma in this section?",
    paper=Paper(
        title="Deep learning-based classification and mutation prediction from histopathological images of"
        " hepatocellular carcinoma",
        authors="Liao H, Long Y, Han R, et al.",
        journal="Clinical and Translational Medicine 10(2):e102",
        year=2020,
        doi="10.1002/ctm2.102",
        reported={"internal": {"auroc malignant": 1.0}},
        patients="491 slides of TCGA-LIHC; tissue microarray of 455 patients",
        network="convolutional network",
        validation="external: a tissue microarray of another hospital",
        code="not released",
    ),
    task=Binary("malignant"),
    room=SLIDES,
    population=BIOPSIED,
    settings=Settings(),
    trial=NARROW,
    build=partial(pooled, outputs=2),
    train=train_plainly,
    meaning="probability of HCC",
)


MUTATIONS = replace(
    SYSTEM,
    name="liao_2020_mutations",
    question="Which genes are mutated in this hepatocellular carcinoma?",
    paper=replace(SYSTEM.paper, reported={}),
    task=lambda settings: Binary(settings.genes[0], beside=settings.genes[1:]),  # learnt together
    population=SEQUENCED,
    trial={**NARROW, "genes": ("ctnnb1", "tp53")},
    build=partial(pooled, outputs="genes"),
    saliency=partial(grad_cam_of_body, read=pixels_to_images, output=0),
    meaning="probability of a {first} mutation",
)
"""The second network of the paper."""
