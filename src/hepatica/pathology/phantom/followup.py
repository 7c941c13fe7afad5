"""Follow-up: clinical covariates, treatment, recurrence and survival of phantom patients, with their known truth.

Each patient has a latent aggressiveness a, standard normal. Recurrence follows a Weibull proportional-hazards model on
a, vascular invasion, tumour size, sorafenib and sorafenib x a. Sorafenib is given to the worse patients more often, as
in the paper (Li et al., doi 10.1186/s12916-025-03977-4, Fig. 7). For a share of the patients set by the difficulty the
recorded recurrence is that of a stranger, independent of the tumour, while death still follows the own tumour: labels
are as noisy as the paper says they are, and overall survival tells which ones to trust.

Unclear: the paper prints BCLC stage as I and II; I is read here as 0 or A, II as B.
"""

import numpy as np
import pandas as pd
from scipy import special, stats

from hepatica.cohort.streams import generator
from hepatica.pathology.phantom.settings import STANDARD, PhantomSettings

PATIENT_COLUMNS = (
    "patient_id", "age_years", "sex", "hbsag", "alt_u_l", "afp_ng_ml", "tumour_size_cm", "bclc_stage",
    "vascular_invasion", "treatment", "recurrence_months", "recurrence_event", "overall_survival_months",
    "overall_survival_event",
)  # fmt: skip
"""What the cohort tells: the columns of patients.csv."""

TRUTH_COLUMNS = (
    "patient_id", "aggressiveness", "recurrence_log_hazard", "recurrence_months_uncorrupted", "death_months",
    "corrupted",
)  # fmt: skip
"""What only the phantom knows: the columns of truth.csv."""

_LOG_SIZE_SD = 0.65
_LOG10_AFP_SD = 1.1


def simulate(
    patients: int,
    *,
    seed: int = 0,
    difficulty: float = 0.5,
    hospital: str = "A",
    settings: PhantomSettings = STANDARD,
) -> pd.DataFrame:
    """One row a patient: PATIENT_COLUMNS and TRUTH_COLUMNS; months, and the truth before noise and censoring."""
    rng = generator(seed, hospital, "follow-up")
    table = _baseline(patients, rng, settings)
    own = _recurrence(table, rng, settings)
    strangers = _recurrence(_baseline(patients, rng, settings), rng, settings)
    corrupted = rng.random(patients) < settings.corrupted_share_when_hard * difficulty
    death = _death(own, table.aggressiveness.to_numpy(), rng, settings)
    told = table.assign(
        patient_id=[f"{hospital}-{number:04d}" for number in range(1, patients + 1)],
        recurrence_months_uncorrupted=own,
        death_months=death,
        corrupted=corrupted.astype(int),
        **_observed(np.where(corrupted, strangers, own), death, rng, settings),
    )
    return told[list(dict.fromkeys(PATIENT_COLUMNS + TRUTH_COLUMNS))]


def _baseline(patients: int, rng: np.random.Generator, settings: PhantomSettings) -> pd.DataFrame:
    a = rng.standard_normal(patients)

    def correlated(correlation: float) -> np.ndarray:
        return np.asarray(correlation * a + np.sqrt(1 - correlation**2) * rng.standard_normal(patients))

    size = np.exp(_log_size_mean(settings) + _LOG_SIZE_SD * correlated(settings.size_correlation))
    invasion = correlated(settings.vascular_invasion_correlation) > stats.norm.isf(settings.vascular_invasion_share)
    afp_mean = np.log10(20) - _LOG10_AFP_SD * stats.norm.isf(settings.afp_raised_share)
    stage_b = correlated(settings.stage_correlation) > stats.norm.isf(settings.stage_b_share)
    table = pd.DataFrame(
        {
            "aggressiveness": a,
            "age_years": np.clip(rng.normal(settings.age_mean, settings.age_sd, patients), 18, 85).round().astype(int),
            "sex": np.where(rng.random(patients) < settings.male_share, "male", "female"),
            "hbsag": (rng.random(patients) < settings.hbsag_share).astype(int),
            "alt_u_l": np.round(settings.alt_median_u_l * np.exp(0.5 * rng.standard_normal(patients))),
            "afp_ng_ml": np.clip(
                10 ** (afp_mean + _LOG10_AFP_SD * correlated(settings.afp_correlation)), 0.5, None
            ).round(1),
            "tumour_size_cm": np.clip(size, 0.8, 25).round(1),
            "vascular_invasion": invasion.astype(int),
        }
    )
    small = (table.tumour_size_cm <= 2) & (table.vascular_invasion == 0)
    table["bclc_stage"] = np.where(stage_b, "B", np.where(small, "0", "A"))
    table["treatment"] = np.where(rng.random(patients) < _sorafenib_chance(table, settings), "sorafenib", "none")
    table["recurrence_log_hazard"] = _log_hazard(table, settings)
    return table


