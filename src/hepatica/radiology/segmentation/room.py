"""Room: what every system of segmentation shares: volumes in, patches learnt, windows slid over, masks out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from torch import Tensor, nn

from hepatica.cohort import Cohort, Task
from hepatica.learn import Arrays, Fresh, Loss, Samples
from hepatica.learn.infer import evaluating
from hepatica.networks.heads import Reading as Maps
from hepatica.protocol.plain import fit_stage
from hepatica.protocol.records import Inference, Room, Training
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.nifti import nifti_bytes
from hepatica.radiology.lesions.crops import steps
from hepatica.radiology.lesions.marks import MASK
from hepatica.radiology.masks.mask import LABELS
from hepatica.radiology.phantom import phantom_ct, phantom_mr
from hepatica.radiology.results.deliver import decline_study
from hepatica.radiology.segmentation.patches import patches
from hepatica.radiology.segmentation.plan import SegmentPlan
from hepatica.radiology.segmentation.results import TOLERANCES, cases, deliver_masks, draw_masks, measure
from hepatica.radiology.segmentation.store import Reading, VolumeStore
from hepatica.radiology.segmentation.store import prepare as prepare_volumes
from hepatica.radiology.segmentation.windows import Planes, slide

_FULL = 255  # of probabilities kept in a byte


class Segmenter(nn.Module):
    """Patches on 0..1, (b, slices, y, x) or solid (b, z, 1, y, x), to logits (b, 1 + classes, [z,] y, x), the first of
    what is none of the classes, and a signature (b, d): what `body` makes of them.
    """

    def __init__(self, body: nn.Module, settings: SegmentPlan) -> None:
        super().__init__()
        self.body, self.settings = body, settings

    def forward(self, images: Tensor) -> Maps:
        """Segment a batch."""
        found: Maps = self.body(images)
        return found

    def shares(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Probability of each class and what lies in it, (b, classes, [z,] y, x), on the CPU, and the signature."""
        found = self(images.to(next(self.parameters()).device))
        return found.logits.softmax(1).flip(1).cumsum(1).flip(1)[:, 1:].cpu(), found.signature.cpu()


def prepare(cohort: Cohort, settings: SegmentPlan, folder: Path, *, kind: Kind = "ct") -> VolumeStore:
    """Volumes of one phase of each study, and what is outlined in them where something is."""
    column = getattr(cohort.endpoints.get(settings.endpoint), "column", MASK)
    return prepare_volumes(
        cohort.specimens_of(kind),
        reading=Reading(kind=kind, phase=settings.phase, voxel_mm=settings.voxel_mm, column=column),
        folder=folder,
        black_white=settings.hu,
        depth=settings.voxels[0] if settings.solid else settings.depth,
        solid=settings.solid,
    )


def outlined_studies(store: VolumeStore, patients: Sequence[str]) -> list[str]:
    """Studies of these patients in which something is outlined."""
    own = store.specimens[store.specimens["patient_id"].isin(patients) & store.specimens["outlined"]]
    return list(own["specimen_id"])


def train_segments(
    training: Training[Any, VolumeStore],
    *,
    network: nn.Module | None = None,
    loss: Loss | None = None,
    stage: str = "training",
    epochs: int | None = None,
) -> dict[str, Any]:
    """Fit the network, or another, to patches of the training patients' studies, other ones in every epoch; a system's
    whole `train`. Those of tuning are as they are, the same in each. By default the loss is the plan's.
    """
    settings, store = training.settings, training.material
    studies = {each: outlined_studies(store, getattr(training.split, each)) for each in ("train", "validation")}
    make = partial(patches, store, studies["train"], patching=settings.patching, seed=settings.seed)
    name = f"patches of {len(studies['train'])} studies"
    samples: dict[str, Any] = {
        "train": Fresh(make=make, count=settings.patches * len(studies["train"]), name=name),
    }
    if studies["validation"]:
        numbers = np.arange(settings.patches * len(studies["validation"]))
        still = patches(store, studies["validation"], numbers, patching=settings.still, seed=settings.seed)
        samples["validation"] = Samples(inputs=Arrays(values=still[0]), labels=still[1])
    history = fit_stage(
        training,
        stage,
        network or training.network,
        samples,
        plan=replace(settings, epochs=epochs or settings.epochs),
        loss=loss or settings.loss,
    )
    return {"epochs": len(history.epochs)}


