"""Tumour: the lesions of a phantom patient, how aggressive they are and what a pathologist and a laboratory say.

The stage is that of AJCC, 8th edition, as far as size, number and invasion tell it; invasion is that of a major branch
of the portal vein.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from hepatica.cohort.phantom.lesion import HCC, KINDS, NORMAL, Features, Lesion
from hepatica.cohort.phantom.population import Population

DIFFERENTIATION = ("well", "moderate", "poor")
"""Grade 1, 2, and 3 or 4."""


_MOST_LESIONS = 6
_INCIDENTAL = ("cyst", "hemangioma")
_INCIDENTAL_CM = (0.8, 2.0)
_RESPONSIVENESS = (0.6, -0.5, -0.3, 0.45)  # for a standard deviation of vascularity, aggressiveness, size; and chance
_LOG_SIZE_SD = 0.45
_LOG10_AFP = {True: 1.1, False: 0.35}  # standard deviation with HCC and without


@dataclass(frozen=True, kw_only=True)
class Tumour:
    """The lesions, the largest first, and what is known of them; None where there is no HCC.

    `aggressiveness` is standard normal, and about so is `responsiveness`, which the response to embolisation follows;
    `grade` 1 to 4.
    """

    kind: str
    lesions: tuple[Lesion, ...]
    aggressiveness: float
    afp_ng_ml: float
    mvi: bool | None = None
    vascular_invasion: bool | None = None
    spread: bool | None = None
    grade: int | None = None
    tp53: bool | None = None
    ctnnb1: bool | None = None
    responsiveness: float = 0.0

    @property
    def hcc(self) -> bool:
        """Whether it is HCC."""
        return self.kind == HCC

    @property
    def differentiation(self) -> str | None:
        """One of DIFFERENTIATION."""
        return None if self.grade is None else DIFFERENTIATION[min(self.grade, 3) - 1]

    @property
    def genomic_cluster(self) -> str | None:
        """C2 with a mutation of CTNNB1, C3 with one of TP53 alone, C1 of an HCC with neither (ours)."""
        return "C2" if self.ctnnb1 else "C3" if self.tp53 else "C1" if self.hcc else None

    @property
    def type(self) -> str | None:
        """One of TYPES; None without lesion."""
        return self.lesions[0].type if self.lesions else None

    @property
    def malignant(self) -> bool | None:
        """Whether the largest lesion is; None without lesion."""
        return self.type in (HCC, "other malignant") if self.lesions else None

    @property
    def own(self) -> tuple[Lesion, ...]:
        """The lesions but those found beside, of another kind."""
        return tuple(each for each in self.lesions if each.kind == self.kind)

    @property
    def size_cm(self) -> float | None:
        """Of the largest lesion."""
        return self.lesions[0].diameter_cm if self.lesions else None

    @property
    def bclc(self) -> str | None:
        """0, A or B."""
        if not self.hcc:
            return None
        small = self.lesions[0].diameter_cm <= 2 and not self.vascular_invasion
        return "B" if len(self.own) > 1 else "0" if small else "A"

    @property
    def tnm(self) -> str | None:
        """I to IV."""
        if not self.hcc:
            return None
        several = len(self.own) > 1
        if self.spread:
            return "IV"
        if self.vascular_invasion or (several and self.lesions[0].diameter_cm > 5):
            return "III"
        return "II" if several else "I"


def draw_tumour(rng: np.random.Generator, *, hcc: bool, difficulty: float, population: Population) -> Tumour:
    """One patient's; difficulty decides how many HCC are atypical and nothing else."""
    aggressiveness = float(rng.standard_normal())
    log_afp = _LOG10_AFP[hcc] * _correlated(rng, aggressiveness, population.afp_correlation if hcc else 0.0)
    usual = np.log10(20) + _LOG10_AFP[True] * ndtri(population.afp_raised_share) if hcc else np.log10(4)
    afp = round(max(float(10 ** (usual + log_afp)), 0.5), 1)
    if hcc:
        lesions = _hcc(rng, aggressiveness, difficulty=difficulty, population=population)
        tumour = Tumour(kind=HCC, lesions=lesions, aggressiveness=aggressiveness, afp_ng_ml=afp)
        tumour = _diagnosed(rng, tumour, population)
    else:
        kind = _other_kind(rng, population) if population.controls_have_lesions else NORMAL
        lesions = _other_lesions(rng, kind, population)
        tumour = Tumour(kind=kind, lesions=lesions, aggressiveness=aggressiveness, afp_ng_ml=afp)
    tumour = replace(tumour, lesions=_seen(rng, tumour, difficulty=difficulty, population=population))
    return replace(tumour, responsiveness=_responsiveness(rng, tumour, population)) if population.embolised else tumour


def _correlated(rng: np.random.Generator, aggressiveness: float, correlation: float) -> float:
    """Standard normal."""
    return float(correlation * aggressiveness + np.sqrt(1 - correlation**2) * rng.standard_normal())


