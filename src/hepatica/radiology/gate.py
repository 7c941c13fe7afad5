"""Gate: how far NoduleNet decides which images of a patient enter his HCC risk score.

Wang M, et al. Br J Cancer 2021;125:1111, doi 10.1038/s41416-021-01511-w: NoduleNet "acted as an assistant to HCCNet and
the results of its analysis were directly integrated into HCCNet"; how, for a new patient, the paper does not say.
"""

from typing import Literal

import numpy as np
from scipy.special import logit

from hepatica.cohort.errors import EvaluationError

Gate = Literal["none", "hard", "soft"]


def gated(hcc: np.ndarray, nodule: np.ndarray, *, gate: Gate, probability: float = 0.5) -> np.ndarray:
    """Log-odds (m,) of carcinoma that enter the score, from both networks' log-odds (n,) of a patient's images.

    "none": all of them; "hard": those of images on which the probability of a nodule is at least `probability`, which
    may be none at all; "soft": the log-odds of the product of both probabilities. EvaluationError for another gate.
    """
    if gate == "hard":
        return np.asarray(hcc[nodule >= logit(probability)])
    if gate == "soft":
        # 1 / pq - 1 = e^-a + e^-b + e^-(a + b), so that the log-odds stay finite where both networks are sure.
        return np.asarray(-np.logaddexp(np.logaddexp(-hcc, -nodule), -hcc - nodule))
    if gate != "none":
        raise EvaluationError(f"got the gate {gate!r}, wanted none, hard or soft")
    return hcc
