"""Risk score: one number a patient, from what a network says of each of his CT images.

Wang M, et al. Br J Cancer 2021;125:1111, doi 10.1038/s41416-021-01511-w, "HCC risk score".

Unclear: the printed formula divides twice, by the sum of the weights and by the number of images, so that a score falls
with every further image like those there are: 0.99 each gives 2.0 for one image, 0.02 for 100. The scores the paper
reports, 0.05 to 0.25 on the average, cannot come from it with all of a patient's images, of which it has about 1,070.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from hepatica.cohort.errors import EvaluationError

Variant = Literal["as_printed", "weighted_mean", "unnormalised"]


def risk_score(log_odds: ArrayLike, *, variant: Variant) -> float:
    """HCC risk score, 0 or more, of one patient's images (n,).

    `log_odds` of hepatocellular carcinoma, log p / (1 - p): the difference of a two-class network's logits. From these
    r = -log10(1 - p) is finite even where p is 1 to the last bit. With n images,
    "as_printed": sum p r / sum p / n; "weighted_mean": sum p r / sum p, the "weighted mean" of the paper's words, which
    repeated images leave as it is; "unnormalised": sum p r / n, in which images without a lesion count too.

    Where all p are 0 the score is 0 (ours; the paper's is 0 / 0). Raises EvaluationError for no image, for log-odds
    that are no numbers or infinitely high, and for an unknown variant.
    """
    odds = np.asarray(log_odds, dtype=np.float64)
    if odds.ndim != 1 or not odds.size or not (odds < np.inf).all():
        raise EvaluationError(f"got log-odds of shape {odds.shape}, wanted one number an image, one image at the least")
    p, surprise = expit(odds), np.logaddexp(0, odds) / math.log(10)
    total, weighted, n = p.sum(), (p * surprise).sum(), odds.size
    scores = {"weighted_mean": weighted / total if total else 0.0, "unnormalised": weighted / n}
    scores["as_printed"] = scores["weighted_mean"] / n
    if variant not in scores:
        raise EvaluationError(f"got the variant {variant!r} of the risk score, wanted one of {', '.join(scores)}")
    return float(scores[variant])
