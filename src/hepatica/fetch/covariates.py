"""Covariates: what the GDC tells of a TCGA liver patient at the time of the diagnosis, and the treatment after it.

A cell is filled only where the archive fills it. Units are in the names; sizes are in centimetres, as the GDC's portal
labels them.

*Treatment* is systemic adjuvant treatment, because `hepatica` never trains on treated patients: the agents (else the
kind of treatment) of drug records marked adjuvant or begun before the recurrence; `none` where the record says that no
drug was given or the first was given after the recurrence; blank where the archive does not tell, or not when. Blank is
not `none`.

*Unclear*: not checked against the live service. AFP is taken only in ng/mL from tests at or before the diagnosis, and
only when those agree; the archive may keep it elsewhere for TCGA. Sorafenib is rarely recorded as adjuvant treatment.
"""

from collections.abc import Mapping, Sequence

from hepatica.fetch.follow_up import FollowUp, primary_diagnosis
from hepatica.fetch.record import Record, day, no, number, records, text, words, yes

Cell = str | float | None

_BEFORE = frozenset({"initial diagnosis", "preoperative", "prior to diagnosis", "prior to treatment"})
_DRUGS = ("chemotherapy", "hormone", "immunotherapy", "pharmaceutical", "targeted")
_PHRASES = {
    "histology": "primary_diagnosis",
    "ajcc_stage": "ajcc_pathologic_stage",
    "ajcc_t": "ajcc_pathologic_t",
    "tumour_grade": "tumor_grade",
    "child_pugh": "child_pugh_classification",
    "ishak_fibrosis": "ishak_fibrosis_score",
    "residual_tumour": "residual_disease",
    "earlier_treatment": "prior_treatment",
}
"""Column of patients.csv and field of the diagnosis that is copied into it."""


def covariates(case: Record, *, followed: FollowUp) -> Mapping[str, Cell]:
    """The covariates of one case, None where the archive does not tell."""
    person = next(iter(records(case, "demographic")), {})
    diagnosis = primary_diagnosis(case)
    pathology = records(diagnosis, "pathology_details")
    sex = text(person, "sex_at_birth") or text(person, "gender")
    return {
        "age_years": _age(person, diagnosis),
        "sex": sex.lower() or None,
        **{column: text(diagnosis, field) or None for column, field in _PHRASES.items()},
        "vascular_invasion": _invasion((*pathology, diagnosis)),
        "vascular_invasion_type": next(
            filter(None, (text(each, "vascular_invasion_type") for each in pathology)), None
        ),
        "tumour_size_cm": _size((*pathology, diagnosis)),
        "afp_ng_ml": _afp(case),
        "risk_factors": _risk_factors(case),
        "treatment": _treatment(records(diagnosis, "treatments"), followed),
    }


def _age(person: Record, diagnosis: Record) -> float | None:
    years = number(person, "age_at_index")
    days = number(diagnosis, "age_at_diagnosis")
    return years if years is not None or days is None else round(days / 365.25, 1)


def _size(described: Sequence[Record]) -> float | None:
    sizes = [number(each, "tumor_largest_dimension_diameter") for each in described]
    return max((each for each in sizes if each), default=None)


def _invasion(described: Sequence[Record]) -> float | None:
    """1 where macroscopic, microscopic or other vascular invasion is recorded, 0 where its absence is."""
    kinds = {text(each, "vascular_invasion_type").lower() for each in described} - {""}
    if any(yes(each, "vascular_invasion_present") for each in described) or kinds - {"no vascular invasion"}:
        return 1
    return 0 if kinds or any(no(each, "vascular_invasion_present") for each in described) else None


def _afp(case: Record) -> float | None:
    """Alpha-fetoprotein at the diagnosis: only where every value recorded for that time is the same."""
    visits = [*records(case, "follow_ups"), *records(case, "diagnoses")]
    tests = [(visit, test) for visit in visits for test in records(visit, "molecular_tests")]
    values = {number(test, "test_value") for visit, test in tests if _is_afp(test) and _is_before(visit, test)} - {None}
    return values.pop() if len(values) == 1 else None


def _is_afp(test: Record) -> bool:
    named = text(test, "laboratory_test").lower().replace("-", " ")
    return "alpha fetoprotein" in named and text(test, "test_units").lower() == "ng/ml"


def _is_before(visit: Record, test: Record) -> bool:
    when = day(test, "days_to_test")
    if when is not None:
        return when <= 0
    return bool({text(each, "timepoint_category").lower() for each in (visit, test)} & _BEFORE)


def _risk_factors(case: Record) -> str | None:
    """Risk factors as recorded, hepatitis B and C among them; one not listed is not said to be absent."""
    visits = records(case, "follow_ups")
    attributes = [each for place in (case, *visits) for each in records(place, "other_clinical_attributes")]
    factors = {factor for each in (*visits, *attributes) for factor in words(each, "risk_factors")}
    return "; ".join(sorted(factors)) or None


def _treatment(treatments: Sequence[Record], followed: FollowUp) -> str | None:
    drugs = [each for each in treatments if _is_drug(each)]
    given = [each for each in drugs if not no(each, "treatment_or_therapy")]
    adjuvant = [each for each in given if _after_surgery(each, followed) and _certain(each)]
    if adjuvant:
        return "; ".join(sorted({_named(each) for each in adjuvant}))
    recorded_none = bool(drugs) and all(_after_surgery(each, followed) is False for each in given)
    return "none" if recorded_none else None


def _is_drug(treatment: Record) -> bool:
    kind = text(treatment, "treatment_type").lower()
    return text(treatment, "therapeutic_agents") != "" or kind.startswith(_DRUGS)


def _certain(treatment: Record) -> bool:
    return yes(treatment, "treatment_or_therapy") or text(treatment, "therapeutic_agents") != ""


def _after_surgery(treatment: Record, followed: FollowUp) -> bool | None:
    """Whether given after surgery and before the recurrence; None where that is unknown."""
    begun, intent = day(treatment, "days_to_treatment_start"), text(treatment, "treatment_intent_type").lower()
    if begun is not None and followed.recurrence_event:
        return 0 <= begun < followed.recurrence_days
    if intent in ("adjuvant", "neoadjuvant"):
        return intent == "adjuvant"
    return begun >= 0 if begun is not None else None


def _named(treatment: Record) -> str:
    return (text(treatment, "therapeutic_agents") or text(treatment, "treatment_type")).lower()
