"""Tables: those of a phantom cohort: patients.csv, visits, claims, gene expression, and the truth."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from hepatica.cohort.phantom.folder import Missing
from hepatica.cohort.phantom.lesion import CCA, CLASSES, HCC, NORMAL
from hepatica.cohort.phantom.outcomes import LIVER_STATES, ONSETS, STATES, months
from hepatica.cohort.phantom.patient import Patient
from hepatica.cohort.streams import generator

Row = dict[str, Any]

_VIABLE = ("viable_baseline_mm", "viable_nadir_mm", "viable_now_mm", "nontarget", "new_lesion")

_PERHAPS = (
    *(
        "vascular_invasion",
        "mvi",
        "grade",
        "tp53",
        "ctnnb1",
        "response",
        "extrahepatic_spread",
        "hbeag",
        "sorafenib",
        "local_progression_event",
    ),
    *STATES,
)
"""Columns of whole numbers that some patients lack."""

_VISIT_MONTHS = 6
_MOST_VISITS = 20
_AFP_RISES_MONTHS = 12.0  # before an HCC is seen; the other values change over the longer time
_DECLINE_MONTHS = 36.0

COURSES: Mapping[str, tuple[float | None, float, float, int]] = {
    "afp_ng_ml": (None, 2.1, 0.2, 1),
    "alt_u_l": (None, 0.0, 0.2, 0),
    "platelets_10e9_l": (None, -0.35, 0.1, 0),
    "ast_u_l": (40.0, 0.15, 0.2, 0),
    "albumin_g_l": (None, -0.08, 0.03, 1),
    "bilirubin_umol_l": (None, 0.25, 0.15, 0),
    "inr": (None, 0.05, 0.03, 2),
    "creatinine_umol_l": (80.0, 0.0, 0.1, 0),
    "sodium_mmol_l": (140.0, -0.01, 0.01, 0),
    "haemoglobin_g_l": (138.0, -0.04, 0.04, 0),
    "bmi_kg_m2": (27.0, -0.03, 0.02, 1),
}
"""Course of each value of a visit: its median (none: that of the patient), how its logarithm has changed when an HCC is
seen, having begun to a year (AFP) or three years before; standard deviation of a visit; decimals. Ours."""

MISSING_SHARE = 0.3
"""Of the values of visits, where some are missing; the likeliest are missing twice as often. Ours."""

_OWN_SD = 0.15  # of the logarithm, of patients whose median is that of all

SVR_SHARES = (0.8, 0.4)
"""Of patients with hepatitis C, those with a sustained virologic response: without an HCC in follow-up, and with one.
Between, the odds ratio is 1/6. It comes within two years and lowers the logarithm of ALT and AST by SVR_EFFECT."""
SVR_EFFECT = 0.6

_HISTORY_MONTHS = 60.0  # of claims before the start
_EARLY_SIGNS = ("R10.1", "R63.4", "R74.0")
_SIGNS, _SIGN_MONTHS = 6.0, 12.0
"""Signs before an HCC is seen: how many on average, and how long before on average (exponential)."""

_CODES = {"hbv": "B18.1", "hcv": "B18.2", "alcohol": "K70.3", "masld": "K76.0"}
"""ICD-10 by aetiology."""

_PROGRAMMES: Sequence[tuple[tuple[str, ...], Mapping[str, float]]] = (
    (("MKI67", "TOP2A", "AURKA", "BIRC5", "CDK1"), {"aggressiveness": 0.8}),
    (("ALB", "CYP3A4", "APOA1", "TTR"), {"aggressiveness": -0.6, "hcc": -0.5}),
    (("GLUL", "LGR5", "AXIN2"), {"ctnnb1": 2.0}),
    (("CDKN1A", "MDM2"), {"tp53": -1.2}),
    (("CD8A", "GZMB", "CD274"), {"aggressiveness": -0.5}),
    (("COL1A1", "TIMP1", "ACTA2"), {"metavir": 0.4}),
    (("GPC3", "AFP"), {"hcc": 2.5, "aggressiveness": 0.3}),
    (("ACTB", "GAPDH", "B2M", "PPIA"), {}),
)

_NOISE = 60

MATRICES: Mapping[str, tuple[str, float, Sequence[tuple[tuple[str, ...], Mapping[str, float]]]]] = {
    "expression": ("log2", 8.0, (*_PROGRAMMES, (tuple(f"NOISE{n:03d}" for n in range(_NOISE)), {}))),
    "blood": (
        "log2",
        8.0,
        (
            (("GPC3", "SPAG9", "HSPA1B", "CXCR4"), {"hcc": 0.7, "metavir": 0.1}),
            (("HGF", "ANXA1"), {"hcc": 0.3, "metavir": 0.2}),
            (("FOS", "PFN1", "CALR"), {"hcc": -0.5}),
        ),
    ),
    "mirna": (
        "log2",
        9.0,
        (
            (("hsa-mir-21", "hsa-mir-221", "hsa-mir-222", "hsa-mir-18a"), {"aggressiveness": 0.6, "hcc": 0.5}),
            (("hsa-mir-122", "hsa-mir-199a", "hsa-mir-101"), {"aggressiveness": -0.6}),
            (("hsa-mir-375",), {"ctnnb1": 1.0}),
            (tuple(f"hsa-mir-noise-{n:02d}" for n in range(_NOISE // 2)), {}),
        ),
    ),
    "methylation": (
        "beta",
        0.0,
        (
            (("RASSF1", "CDKN2A", "APC", "GSTP1"), {"aggressiveness": 0.5, "hcc": 0.8}),
            (("LINE1", "CYP2E1"), {"aggressiveness": -0.6}),
            (("TBX3",), {"ctnnb1": -1.0}),
            (tuple(f"CPG{n:02d}" for n in range(_NOISE // 2)), {}),
        ),
    ),
}
"""Kind, level and programmes of each matrix: what genes follow, and by how much for one unit of it; ours. Methylation
is so in its log odds."""

_MATRIX_SD = 0.7
_MUTATED = 0.15


def patient_table(
    patients: Sequence[Patient], *, columns: Sequence[str] | None = None, competing: bool = False
) -> pd.DataFrame:
    """One row a patient: these columns of patients.csv, or all; `competing` death is event 2 of a recurrence."""
    table = pd.DataFrame([_row(patient, competing=competing) for patient in patients])
    table = table.astype(dict.fromkeys(_PERHAPS, "Int64"))
    return table[list(columns)] if columns else table


def _row(patient: Patient, *, competing: bool) -> Row:
    tumour, course = patient.tumour, patient.course
    onset, event = course.seen(competing=competing)
    own, other = ONSETS if tumour.hcc else ONSETS[::-1]
    return {
        "patient_id": patient.patient_id,
        **vars(patient.person),
        "hbsag": int(patient.person.aetiology == "hbv"),
        **_laboratory(patient),
        "afp_ng_ml": tumour.afp_ng_ml,
        "hcc": int(tumour.hcc),
        "hcc_vs_healthy": int(tumour.hcc) if tumour.hcc or patient.person.metavir == 0 else None,
        "hcc_vs_cirrhosis": int(tumour.hcc) if tumour.hcc or patient.person.metavir == 4 else None,
        "malignant": int(tumour.hcc) if tumour.hcc or tumour.kind == NORMAL else None,
        "tumour_type": {HCC: "HCC", CCA: "CCA"}.get(tumour.kind),
        "malignant_mass": tumour.malignant,
        "kind": tumour.kind,
        "liver_state": LIVER_STATES[3 if tumour.hcc else (0, 1, 1, 1, 2)[patient.person.metavir]],
        "lesion_type": tumour.type,
        "tumour_size_cm": tumour.size_cm,
        **(tumour.lesions[0].classes if tumour.lesions else dict.fromkeys(CLASSES)),
        "tumour_number": len(tumour.own),
        "tumour_sum_cm": round(sum(each.diameter_cm for each in tumour.own), 1),
        "bclc_stage": tumour.bclc,
        "tnm_stage": tumour.tnm,
        **{name: getattr(tumour, name) for name in ("vascular_invasion", "mvi", "grade", "tp53", "ctnnb1")},
        "differentiation": tumour.differentiation,
        "genomic_cluster": tumour.genomic_cluster,
        "extrahepatic_spread": tumour.spread,
        "treatment": course.treatment,
        "sorafenib": int("sorafenib" in course.treatment) if course.response_class else None,
        **_response(patient),
        **_ablation(patient),
        "recurrence_free_survival_months": course.free[0],
        "recurrence_free_survival_event": course.free[1],
        **{f"{own}_months": onset, f"{own}_event": event, f"{other}_months": None, f"{other}_event": None},
        "overall_survival_months": months(course.last_seen),
        "overall_survival_event": int(course.died),
    }


def _response(patient: Patient) -> Row:
    """With what mRECIST reads at the first follow-up, the smallest sum since treatment being that before it."""
    course, before = patient.course, round(10 * sum(each.diameter_cm for each in patient.tumour.own), 1)
    response: Row = {"response": course.response, "response_class": course.response_class}
    if course.viable is None:
        return response | dict.fromkeys(_VIABLE)
    now = round(course.viable * before, 1)
    return response | dict(zip(_VIABLE, (before, before, now, "complete", "no"), strict=True))


def _ablation(patient: Patient) -> Row:
    course = patient.course
    found: Row = {"ablative_margin_mm": course.margin_mm}
    if course.local is None:
        return found | {"local_progression_months": None, "local_progression_event": None}
    seen = months(min(course.local, course.last_seen))
    return found | {
        "local_progression_months": seen,
        "local_progression_event": int(course.local <= course.last_seen),
    }


def _laboratory(patient: Patient) -> Row:
    """Values that follow the others but no outcome (ours), but PIVKA-II, which rises with size and aggressiveness."""
    rng, person, tumour = patient.stream("laboratory"), patient.person, patient.tumour
    noise, hbv = rng.standard_normal(5), person.aetiology == "hbv"
    worse, size = "ABC".index(person.child_pugh), tumour.size_cm if tumour.hcc else None
    pivka = 25 * np.exp(0.35 * noise[3])
    if size is not None:
        pivka *= np.exp(0.9 * math.log(size) + 0.6 * tumour.aggressiveness + 0.6 * noise[4])
    return {
        "cirrhosis": int(person.metavir == 4),
        "ascites": ("none", "mild", "moderate")[min(worse, int(rng.integers(3)))],
        "ast_u_l": round(person.alt_u_l * float(np.exp(0.15 + 0.2 * noise[0]))),
        "creatinine_umol_l": round(78 * float(np.exp(0.2 * noise[1]))),
        "hbeag": int(rng.random() < 0.35) if hbv else None,
        "hbv_dna_log10_copies_ml": round(float(np.clip(6 + 1.5 * noise[2], 2, 10)), 2) if hbv else None,
        "pivka_ii_mau_ml": round(float(pivka)),
        "prior_cancer": int(rng.random() < (0.8 if tumour.kind == "metastasis" else 0.05)),
        "ecog": int(rng.random() < 0.2 + 0.1 * worse),
    }


def truth_table(patients: Sequence[Patient]) -> pd.DataFrame:
    """One row a patient: what only the phantom knows of tumour and course, in months."""
    rows = [
        {
            "patient_id": patient.patient_id,
            "aggressiveness": patient.tumour.aggressiveness,
            "recurrence_log_hazard": patient.course.log_hazard,
            "recurrence_months_uncorrupted": patient.course.recurrence,
            "death_months": patient.course.death,
            "corrupted": int(patient.course.corrupted),
        }
        for patient in patients
    ]
    return pd.DataFrame(rows)


def lesion_table(patients: Sequence[Patient]) -> pd.DataFrame:
    """One row a lesion: `number` counts a patient's lesions from 1, the largest first."""
    columns = ("patient_id", "number", "kind", "diameter_cm", "atypical", "gas", "infiltration", "vascularity")
    rows = [
        (patient.patient_id, number, *(getattr(lesion, name) for name in columns[2:]))
        for patient in patients
        for number, lesion in enumerate(patient.tumour.lesions, start=1)
    ]
    table = pd.DataFrame(rows, columns=list(columns)).round({"infiltration": 3, "vascularity": 3})
    return table.astype({"atypical": int, "gas": int})


