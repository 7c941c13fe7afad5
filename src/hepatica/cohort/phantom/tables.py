"""Tables: what a phantom cohort tells of its patients: patients.csv, visits, claims, gene expression, and the truth."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from hepatica.cohort.phantom.outcomes import APART, ONSETS, months
from hepatica.cohort.phantom.patient import Patient

Row = dict[str, Any]

_PERHAPS = ("vascular_invasion", "mvi", "grade", "tp53", "ctnnb1", "response", "extrahepatic_spread", "hbeag", *APART)
"""Columns of whole numbers that some patients lack."""

_VISIT_MONTHS = 6
_MOST_VISITS = 20
_AFP_RISES_MONTHS = 12.0  # before an HCC is seen, and to how many times its level
_AFP_RISES = 8.0

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
        "kind": tumour.kind,
        "lesion_type": tumour.type,
        "tumour_size_cm": tumour.size_cm,
        "tumour_number": len(tumour.lesions),
        "tumour_sum_cm": round(sum(each.diameter_cm for each in tumour.lesions), 1),
        "bclc_stage": tumour.bclc,
        "tnm_stage": tumour.tnm,
        **{name: getattr(tumour, name) for name in ("vascular_invasion", "mvi", "grade", "tp53", "ctnnb1")},
        "extrahepatic_spread": tumour.spread,
        "treatment": course.treatment,
        "response": course.response,
        **{f"{own}_months": onset, f"{own}_event": event, f"{other}_months": None, f"{other}_event": None},
        "overall_survival_months": months(course.last_seen),
        "overall_survival_event": int(course.died),
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
    columns = ("patient_id", "number", "kind", "diameter_cm", "atypical", "gas")
    rows = [
        (patient.patient_id, number, lesion.kind, lesion.diameter_cm, int(lesion.atypical), int(lesion.gas))
        for patient in patients
        for number, lesion in enumerate(patient.tumour.lesions, start=1)
    ]
    return pd.DataFrame(rows, columns=list(columns))


def visits(patients: Sequence[Patient]) -> pd.DataFrame:
    """One row a visit, each half year to the end of follow-up; AFP rises in the year before an HCC is seen."""
    return pd.DataFrame([row for patient in patients for row in _visits(patient)])


def _visits(patient: Patient) -> Iterator[Row]:
    rng, seen = patient.stream("visits"), patient.course.recurrence
    for visit in range(_MOST_VISITS):
        noise = rng.standard_normal(4)
        time = max(visit * _VISIT_MONTHS + (0 if visit == 0 else float(noise[0])), 0)
        if time > patient.course.last_seen:
            return
        near = np.clip(1 - (seen - time) / _AFP_RISES_MONTHS, 0, 1)
        yield {
            "patient_id": patient.patient_id,
            "months": round(time, 2),
            "afp_ng_ml": round(float(patient.tumour.afp_ng_ml * _AFP_RISES**near * np.exp(0.2 * noise[1])), 1),
            "alt_u_l": round(patient.person.alt_u_l * float(np.exp(0.2 * noise[2]))),
            "platelets_10e9_l": round(patient.person.platelets_10e9_l * float(np.exp(-0.01 * time + 0.1 * noise[3]))),
        }


def claims(patients: Sequence[Patient]) -> pd.DataFrame:
    """One row a claim: ICD-10 `code` and month; that of HCC comes with the HCC, and not after follow-up."""
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
    }
    for code, rate in rates.items():
        for time in rng.uniform(0, last, int(rng.poisson(rate * last / 12))):
            yield {"patient_id": patient.patient_id, "months": round(float(time), 2), "code": code}
    begun = 0.0 if patient.tumour.hcc else patient.course.recurrence
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


def genes_of(name: str) -> list[str]:
    """What the matrix of that name has, in order."""
    return [gene for genes, _ in MATRICES[name][2] for gene in genes]


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