def _other_kind(rng: np.random.Generator, population: Population) -> str:
    counted = tuple((name, float(np.sqrt(kind.count))) for name, kind in KINDS.items())
    names, weights = zip(*(population.control_kinds or counted), strict=True)
    return str(names[int(rng.choice(len(names), p=np.array(weights) / np.sum(weights)))])


def _other_lesions(rng: np.random.Generator, name: str, population: Population) -> tuple[Lesion, ...]:
    if name == NORMAL:
        return ()
    kind = KINDS[name]
    several = bool(rng.random() < kind.several_share)
    largest = kind.median_cm * np.exp(_LOG_SIZE_SD * rng.standard_normal())
    sizes = _sizes(rng, largest, several=several, population=population)
    gas = name == "abscess" and bool(rng.random() < population.gas_share)
    return tuple(Lesion(kind=name, diameter_cm=size, gas=gas and not number) for number, size in enumerate(sizes))


def _hcc(
    rng: np.random.Generator, aggressiveness: float, *, difficulty: float, population: Population
) -> tuple[Lesion, ...]:
    log_size = population.size_log_sd * _correlated(rng, aggressiveness, population.size_correlation)
    several = _correlated(rng, aggressiveness, population.several_correlation) > -ndtri(population.several_share)
    atypical = bool(rng.random() < population.atypical_share_when_hard * difficulty)
    sizes = _sizes(rng, np.exp(population.log_size_mean + log_size), several=several, population=population)
    return tuple(Lesion(kind=HCC, diameter_cm=size, atypical=atypical) for size in sizes)


def _sizes(rng: np.random.Generator, largest: float, *, several: bool, population: Population) -> list[float]:
    """Centimetres, the largest first."""
    count = min(2 + int(rng.poisson(1)), _MOST_LESIONS) if several else 1
    largest = min(max(float(largest), population.sizes_cm[0]), population.sizes_cm[1])
    shares = [1.0, *np.sort(rng.uniform(0.25, 0.8, count - 1))[::-1]]
    return [round(max(population.sizes_cm[0], largest * float(share)), 1) for share in shares]


def _diagnosed(rng: np.random.Generator, tumour: Tumour, population: Population) -> Tumour:
    """With what a pathologist finds in an HCC."""

    def tendency(correlation: float) -> float:
        return _correlated(rng, tumour.aggressiveness, correlation)

    times = population.vascular_invasion_when_large if tumour.lesions[0].diameter_cm > 5 else 1.0
    major = population.vascular_invasion_share * times
    invasion, grade = tendency(population.vascular_invasion_correlation), tendency(population.grade_correlation)
    return replace(
        tumour,
        mvi=bool(invasion > -ndtri(max(major, population.mvi_share))),
        vascular_invasion=bool(invasion > -ndtri(major)),
        spread=bool(rng.random() < population.spread_share),
        grade=1 + int((grade > ndtri(np.cumsum(population.grade_shares[:-1]))).sum()),
        tp53=bool(tendency(population.tp53_correlation) > -ndtri(population.tp53_share)),
        ctnnb1=bool(tendency(population.ctnnb1_correlation) > -ndtri(population.ctnnb1_share)),
    )


def _seen(rng: np.random.Generator, tumour: Tumour, *, difficulty: float, population: Population) -> tuple[Lesion, ...]:
    """The lesions as pictures show them, and one found beside, where the population has any of this."""
    lesions = list(tumour.lesions)
    if population.margin and tumour.hcc:
        distance = population.margin_distance * (1 - population.margin_lost_when_hard * difficulty)
        sign = tumour.aggressiveness / 2 if population.margin == "aggressiveness" else bool(tumour.mvi) - 0.5
        share = float(ndtr(distance * sign + rng.standard_normal()))
        vascularity = float(np.exp(population.vascularity_log_sd * rng.standard_normal()))
        lesions = [replace(each, infiltration=share, vascularity=vascularity) for each in lesions]
    if population.feature_shares:
        lesions = [
            replace(each, features=_features(rng, population.feature_shares[not tumour.hcc])) for each in lesions
        ]
    if population.incidental_share and lesions and rng.random() < population.incidental_share:
        size = round(min(float(rng.uniform(*_INCIDENTAL_CM)), lesions[-1].diameter_cm), 1)
        lesions.append(Lesion(kind=_INCIDENTAL[int(rng.integers(2))], diameter_cm=size))
    return tuple(lesions)


def _features(rng: np.random.Generator, shares: tuple[float, float, float]) -> Features:
    hyperenhancing, washout, capsule = (bool(each) for each in rng.random(3) < shares)
    return Features(hyperenhancing=hyperenhancing, washout=washout, capsule=capsule)


def _responsiveness(rng: np.random.Generator, tumour: Tumour, population: Population) -> float:
    largest = tumour.lesions[0]
    vascularity = np.log(largest.vascularity) / population.vascularity_log_sd
    size = (np.log(largest.diameter_cm) - population.log_size_mean) / population.size_log_sd
    return float(np.dot(_RESPONSIVENESS, (vascularity, tumour.aggressiveness, size, rng.standard_normal())))
