"""Instances: how well predicted objects, such as nuclei, match the true ones of an image, one by one."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.mean import Scale

OF_INSTANCES: dict[str, Scale] = dict.fromkeys(("dice", "aji", "pq", "dq", "sq"), "logit")
"""What `measure_instances` gives, and the scale on which the limits of its mean are symmetric."""

MATCHED = 0.5
"""IoU above which two objects are the same; no object can then match two (Kirillov 2019)."""


def measure_instances(truth: ArrayLike, *, predicted: ArrayLike) -> dict[str, float]:
    """Dice of all objects together, aggregated Jaccard index (aji), panoptic quality (pq) and its parts.

    Both are label maps (h, w): 0 outside, a number an object. aji: each true object with the predicted one of highest
    IoU; intersections over unions, predicted objects that were not chosen being added to the unions (Kumar 2017, doi
    10.1109/TMI.2017.2677499). pq = sq dq: sq is the mean IoU of matched pairs (IoU above 0.5), dq their F1 (Kirillov
    2019, arXiv 1801.00868). No object in either: 1 (sq: not defined, NaN). Raises EvaluationError on maps of another
    shape, or with numbers below 0.
    """
    shared = overlaps(truth, predicted)
    true, found = shared[1:].sum(axis=1), shared[:, 1:].sum(axis=0)
    inside = shared[1:, 1:]
    union = true[:, None] + found - inside
    iou = np.divide(inside, union, out=np.zeros(inside.shape), where=union > 0)
    either = true.sum() + found.sum()
    matched = iou[iou > MATCHED]
    objects = (true.size + found.size) / 2
    dq = matched.size / objects if objects else 1.0
    sq = float(matched.mean()) if matched.size else np.nan
    return {
        "dice": float(2 * inside.sum() / either) if either else 1.0,
        "aji": _aji(inside, union, iou, found),
        "pq": dq * (sq if matched.size else 1.0),
        "dq": dq,
        "sq": sq,
    }


def overlaps(truth: ArrayLike, predicted: ArrayLike) -> Floats:
    """Pixels shared by each object of both maps (true + 1, predicted + 1), place 0 being what lies outside."""
    maps = [np.asarray(each) for each in (truth, predicted)]
    if maps[0].shape != maps[1].shape or any((each < 0).any() for each in maps):
        raise EvaluationError(
            f"label maps: got shapes {maps[0].shape} and {maps[1].shape}, wanted one shape and numbers from 0"
        )
    rows, columns = (_numbered(each) for each in maps)
    width = int(columns.max(initial=0)) + 1
    size = (int(rows.max(initial=0)) + 1) * width
    return np.bincount(rows * width + columns, minlength=size).reshape(-1, width).astype(np.float64)


def _numbered(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """The same objects numbered without gaps, flat; 0 stays 0."""
    names, places = np.unique(labels, return_inverse=True)
    return np.asarray(places.ravel() + (0 if 0 in names else 1), np.int64)


def _aji(inside: Floats, union: Floats, iou: Floats, found: Floats) -> float:
    if not iou.size:
        return 0.0 if found.size or len(iou) else 1.0
    best = iou.argmax(axis=1)
    rows = np.arange(len(iou))
    hit = iou[rows, best] > 0
    chosen = np.unique(best[hit])
    true = union[rows, best] + inside[rows, best] - found[best]
    whole = np.where(hit, union[rows, best], true).sum() + np.delete(found, chosen).sum()
    return float(inside[rows, best].sum() / whole)