def visits(patients: Sequence[Patient]) -> pd.DataFrame:
    """One row a visit, each half year to the end of follow-up; values change before an HCC is seen, as COURSES says."""
    return pd.DataFrame([row for patient in patients for row in _visits(patient)])


def _visits(patient: Patient) -> Iterator[Row]:
    rng, seen, last = patient.stream("visits"), patient.course.recurrence, patient.course.last_seen
    own = {"afp_ng_ml": patient.tumour.afp_ng_ml, **vars(patient.person)}
    usual = {
        name: own[name] if median is None else median * np.exp(_OWN_SD * rng.standard_normal())
        for name, (median, *_) in COURSES.items()
    }
    responds = rng.random() < SVR_SHARES[seen <= last] and patient.person.aetiology == "hcv"
    response = rng.uniform(0, 24) if responds else np.inf
    for visit in range(_MOST_VISITS):
        late, *noise = (float(each) for each in rng.standard_normal(1 + len(COURSES)))
        time = max(visit * _VISIT_MONTHS + (late if visit else 0.0), 0)
        if time > last:
            return
        row: Row = {"patient_id": patient.patient_id, "months": round(time, 2)}
        for (name, (_, change, sd, decimals)), by_chance in zip(COURSES.items(), noise, strict=True):
            months = _AFP_RISES_MONTHS if name == "afp_ng_ml" else _DECLINE_MONTHS
            effect = change * np.clip(1 - (seen - time) / months, 0, 1) + sd * by_chance
            effect -= SVR_EFFECT if time >= response and name in ("alt_u_l", "ast_u_l") else 0
            row[name] = round(float(usual[name] * np.exp(effect)), decimals)
        yield row | {"svr": int(time >= response)}


