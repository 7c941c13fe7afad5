"""Outcomes: treatment, response, recurrence and survival of phantom patients, with their known truth.

Recurrence follows a Weibull proportional-hazards model on aggressiveness, vascular invasion, tumour size, sorafenib and
sorafenib x aggressiveness. Sorafenib is given to the worse patients more often, as in the paper (Li et al., doi
10.1186/s12916-025-03977-4, Fig. 7). For a share of the patients set by the difficulty the recorded recurrence is that
of a stranger, independent of the tumour, while death still follows the own tumour: labels are as noisy as the paper
says they are, and overall survival tells which ones to trust.

Unclear: the paper prints BCLC stage as I and II; I is read here as 0 or A, II as B.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from hepatica.cohort.phantom.lesion import CLASSES, HCC, TYPES
from hepatica.cohort.phantom.population import Population
from hepatica.cohort.phantom.tumour import DIFFERENTIATION, Tumour, draw_tumour

LIVER_STATES = ("normal", "chronic liver disease", "cirrhosis", HCC)
"""METAVIR stage 0, 1 to 3 and 4 without HCC, and with it, as Bharti 2018 parts livers."""


def _survival(name: str) -> dict[str, str]:
    return {"time": f"{name}_months", "event": f"{name}_event"}


RESPONSES = ("CR", "PR", "SD", "PD")
"""By mRECIST (doi 10.1055/s-0030-1247132): complete, partial, stable disease and progression."""

_NOW = {"CR": (0.0, 0.0), "PR": (0.2, 0.65), "SD": (0.75, 1.15), "PD": (1.25, 1.6)}
"""Least and most of the viable diameter that is left with each response."""

_SAFE_MM, _WIDEST_MM = 5.0, 16.0  # margins of An 2020

ENDPOINTS: Mapping[str, Mapping[str, Any]] = {
    "recurrence": _survival("recurrence"),
    "overall_survival": _survival("overall_survival"),
    "incidence": _survival("incidence"),
    "recurrence_free_survival": _survival("recurrence_free_survival"),
    "hcc": {"label": "hcc"},
    "hcc_vs_healthy": {"label": "hcc_vs_healthy"},
    "hcc_vs_cirrhosis": {"label": "hcc_vs_cirrhosis"},
    "mvi": {"label": "mvi"},
    "response": {"label": "response"},
    "response_class": {"label": "response_class", "classes": list(RESPONSES), "ordered": True},
    "tp53": {"label": "tp53"},
    "ctnnb1": {"label": "ctnnb1"},
    "lesion_type": {"label": "lesion_type", "classes": list(TYPES), "ordered": False},
    "malignant": {"label": "malignant"},
    "malignant_mass": {"label": "malignant_mass"},
    "tumour_type": {"label": "tumour_type", "classes": ["HCC", "CCA"], "ordered": False},
    "grade": {"label": "differentiation", "classes": list(DIFFERENTIATION), "ordered": True},
    "liver_state": {"label": "liver_state", "classes": list(LIVER_STATES), "ordered": True},
    "fibrosis": {"label": "metavir", "classes": ["0", "1", "2", "3", "4"], "ordered": True},
    "stiffness": {"value": "stiffness_kpa", "unit": "kPa"},
    "ablative_margin": {"value": "ablative_margin_mm", "unit": "mm"},
    "local_progression": _survival("local_progression"),
    **{name: {"label": name, "classes": list(classes), "ordered": False} for name, classes in CLASSES.items()},
}
"""Every endpoint that phantom patients can have, as cohort.toml declares it."""

ONSETS = ("recurrence", "incidence")
"""When the tumour comes back to a patient with HCC, and when a first one comes to a patient without."""

STATES = ("hcc_vs_healthy", "hcc_vs_cirrhosis", "malignant", "malignant_mass")
"""HCC against one kind of control alone, and malignant lesions against others; blank for the rest."""

APART = (
    *STATES, "tumour_type", "liver_state", "recurrence_free_survival", "ablative_margin", "local_progression", *CLASSES,
)  # fmt: skip
"""Endpoints of which only a population that has them tells."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """What becomes of a patient, in months from the start.

    `recurrence`: when the own tumour comes back (without HCC at the start, when the first HCC comes); `recorded`: when
    the hospital's table says so, another's where `corrupted`; `end`: when follow-up ends by date or drop-out.
    `response`: whether the tumour shrinks, None where nothing is given that would show it. `viable`: after
    embolisation, what is left of the viable diameter, 1 before; `response_class`: one of RESPONSES, by that.
    `margin_mm`: after ablation, how far the zone reaches beyond the tumour at the least; `local`: when that progresses.
    """

    treatment: str
    response: bool | None
    log_hazard: float
    recurrence: float
    recorded: float
    corrupted: bool
    death: float
    end: float
    response_class: str | None = None
    viable: float | None = None
    margin_mm: float | None = None
    local: float | None = None

    @property
    def last_seen(self) -> float:
        """Months to death or the end of follow-up."""
        return min(self.death, self.end)

    @property
    def died(self) -> bool:
        """Whether the hospital saw the death."""
        return self.death <= self.end

    def seen(self, *, competing: bool) -> tuple[float, int]:
        """Months and event of the recorded recurrence: nothing recurs after death, which is 2 where it competes."""
        event = 1 if self.recorded <= self.last_seen else 2 if competing and self.died else 0
        return months(min(self.recorded, self.last_seen)), event

    @property
    def free(self) -> tuple[float, int]:
        """Months and event of the recorded recurrence or of death, whichever comes first."""
        return self.seen(competing=False)[0], int(self.recorded <= self.last_seen or self.died)


def months(time: float) -> float:
    """As a table tells it: hundredths, more than 0."""
    return round(max(time, 0.1), 2)


def draw_course(
    rng: np.random.Generator, tumour: Tumour, *, liver: float, difficulty: float, population: Population
) -> Course:
    """One patient's; `liver` is the log hazard of a first HCC; difficulty decides whose recurrence is recorded and
    nothing else.
    """
    corrupted = bool(rng.random() < population.corrupted_share_when_hard * difficulty)
    treatment, log_hazard, own = _recurrence(rng, tumour, liver=liver, population=population)
    elsewhere = _weibull(rng, 0.0, scale=population.other_death_scale)
    harm = population.aggressiveness_log_hazard_after_recurrence * tumour.aggressiveness
    after = own + _weibull(rng, harm, scale=population.after_recurrence_scale)
    end = float(rng.uniform(population.shortest_follow_up, population.longest_follow_up))
    course = Course(
        treatment=treatment,
        **_response(rng, tumour, treatment, population),
        **_ablation(rng, population),
        log_hazard=log_hazard,
        recurrence=own,
        recorded=own,
        corrupted=corrupted,
        death=min(elsewhere, after),
        end=min(end, _weibull(rng, 0.0, scale=population.drop_out_scale)),
    )
    if not corrupted:
        return course
    other = draw_tumour(rng, hcc=tumour.hcc, difficulty=difficulty, population=population)
    return replace(course, recorded=_recurrence(rng, other, liver=liver, population=population)[-1])


def _recurrence(
    rng: np.random.Generator, tumour: Tumour, *, liver: float, population: Population
) -> tuple[str, float, float]:
    """Treatment, log hazard of recurrence and its months; without HCC those of the first one."""
    if not tumour.hcc:
        return "none", liver, _weibull(rng, liver, scale=population.incidence_scale)
    treatment = _treatment(rng, tumour, population)
    log_hazard = _log_hazard(tumour, treatment, population)
    time = _weibull(rng, log_hazard, scale=population.recurrence_scale, shape=population.recurrence_shape)
    return treatment, log_hazard, time


def _treatment(rng: np.random.Generator, tumour: Tumour, population: Population) -> str:
    chance = rng.random()
    if population.resected:
        return "sorafenib" if chance < _sorafenib_chance(tumour, population) else "none"
    if population.transplanted:
        return "transplantation"
    if population.ablated:
        return "ablation"
    if population.embolised:
        return "tace and sorafenib" if chance < population.sorafenib_share else "tace"
    early, stage = ("resection", "ablation"), tumour.tnm
    return early[int(chance < 0.4)] if stage == "I" else "systemic" if stage == "IV" else "tace"


def _sorafenib_chance(tumour: Tumour, population: Population) -> float:
    bias = (population.sorafenib_bias_aggressiveness, population.sorafenib_bias_vascular_invasion)
    share = population.sorafenib_share
    spread = bias[0] ** 2 + bias[1] ** 2 / 4
    centre = math.log(share / (1 - share)) * math.sqrt(1 + spread * math.pi / 8)  # logistic-normal approximation
    invasion = bool(tumour.vascular_invasion) - population.vascular_invasion_share
    return float(expit(centre + bias[0] * tumour.aggressiveness + bias[1] * invasion))


def _log_hazard(tumour: Tumour, treatment: str, population: Population) -> float:
    invasion = bool(tumour.vascular_invasion) - population.vascular_invasion_share
    log_size = math.log(tumour.lesions[0].diameter_cm) - population.log_size_mean
    drug = population.sorafenib_log_hazard + population.sorafenib_interaction * tumour.aggressiveness
    return (
        population.aggressiveness_log_hazard * tumour.aggressiveness
        + population.vascular_invasion_log_hazard * invasion
        + population.log_size_log_hazard * log_size
        + population.mvi_log_hazard * ((tumour.mvi or False) - population.mvi_share)
        + population.response_log_hazard * tumour.responsiveness
        + (drug if "sorafenib" in treatment else 0)
    )


def _weibull(rng: np.random.Generator, log_hazard: float, *, scale: float, shape: float = 1.0) -> float:
    """A time with survival exp(-exp(log_hazard) (t / scale)^shape)."""
    return float(scale * (rng.exponential() / np.exp(log_hazard)) ** (1 / shape))


def _response(rng: np.random.Generator, tumour: Tumour, treatment: str, population: Population) -> dict[str, Any]:
    """Of what embolisation or drugs are given for; large and aggressive tumours respond less."""
    chance = float(rng.random())
    if population.embolised:
        limits = ndtri(np.cumsum(population.response_shares))
        found = RESPONSES[int((-tumour.responsiveness > limits).sum())]
        least, most = _NOW[found]
        viable = least + chance * (most - least)
        return {"response": found in ("CR", "PR"), "response_class": found, "viable": viable}
    if treatment not in ("tace", "systemic"):
        return {"response": None}
    likely = expit(0.6 - 0.9 * tumour.aggressiveness - 0.5 * math.log(tumour.lesions[0].diameter_cm / 4))
    return {"response": bool(chance < likely)}


def _ablation(rng: np.random.Generator, population: Population) -> dict[str, Any]:
    if not population.ablated:
        return {}
    margin = float(population.margin_median_mm * np.exp(population.margin_log_sd * rng.standard_normal()))
    margin = round(min(margin, _WIDEST_MM), 1)
    log_hazard = population.margin_log_hazard * (margin - _SAFE_MM)
    return {"margin_mm": margin, "local": _weibull(rng, log_hazard, scale=population.local_scale)}