def _log_size_mean(settings: PhantomSettings) -> float:
    return float(np.log(5.05) - _LOG_SIZE_SD * stats.norm.isf(settings.large_tumour_share))


def _sorafenib_chance(table: pd.DataFrame, settings: PhantomSettings) -> np.ndarray:
    bias = settings.sorafenib_bias_aggressiveness * table.aggressiveness + settings.sorafenib_bias_vascular_invasion * (
        table.vascular_invasion - settings.vascular_invasion_share
    )
    spread = settings.sorafenib_bias_aggressiveness**2 + settings.sorafenib_bias_vascular_invasion**2 / 4
    share = settings.sorafenib_share
    centre = np.log(share / (1 - share)) * np.sqrt(1 + spread * np.pi / 8)  # logistic-normal approximation
    return np.asarray(special.expit(centre + bias))


def _log_hazard(table: pd.DataFrame, settings: PhantomSettings) -> pd.Series:
    sorafenib = table.treatment == "sorafenib"
    log_hazard: pd.Series = (
        settings.aggressiveness_log_hazard * table.aggressiveness
        + settings.vascular_invasion_log_hazard * (table.vascular_invasion - settings.vascular_invasion_share)
        + settings.log_size_log_hazard * (np.log(table.tumour_size_cm) - _log_size_mean(settings))
        + sorafenib * (settings.sorafenib_log_hazard + settings.sorafenib_interaction * table.aggressiveness)
    )
    return log_hazard


def _weibull(log_hazard: np.ndarray, rng: np.random.Generator, *, scale: float, shape: float = 1.0) -> np.ndarray:
    """Times with survival exp(-exp(log_hazard) (t / scale)^shape)."""
    return np.asarray(scale * (rng.exponential(size=len(log_hazard)) / np.exp(log_hazard)) ** (1 / shape))


def _recurrence(table: pd.DataFrame, rng: np.random.Generator, settings: PhantomSettings) -> np.ndarray:
    log_hazard = table.recurrence_log_hazard.to_numpy()
    return _weibull(log_hazard, rng, scale=settings.recurrence_scale, shape=settings.recurrence_shape)


def _death(
    recurrence: np.ndarray, aggressiveness: np.ndarray, rng: np.random.Generator, settings: PhantomSettings
) -> np.ndarray:
    other = _weibull(np.zeros(len(recurrence)), rng, scale=settings.other_death_scale)
    harm = settings.aggressiveness_log_hazard_after_recurrence * aggressiveness
    return np.asarray(np.minimum(other, recurrence + _weibull(harm, rng, scale=settings.after_recurrence_scale)))


def _observed(
    recorded: np.ndarray, death: np.ndarray, rng: np.random.Generator, settings: PhantomSettings
) -> dict[str, np.ndarray]:
    """What the hospital saw: follow-up ends by date or drop-out, and nothing recurs after death."""
    end = rng.uniform(settings.shortest_follow_up, settings.longest_follow_up, len(death))
    end = np.minimum(end, _weibull(np.zeros(len(death)), rng, scale=settings.drop_out_scale))
    last_seen = np.minimum(death, end)
    return {
        "recurrence_months": np.maximum(np.minimum(recorded, last_seen), 0.1).round(2),
        "recurrence_event": (recorded <= last_seen).astype(int),
        "overall_survival_months": np.maximum(last_seen, 0.1).round(2),
        "overall_survival_event": (death <= end).astype(int),
    }