def thinned(table: pd.DataFrame, patients: Sequence[Patient], missing: Missing) -> pd.DataFrame:
    """Visits of which a share MISSING_SHARE of the values of COURSES is missing, as the mechanism says."""
    if missing == "none":
        return table
    values, rows = table[list(COURSES)], table["patient_id"]
    ages = {each.patient_id: each.person.age_years for each in patients}
    drivers: dict[str, Any] = {"mar": rows.map(ages).rank(pct=True), "mnar": values.rank(pct=True)}
    chance = values.mul(0).add(drivers.get(missing, 0.5), axis="index")
    drawn = generator(patients[0].seed, patients[0].hospital, "missing").random(values.shape)
    return table.assign(**values.mask(drawn < 2 * MISSING_SHARE * chance))


def claims(patients: Sequence[Patient]) -> pd.DataFrame:
    """One row a claim: ICD-10 `code` and month, from years before the start to the end of follow-up; that of HCC comes
    with the HCC, and early signs the more often the nearer it is.
    """
    rows = [
        row for patient in patients for row in sorted(_claims(patient), key=lambda row: (row["months"], row["code"]))
    ]
    return pd.DataFrame(rows, columns=["patient_id", "months", "code"])


def _claims(patient: Patient) -> Iterator[Row]:
    rng, last, person = patient.stream("claims"), patient.course.last_seen, patient.person
    rates = {  # a year
        _CODES.get(person.aetiology, "Z00.0"): 1.5,
        "K74.6": 1.0 if person.metavir == 4 else 0.0,
        "R18": 0.3 * "ABC".index(person.child_pugh),
        "I10": 0.02 * (person.age_years - 18),
        "J06.9": 0.5,
        **dict.fromkeys(_EARLY_SIGNS, 0.1),
    }
    begun = 0.0 if patient.tumour.hcc else patient.course.recurrence
    found = [
        (time, code)
        for code, rate in rates.items()
        for time in rng.uniform(-_HISTORY_MONTHS, last, int(rng.poisson(rate * (last + _HISTORY_MONTHS) / 12)))
    ]
    before = rng.exponential(_SIGN_MONTHS, int(rng.poisson(_SIGNS)))
    found += [(begun - each, _EARLY_SIGNS[int(rng.integers(len(_EARLY_SIGNS)))]) for each in before]
    for time, code in found:
        if -_HISTORY_MONTHS <= time <= last:
            yield {"patient_id": patient.patient_id, "months": round(float(time), 2), "code": code}
    if begun <= last:
        yield {"patient_id": patient.patient_id, "months": round(begun, 2), "code": "C22.0"}