def infer_segments(network: Segmenter, material: VolumeStore, settings: SegmentPlan, task: Task) -> Inference:
    """The mask of each study on the grid of its scan, as NIfTI of the labels of `masks.mask`, and the volume of each
    class; of each lesion its volume, highest probability, centre and diameter. A slice's score is the highest
    probability of the last class in it.
    """
    found = [_segmented(network, material, str(name), settings, task) for name in material.specimens["specimen_id"]]
    specimens, lesions, files, regions, signatures = zip(*found, strict=True)
    return Inference(
        specimens=pd.concat(specimens, ignore_index=True),
        regions=material.index.assign(**pd.concat(regions, ignore_index=True)),
        signatures=np.concatenate(signatures),
        lesions=pd.concat(known, ignore_index=True) if (known := [each for each in lesions if len(each)]) else None,
        files={name: content for each in files for name, content in each.items()},
    )


def _segmented(network: Segmenter, store: VolumeStore, name: str, settings: SegmentPlan, task: Task) -> Any:
    """Rows of the specimen and of its lesions, its file, rows of its slices, and their signatures."""
    grid, own = store.grid(name), store.own_grid(name)
    shares = np.empty((len(settings.classes), *grid.shape), np.uint8)
    scores, signatures = [], []
    for planes in sliding(network, partial(store.slab, name), grid.shape):
        end = planes.first + planes.probabilities.shape[1]
        shares[:, planes.first : end] = np.rint(planes.probabilities * _FULL)
        scores.append(planes.probabilities[-1].max(axis=(1, 2)))
        signatures.append(planes.signatures)
    labels, lesions = marked(shares, grid=grid, own=own, settings=settings)
    study = store.specimens.set_index("specimen_id").loc[name]
    who = {"patient_id": study["patient_id"], "specimen_id": name, "task": task.KIND, "endpoint": task.endpoint}
    path, ml = f"masks/{study['key']}.nii.gz", float(np.prod(own.spacing)) / 1000
    volumes = [np.count_nonzero(labels >= LABELS[each]) * ml for each in settings.classes]
    rows = pd.DataFrame({"class_or_quantity": settings.classes, "score": volumes})
    more = who | {"horizon_months": np.nan}
    regions = pd.DataFrame({"score": np.concatenate(scores), "series": 1, "phase": study["phase"], "path": path})
    return (
        rows.assign(**more, path=path), lesions.assign(**more), {path: nifti_bytes(labels, own)},
        regions, np.concatenate(signatures),
    )  # fmt: skip


def sliding(
    network: Segmenter, read: Callable[[int, int], np.ndarray], shape: tuple[int, int, int]
) -> Iterator[Planes]:
    """What the network says of a volume, its slices in order; on the GPU if there is one."""
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with evaluating(network, where), torch.inference_mode():
        yield from slide(read, shape, network.shares, sliding=network.settings.sliding)


def marked(
    shares: np.ndarray, *, grid: Geometry, own: Geometry, settings: SegmentPlan
) -> tuple[np.ndarray, pd.DataFrame]:
    """Labels (z y x) uint8 on the grid `own`, and a row a lesion: lesion_id, score (mL), probability, diameter_mm (of a
    sphere of its volume), x_mm, y_mm, z_mm.

    `shares` (classes z y x) uint8 of 255 lie on `grid`. A voxel is of a class from its cut-off on; of the liver the
    largest part counts, holes filled; lesions lie within it where it is segmented, and have a least diameter.
    """
    labels = np.zeros(own.shape, np.uint8)
    found = pd.DataFrame(columns=_OF_LESIONS)
    for name, share, cut in zip(settings.classes, shares, settings.cuts, strict=True):
        share = share if grid.agrees(own) else _on(share, grid, own)
        part = share >= _FULL * cut
        if name == "liver":
            labels[_largest(part)] = LABELS[name]
        else:
            inside = part & (labels > 0) if "liver" in settings.classes else part
            kept, found = _lesions(inside, share, geometry=own, least_mm=settings.least_mm)
            labels[kept] = LABELS[name]
    return labels, found


