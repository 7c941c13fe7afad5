"""Risk score: one number a patient, from the network's output for each of their CT images.

Wang M, et al. Br J Cancer 2021;125:1111, doi 10.1038/s41416-021-01511-w, "HCC risk score". NoduleNet "acted as an
assistant to HCCNet and the results of its analysis were directly integrated into HCCNet"; how, for a new patient, the
paper does not say: the gate decides which images of a patient enter the score.

Unclear: the printed formula divides twice, by the sum of the weights and by the number of images, so that a score falls
with every further image like those there are: 0.99 each gives 2.0 for one image, 0.02 for 100. The scores the paper
reports, 0.05 to 0.25 on the average, cannot come from it with all of a patient's images, of which it has about 1,070.
"""

import math
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate

Variant = Literal["as_printed", "weighted_mean", "unnormalised"]


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


def risk_score(log_odds: ArrayLike, *, variant: Variant) -> float:
    """HCC risk score, 0 or more, of one patient's images (n,).

    `log_odds` of hepatocellular carcinoma, log p / (1 - p): the difference of a two-class network's logits. From these
    r = -log10(1 - p) is finite even where p is 1 to the last bit. With n images,
    "as_printed": sum p r / sum p / n; "weighted_mean": sum p r / sum p, the "weighted mean" of the paper's words, which
    repeated images leave as it is; "unnormalised": sum p r / n, in which images without a lesion count too.

    Where all p are 0 the score is 0 (ours; the paper's is 0 / 0). Raises EvaluationError for no image, for log-odds
    that are not numbers or infinitely high, and for an unknown variant.
    """
    odds = _checked(log_odds)
    return float(_scores(odds, np.ones((1, odds.size)), variant)[0])


def risk_interval(
    log_odds: ArrayLike, *, variant: Variant, seed: int = 0, resamples: int = 1000, level: float = 0.95
) -> Estimate:
    """The risk score with its bootstrap interval over the patient's images, drawn anew `resamples` times.

    It measures how far the score depends on which of the images were read, not on the patient; neighbouring
    images are alike, so it is rather too narrow. Errors are those of `risk_score`.
    """
    odds = _checked(log_odds)
    drawn = np.random.default_rng(seed).multinomial(odds.size, np.full(odds.size, 1 / odds.size), size=resamples)
    low, high = np.quantile(_scores(odds, drawn, variant), [(1 - level) / 2, (1 + level) / 2])
    value = risk_score(odds, variant=variant)
    method = f"{variant}; percentiles of {resamples} bootstrap samples of the images"
    return Estimate(
        value=value, low=min(float(low), value), high=max(float(high), value), n=odds.size, method=method, level=level
    )


def score_studies(regions: pd.DataFrame, *, settings: Any) -> pd.DataFrame:
    """Risk score of each study, its interval over images and their number, from slices with both networks' log-odds.

    `settings` has gate, nodule_probability, variant and seed. Columns patient_id, specimen_id, score (the risk as a
    share), risk, low, high, images. 0 where the hard gate lets no slice pass: no nodule was seen (ours).
    """
    rows = []
    for (patient, specimen), own in regions.groupby(["patient_id", "specimen_id"], sort=False):
        hcc, nodule = (own[name].to_numpy(float) for name in ("hcc_log_odds", "nodule_log_odds"))
        entering = gated(hcc, nodule, gate=settings.gate, probability=settings.nodule_probability)
        found: dict[str, float | None] = {"score": 0.0, "risk": 0.0, "low": 0.0, "high": 0.0, "images": 0}
        if len(entering):
            risk = risk_interval(entering, variant=settings.variant, seed=settings.seed)
            found = {
                "score": float(as_share(risk.value)),
                "risk": risk.value,
                "low": risk.low,
                "high": risk.high,
                "images": risk.n,
            }
        rows.append({"patient_id": patient, "specimen_id": specimen} | found)
    return pd.DataFrame(rows)


def as_share(risk: ArrayLike) -> np.ndarray:
    """Risk scores, 0 or more, as scores in 0..1 of the same order: 1 - 10^-risk, for one image its p (ours)."""
    return np.asarray(-np.expm1(-math.log(10) * np.asarray(risk, dtype=np.float64)))


def from_share(share: ArrayLike) -> np.ndarray:
    """The inverse of `as_share`: risk scores of scores in 0..1; infinite for 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log1p(-np.asarray(share, dtype=np.float64)) / math.log(10))


def _checked(log_odds: ArrayLike) -> np.ndarray:
    odds = np.asarray(log_odds, dtype=np.float64)
    if odds.ndim != 1 or not odds.size or not (odds < np.inf).all():
        raise EvaluationError(f"got log-odds of shape {odds.shape}, wanted one number per image, at least one image")
    return odds


def _scores(odds: np.ndarray, counts: np.ndarray, variant: Variant) -> np.ndarray:
    """Risk score (b) of images (n) of which each is taken so many times, counts (b n)."""
    p, surprise = expit(odds), np.logaddexp(0, odds) / math.log(10)
    total, weighted, n = counts @ p, counts @ (p * surprise), counts.sum(axis=1)
    mean = np.divide(weighted, total, out=np.zeros_like(weighted), where=total > 0)
    scores = {"weighted_mean": mean, "unnormalised": weighted / n, "as_printed": mean / n}
    if variant not in scores:
        raise EvaluationError(f"got the variant {variant!r} of the risk score, wanted one of {', '.join(scores)}")
    return np.asarray(scores[variant])