def matrix(patients: Sequence[Patient], *, name: str) -> pd.DataFrame:
    """One row a patient, one column a gene, of the matrix of that name."""
    kind, level, programmes = MATRICES[name]
    follows = {gene: weights for genes, weights in programmes for gene in genes}
    states = pd.DataFrame([_state(patient) for patient in patients], dtype=float)
    weights = pd.DataFrame(list(follows.values()), columns=states.columns).fillna(0.0)
    topic = "genes" if name == "expression" else name
    noise = [patient.stream(topic).normal(0, _MATRIX_SD, len(follows)) for patient in patients]
    values = level + states.to_numpy() @ weights.to_numpy(float).T + np.stack(noise)
    table = pd.DataFrame(np.round(expit(values) if kind == "beta" else values, 3), columns=list(follows))
    table.insert(0, "patient_id", [patient.patient_id for patient in patients])
    return table


def mutations(patients: Sequence[Patient]) -> pd.DataFrame:
    """One row a patient, one column a gene: 1 where it is mutated; two genes follow the tumour, two nothing."""
    rows = []
    for patient in patients:
        own = {name.upper(): int(bool(getattr(patient.tumour, name))) for name in ("tp53", "ctnnb1")}
        chance = patient.stream("mutations").random(2) < _MUTATED
        rows.append({"patient_id": patient.patient_id, **own, **dict(zip(("ARID1A", "RB1"), chance * 1, strict=True))})
    return pd.DataFrame(rows)


def _state(patient: Patient) -> Row:
    tumour = patient.tumour
    return {
        "aggressiveness": tumour.aggressiveness * tumour.hcc,
        "metavir": patient.person.metavir,
        **{name: int(bool(getattr(tumour, name))) for name in ("hcc", "tp53", "ctnnb1")},
    }


TABLES: Mapping[str, tuple[Callable[[Sequence[Patient]], pd.DataFrame], Mapping[str, str]]] = {
    "visits": (visits, {"time": "months", "unit": "months"}),
    "claims": (claims, {"time": "months", "unit": "months"}),
    **{name: (partial(matrix, name=name), {"kind": kind}) for name, (kind, *_) in MATRICES.items()},
    "mutations": (mutations, {"kind": "mutation"}),
}
"""How each further table is made, and what cohort.toml says of it beside its path and the column of patients."""
