"""Inception-v3 of liver histology: is this tissue malignant, how is the tumour differentiated, which genes are mutated?

Tiles of 256 pixels at 20-fold magnification are read by Inception-v3; a slide's score is the mean over its tiles. Three
networks of one kind: benign or malignant tissue; well, moderately or poorly differentiated HCC; mutations, one output a
gene.

Departures:
1. The cut-off balances sensitivity and specificity in the patients of training and tuning. The released code takes the
   one that is best in the external set, and reports 96.0 % accuracy in that same set.
2. AUROC is the exact statistic, with an interval over patients; the code averages 2,000 resamples of 1,000 pairs of
   slides.
3. For trials a narrow ResNet replaces Inception-v3, which timm has in one width only.

Unclear:
1. Learning rate, its schedule and the optimiser: see `Settings`. 10,000 steps of 400 tiles are 74 passes over the
   54,192 training tiles of the first network, the number of epochs here. The README also offers a closed service.
2. How tiles of tumour were found for grades and mutations: here all tiles of the specimen are read, or
   of its outlined region where specimens.csv has the column `region`.
3. Which kinds of variant make a gene mutated: `hepatica fetch tcga-lihc --gene` counts those that change the protein.
4. The slides are frozen sections of TCGA-LIHC; diagnostic sections look different.
5. Area under the curve of single genes: the abstract gives 0.71 to 0.89 for CTNNB1, FMN2, TP53 and ZFX4 together.
"""

from dataclasses import dataclass, replace
from functools import partial

from hepatica.cohort import Binary, MultiClass
from hepatica.cohort.phantom import BIOPSIED, SEQUENCED
from hepatica.learn import Share, pixels_to_images
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import NARROW, grad_cam_of_body, pooled, train_plainly


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan):
    """The numbers of the released code; what it leaves open is ours."""

    genes: tuple[str, ...] = (
        "csmd1", "ctnnb1", "eys", "fmn2", "mdm4", "rb1", "tp53", "zfx4", "arid1a", "ash1l",
    )  # fmt: skip
    """Labels of the network of mutations, in lower case; without meaning for the others."""
    body: str = "inception_v3.tv_in1k"
    side: int = 256
    background: float = 0.5
    stain: bool = False  # ours: the code does not normalise
    epochs: int = 74  # see Unclear 1
    batch: int = 400
    learning_rate: float = 1e-3  # ours
    validation: Share = 0.1
    test: Share = 0.3
    seed: int = 2020


SYSTEM = System(
    name="chen_2020",
    question="Is this liver tissue malignant?",
    paper=Paper(
        title="Classification and mutation prediction based on histopathology H&E images in liver cancer using deep"
        " learning",
        authors="Chen M, Zhang B, Topatana W, et al.",
        journal="npj Precision Oncology 4:14",
        year=2020,
        doi="10.1038/s41698-020-0120-3",
        reported={"external": {"accuracy malignant": 0.960}},
        patients="425 of TCGA-LIHC (450 slides); 67 with HCC and 34 normal slides of a hospital",
        network="Inception-v3",
        validation="a second hospital, with the cut-off that is best in it",
        code="released, partly",
    ),
    task=Binary("malignant", rule="balanced"),
    room=SLIDES,
    population=BIOPSIED,
    settings=Settings(),
    trial=NARROW,
    build=partial(pooled, outputs=2),
    train=train_plainly,
    meaning="probability of malignancy",
)

GRADE = replace(
    SYSTEM,
    name="chen_2020_grade",
    question="Is this hepatocellular carcinoma well, moderately or poorly differentiated?",
    paper=replace(SYSTEM.paper, reported={"external": {"accuracy grade": 0.896}}),
    task=MultiClass("grade", classes=("well", "moderate", "poor"), ordered=True),
    population=SEQUENCED,
    build=partial(pooled, outputs=3),
    saliency=partial(grad_cam_of_body, read=pixels_to_images, output=-1),
    meaning="probability of poor differentiation",
)
"""The second network of the paper."""


MUTATIONS = replace(
    SYSTEM,
    name="chen_2020_mutations",
    question="Which genes are mutated in this hepatocellular carcinoma?",
    paper=replace(SYSTEM.paper, reported={}),
    task=lambda settings: Binary(settings.genes[0], beside=settings.genes[1:]),  # learnt together
    population=SEQUENCED,
    trial={**NARROW, "genes": ("ctnnb1", "tp53")},
    build=partial(pooled, outputs="genes"),
    saliency=partial(grad_cam_of_body, read=pixels_to_images, output=0),
    meaning="probability of a {first} mutation",
)
"""The third."""
