"""Sample size: how many patients a prediction model needs, to be developed and to be validated elsewhere.

The criteria of Riley et al.: development, Stat Med 2019;38:1276 (doi 10.1002/sim.7992); validation, Stat Med
2021;40:4230 (doi 10.1002/sim.9025). The largest of the numbers is needed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import root
from scipy.special import expit, logit, ndtri

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.intervals import Z

SHRINKAGE, OPTIMISM, RISK_MARGIN = 0.9, 0.05, 0.05
"""Riley's: shrinkage of predictor effects, optimism of Nagelkerke's R², margin of error of the overall risk."""

POINTS = 200
"""Points of the Gauss-Hermite quadrature over linear predictors (ours)."""


@dataclass(frozen=True, kw_only=True)
class Needed:
    """Patients that a criterion needs, and how many of them with the event."""

    criterion: str
    patients: int
    events: int


def needed_to_develop(
    *, prevalence: float, parameters: int, auroc: float | None = None, r2: float | None = None
) -> list[Needed]:
    """Of a logistic model of so many candidate `parameters`, with an expected Cox-Snell `r2`, or an `auroc` that gives
    it if linear predictors are normal with one spread in both classes (Riley 2021, doi 10.1002/sim.8806).

    Raises EvaluationError on numbers outside their range, and on both or neither of the last two.
    """
    if (auroc is None) == (r2 is None):
        raise EvaluationError("got neither or both of AUROC and R², wanted one of them")
    _check(prevalence=prevalence, **({} if auroc is None else {"auroc": auroc}))
    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log(1 - prevalence)
    explained = _cox_snell(prevalence, float(auroc or 0), null) if r2 is None else r2
    risk = (Z / RISK_MARGIN) ** 2 * prevalence * (1 - prevalence)
    return _developed(explained, null, risk, parameters=parameters, share=prevalence)


def needed_to_develop_survival(
    *, rate: float, follow_up: float, horizon: float, parameters: int, r2: float
) -> list[Needed]:
    """Of a Cox model with an expected Cox-Snell `r2`, where `rate` patients have the event in a unit of time, mean
    `follow_up` and the `horizon` of the risk being in that unit. Raises EvaluationError on numbers outside their range.
    """
    if min(rate, follow_up, horizon) <= 0 or np.exp(-rate * horizon) <= RISK_MARGIN:
        raise EvaluationError(f"got a rate of {rate:g} to {horizon:g}, wanted times above 0, and some without event")
    events = rate * follow_up
    margin = -np.log(1 - RISK_MARGIN * np.exp(rate * horizon))
    risk = rate / follow_up * (Z * horizon / margin) ** 2
    return _developed(r2, events * np.log(events) - events, risk, parameters=parameters, share=events)


def _developed(explained: float, null: float, risk: float, *, parameters: int, share: float) -> list[Needed]:
    """The criteria, by the log likelihood of a patient without predictors, and what the overall risk needs."""
    most = 1 - np.exp(2 * null)
    if not 0 < explained < min(most, SHRINKAGE) or parameters < 1:
        raise EvaluationError(
            f"got a Cox-Snell R² of {explained:.3g} and {parameters} parameters; wanted one above 0 and below"
            f" {min(most, SHRINKAGE):.3g}, and 1 or more"
        )
    optimism = explained / (explained + OPTIMISM * most)
    first, second = (
        parameters / ((shrinkage - 1) * np.log(1 - explained / shrinkage)) for shrinkage in (SHRINKAGE, optimism)
    )
    return [
        _needed("shrinkage of 0.9 or more", first, share),
        _needed("optimism of R² of 0.05 or less", second, share),
        _needed("overall risk within 0.05", risk, share),
    ]


def needed_to_validate(
    *,
    prevalence: float,
    auroc: float,
    predictor: Floats | None = None,
    oe_width: float = 0.2,
    slope_width: float = 0.2,
    auroc_width: float = 0.1,
) -> list[Needed]:
    """Of a calibrated model: for 95 % intervals of such widths of O/E, calibration slope and AUROC (Riley's).

    `predictor` (n,) are log odds as the model gives them; without, normal ones that give prevalence and AUROC. Raises
    EvaluationError on numbers outside their range.
    """
    _check(prevalence=prevalence, auroc=auroc)
    spread = np.arcsinh(oe_width / 2) / Z  # exp(Z s) - exp(-Z s) is the width
    place, weight = _normal(prevalence, auroc) if predictor is None else (predictor, np.full(len(predictor), 1.0))
    slope = _for_slope(place, weight / weight.sum(), error=slope_width / (2 * Z))
    area = _for_auroc(prevalence, auroc, error=auroc_width / (2 * Z))
    return [
        _needed(f"interval of O/E {oe_width:g} wide", (1 - prevalence) / (prevalence * spread**2), prevalence),
        _needed(f"interval of calibration slope {slope_width:g} wide", slope, prevalence),
        _needed(f"interval of AUROC {auroc_width:g} wide", area, prevalence),
    ]


def _check(**shares: float) -> None:
    for name, value in shares.items():
        least = 0.5 if name == "auroc" else 0.0
        if not least < value < 1:
            raise EvaluationError(f"got {name} {value:g}, wanted a number above {least:g} and below 1")


def _needed(criterion: str, patients: float, prevalence: float) -> Needed:
    whole = int(np.ceil(round(patients, 6)))
    return Needed(criterion=criterion, patients=whole, events=int(np.ceil(whole * prevalence)))


def _for_slope(predictor: Floats, weight: Floats, *, error: float) -> float:
    """By the information on intercept and slope of a logistic model whose slope is 1."""
    own = weight * expit(predictor) * (1 - expit(predictor))
    a, b, c = own.sum(), own @ predictor, own @ predictor**2
    return float(a / (error**2 * (a * c - b**2)))


def _for_auroc(prevalence: float, auroc: float, *, error: float) -> float:
    """The n at which Newcombe's variance (2006, doi 10.1002/sim.2324) is that wanted: a quadratic equation."""
    slope = (1 - auroc) / (2 - auroc) + auroc / (1 + auroc)
    scale = auroc * (1 - auroc) / (prevalence * (1 - prevalence)) / error**2
    return float((scale * slope / 2 + np.sqrt((scale * slope / 2) ** 2 + 4 * scale * (1 - slope))) / 2)


def _quadrature() -> tuple[Floats, Floats]:
    place, weight = np.polynomial.hermite_e.hermegauss(POINTS)
    return place, weight / weight.sum()


def _normal(prevalence: float, auroc: float) -> tuple[Floats, Floats]:
    """Places and weights of the normal linear predictors that give both."""
    place, weight = _quadrature()
    below = (place[:, None] > place) + 0.5 * np.eye(POINTS)

    def off(of: Floats) -> Floats:
        risk = expit(of[0] + np.exp(of[1]) * place)
        case, control = weight * risk, weight * (1 - risk)
        return np.array([case.sum() - prevalence, case @ below @ control / case.sum() / control.sum() - auroc])

    mean, log_sd = root(off, np.array([logit(prevalence), 0.0])).x
    return np.asarray(mean + np.exp(log_sd) * place), weight


def _cox_snell(prevalence: float, auroc: float, null: float) -> float:
    """R² of linear predictors that are normal in both classes, apart by what gives the AUROC."""
    place, weight = _quadrature()
    apart, gained = np.sqrt(2) * ndtri(auroc), -null
    for share, sign in ((prevalence, 1.0), (1 - prevalence, -1.0)):
        log_odds = logit(prevalence) + apart * (sign * apart / 2 + place)
        gained -= share * float(weight @ np.logaddexp(0, -sign * log_odds))
    return float(1 - np.exp(-2 * gained))