_OF_LESIONS = ["lesion_id", "score", "class_or_quantity", "probability", "diameter_mm", "x_mm", "y_mm", "z_mm"]


def _on(share: np.ndarray, grid: Geometry, own: Geometry) -> np.ndarray:
    matrix, offset = steps(grid, own)
    found = ndimage.affine_transform(share, matrix, offset, output_shape=own.shape, order=1, mode="nearest")
    return np.asarray(found)


def _largest(part: np.ndarray) -> np.ndarray:
    """The largest connected part, its holes filled; nothing of nothing."""
    numbers, count = ndimage.label(part)
    if not count:
        return part
    largest = numbers == 1 + np.argmax(np.bincount(numbers.ravel())[1:])
    (box,) = ndimage.find_objects(largest.astype(np.uint8))
    largest[box] = ndimage.binary_fill_holes(largest[box])
    return np.asarray(largest)


def _lesions(
    part: np.ndarray, share: np.ndarray, *, geometry: Geometry, least_mm: float
) -> tuple[np.ndarray, pd.DataFrame]:
    """The parts (touching by face, edge or corner) that are large enough, and a row of each."""
    numbers, count = ndimage.label(part, np.ones((3, 3, 3)))
    which = np.arange(1, count + 1)
    ml = np.bincount(numbers.ravel(), minlength=count + 1)[1:] * float(np.prod(geometry.spacing)) / 1000
    diameter = np.cbrt(6000 / np.pi * ml)
    large = diameter >= least_mm
    centres = np.array(ndimage.center_of_mass(part, numbers, which)).reshape(-1, 3)[:, ::-1]
    places = centres @ geometry.lps[:3, :3].T + geometry.lps[:3, 3]
    highest = np.array(ndimage.maximum(share, numbers, which)).reshape(-1) / _FULL
    table = pd.DataFrame({"score": ml, "class_or_quantity": "lesions", "probability": highest, "diameter_mm": diameter})
    table[["x_mm", "y_mm", "z_mm"]] = places.round(1)
    kept = table[large].reset_index(drop=True)
    names = (kept.index + 1).astype(str)
    return np.isin(numbers, which[large]), kept.assign(lesion_id=names)[_OF_LESIONS]


def probabilities(network: Segmenter, images: np.ndarray) -> np.ndarray:
    """Probability of the last class in each voxel of patches or whole slices as `VolumeStore.read` has them, (b y x) or
    solid (b z y x): of a segmentation, where it finds what it looks for.
    """
    return np.stack([_last(network, each) for each in images])


def _last(network: Segmenter, image: np.ndarray) -> np.ndarray:
    solid = network.settings.solid
    slab = image[..., 0] if solid else np.moveaxis(image, -1, 0)
    shape = (len(slab) if solid else 1, *slab.shape[1:])
    planes = sliding(network, lambda first, end: slab, shape)
    found = np.concatenate([each.probabilities[-1] for each in planes])
    return np.asarray(np.clip(found if solid else found[0], 0, 1))


SEGMENT_CT: Room[SegmentPlan, VolumeStore] = Room(
    modality="ct",
    region="slice",
    extra="radiology",
    plan=SegmentPlan,
    trial={
        "voxel_mm": (6.0, 4.0, 4.0), "voxels": (1, 64, 64), "epochs": 40, "batch": 8, "patches": 4,
        "schedule": "cosine",
    },
    shortest={"voxel_mm": None, "voxels": (1, 64, 64), "overlap": 0.0, "epochs": 2, "patches": 1, "batch": 8},
    prepare=prepare,
    measure=measure,
    tolerances=TOLERANCES,
    infer=infer_segments,
    saliency=probabilities,
    draw=draw_masks,
    deliver=deliver_masks,
    decline=decline_study,
    phantom=phantom_ct,
    cases=cases,
)  # fmt: skip
"""Liver and lesions on CT."""

SEGMENT_MR: Room[SegmentPlan, VolumeStore] = replace(
    SEGMENT_CT, modality="mr", prepare=partial(prepare, kind="mr"), phantom=partial(phantom_mr, endpoints="all")
)
"""Liver and lesions on MR, in the signal of one sequence or phase, on the scale of each scan."""
