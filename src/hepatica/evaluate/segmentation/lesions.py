"""Lesions: which lesions predicted regions hit, and sensitivity against false positives a scan (FROC)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.confusion import confusion, sensitivity
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import Patients, patients_of
from hepatica.evaluate.segmentation.overlap import binary_mask


@dataclass(frozen=True, kw_only=True)
class Detections:
    """One scan: `lesions` holds for each lesion the highest score of a region that hits it, -inf where none does.

    `false_positives` holds the score of each region that touches no lesion.
    """

    lesions: Floats
    false_positives: Floats


@dataclass(frozen=True, kw_only=True)
class FrocPoint:
    """At one threshold: share of all lesions hit, and mean of the false positives a scan."""

    threshold: float
    sensitivity: Estimate
    false_positives: Estimate


def detections(
    truth: ArrayLike, *, predicted: ArrayLike, score: ArrayLike | None = None, overlap: float = 0
) -> Detections:
    """Match regions of a predicted mask to the lesions of a true mask of the same shape.

    Lesions and regions are voxels that touch by face, edge or corner. A region hits a lesion when it covers at least
    one voxel of it and at least the share `overlap` (0 to 1); one that touches a lesion is never a false positive. The
    score of a region is the highest `score` in it, 1 without scores. Raises EvaluationError on shapes that differ,
    masks that hold more than 0 and 1, or scores that are not finite.
    """
    true, found = binary_mask(truth, name="truth"), binary_mask(predicted, name="predicted")
    scores = np.ones(found.shape) if score is None else np.asarray(score, dtype=np.float64)
    if true.shape != found.shape or scores.shape != found.shape:
        raise EvaluationError(f"masks: got shapes {true.shape}, {found.shape}, {scores.shape}, wanted one shape")
    if not np.isfinite(scores[found]).all():
        raise EvaluationError("score: some voxels of the predicted mask have none, wanted a finite number in each")
    touching = np.ones((3,) * true.ndim)
    lesion, lesions = ndimage.label(true, structure=touching)
    region, regions = ndimage.label(found, structure=touching)
    shared = np.zeros((lesions + 1, regions + 1))
    np.add.at(shared, (lesion[true], region[true]), 1)
    size, shared = shared[1:].sum(axis=1, keepdims=True), shared[1:, 1:]
    highest = np.asarray(ndimage.maximum(scores, region, np.arange(1, regions + 1)), dtype=np.float64)
    hit = (shared > 0) & (shared >= overlap * size)
    return Detections(
        lesions=np.where(hit, highest, -np.inf).max(axis=1, initial=-np.inf),
        false_positives=highest[~(shared > 0).any(axis=0)],
    )


def froc(
    scans: Sequence[Detections], *, thresholds: ArrayLike | None = None, group: ArrayLike | None = None
) -> list[FrocPoint]:
    """Free-response ROC (Bunch 1977, Proc SPIE 127:124): a point a threshold, from the highest score down.

    Regions that score at or above a threshold count. `thresholds` are all scores found unless given. `group` (scans,)
    names the patient of each scan when there are several. Intervals rest on patients: Clopper and Pearson's of the
    lesions, Student's t of the false positives. Raises EvaluationError without scans.
    """
    if not scans:
        raise EvaluationError("FROC: got no scans")
    patients = patients_of(group, rows=len(scans))
    scores = np.unique(np.concatenate([each for scan in scans for each in (scan.lesions, scan.false_positives)]))
    chosen = scores[np.isfinite(scores)] if thresholds is None else np.unique(np.asarray(thresholds, dtype=np.float64))
    return [_point(scans, float(each), patients) for each in chosen[::-1]]


def _point(scans: Sequence[Detections], threshold: float, patients: Patients) -> FrocPoint:
    hit = np.concatenate([scan.lesions for scan in scans]) >= threshold
    scan_of_lesion = np.repeat(np.arange(len(scans)), [scan.lesions.size for scan in scans])
    patient = scan_of_lesion if patients.of_row is None else patients.of_row[scan_of_lesion]
    false = np.array([np.count_nonzero(scan.false_positives >= threshold) for scan in scans], dtype=np.float64)
    found = undefined("no scan has a lesion", n=0)
    if hit.size:
        found = sensitivity(confusion(np.ones(hit.size), score=hit, cutoff=0.5, group=patient))
    return FrocPoint(threshold=threshold, sensitivity=found, false_positives=mean_of(false, patients, scale="log"))
