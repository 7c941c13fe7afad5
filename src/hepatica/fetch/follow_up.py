"""Follow-up: recurrence and overall survival of a TCGA patient, from what the GDC tells of the case.

Days count from the GDC's index date, which for TCGA is the diagnosis; months are days / (365.25 / 12).

*Recurrence*: the event is the first recurrence or progression that is recorded, wherever it is recorded:

1. a follow-up with `progression_or_recurrence` yes, or with `days_to_recurrence` or `days_to_progression`;
2. the same of the primary diagnosis (data releases before 42);
3. a further diagnosis after the index date classified as recurrence, metastasis or progression, or not classified but
   said to come from the primary (`tumor_of_origin`): so stand the new tumour events of TCGA since release 42. A new
   primary tumour is no recurrence.

The time is the day of the event, else of death, else of the last contact: death without recurrence censors. A patient
of whom no recurrence is recorded counts as free of it for as long, as the progression-free interval of the TCGA
clinical data resource does (Liu et al., Cell 2018, doi 10.1016/j.cell.2018.02.052).

*Overall survival*: the event is death, its time `days_to_death`. The last contact of the living is the greatest of
`days_to_follow_up`, `days_to_last_follow_up` and the days of recorded recurrences; since release 42 the GDC fills the
first for many patients and leaves the second empty (NCI-GDC/gdc-docs pull request 478).

Nothing is filled in: whoever lacks a day that is needed, or whose record contradicts itself, is left out with the
reason. Where one recurrence has a day and another has none, the one with the day counts.

*Unclear*: not checked against the live service, and days of survival differ between releases and derived tables
(mahmoodlab/PANTHER issue 6). Surgery is taken to lie close to the diagnosis; its own day is not known for all. A visit
at which a recurrence is reported without its own day is not taken for that day, because it may come much later.

Covariates: what the GDC tells of a TCGA liver patient at the time of the diagnosis, and the treatment after it.

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
from dataclasses import dataclass

from hepatica.fetch.gdc import Record, day, no, number, records, text, words, yes

DAYS_A_MONTH = 365.25 / 12
"""Days in a month, as `hepatica.cohort.units.Months` defines it."""

_RETURNED = frozenset({"recurrence", "metastasis", "progression"})
_EVENT_DAYS = ("days_to_recurrence", "days_to_progression")


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Days and events of one patient; days are more than 0, events True (happened) or False (censored)."""

    recurrence_days: int
    recurrence_event: bool
    survival_days: int
    survival_event: bool

    def columns(self) -> Mapping[str, float]:
        """The four cells of patients.csv."""
        return {
            "recurrence_months": round(self.recurrence_days / DAYS_A_MONTH, 3),
            "recurrence_event": int(self.recurrence_event),
            "overall_survival_months": round(self.survival_days / DAYS_A_MONTH, 3),
            "overall_survival_event": int(self.survival_event),
        }


def follow_up(case: Record) -> FollowUp | str:
    """The follow-up of one case; a string instead is the reason why it has none that can be used."""
    found = _recurrences(case)
    known = [each for each in found if each is not None]
    if found and not known:
        return "recurrence recorded without its day"
    if known and min(known) <= 0:
        return "recurrence dated on or before the index date"
    end = _end(case, known)
    if isinstance(end, str):
        return end
    days, died = end
    if days <= 0:
        return "no follow-up after the index date"
    if known and min(known) > days:
        return "recurrence dated after death"
    return FollowUp(
        recurrence_days=min(known, default=days),
        recurrence_event=bool(known),
        survival_days=days,
        survival_event=died,
    )


def primary_diagnosis(case: Record) -> Record:
    """The diagnosis of the tumour in the slides: the one so marked, else the first in time; empty without any."""
    diagnoses = records(case, "diagnoses")
    marked = [each for each in diagnoses if yes(each, "diagnosis_is_primary_disease")]
    classified = [each for each in diagnoses if text(each, "classification_of_tumor").lower() == "primary"]
    return min(marked or classified or diagnoses, key=lambda each: day(each, "days_to_diagnosis") or 0, default={})


def _end(case: Record, events: list[int]) -> tuple[int, bool] | str:
    """Day of death or last contact, and whether it was death; a string is the reason why there is none."""
    person = next(iter(records(case, "demographic")), {})
    status, death = text(person, "vital_status").lower(), day(person, "days_to_death")
    if status == "dead":
        return "dead, day of death not recorded" if death is None else (death, True)
    if status != "alive":
        return "vital status not recorded"
    if death is not None:
        return "alive, yet with a day of death"
    contacts = [day(each, "days_to_follow_up") for each in records(case, "follow_ups")]
    contacts += [day(each, "days_to_last_follow_up") for each in records(case, "diagnoses")]
    last = [each for each in contacts if each is not None] + events
    return (max(last), False) if last else "alive, day of the last contact not recorded"


def _recurrences(case: Record) -> list[int | None]:
    """The day of each recurrence that is recorded, None for one without its day."""
    primary = primary_diagnosis(case)
    recorded = [_reported(each) for each in (*records(case, "follow_ups"), primary) if _is_recurrence(each)]
    returned = [each for each in records(case, "diagnoses") if each is not primary and _returned(each, primary)]
    return recorded + [day(each, "days_to_diagnosis") for each in returned]


def _is_recurrence(record: Record) -> bool:
    if no(record, "progression_or_recurrence"):
        return False
    return yes(record, "progression_or_recurrence") or _reported(record) is not None


def _reported(record: Record) -> int | None:
    days = [day(record, name) for name in _EVENT_DAYS]
    return min((each for each in days if each is not None), default=None)


def _returned(diagnosis: Record, primary: Record) -> bool:
    """Whether a further diagnosis is the first tumour come back, and not one found with it or before it."""
    kind = text(diagnosis, "classification_of_tumor").lower()
    origin = text(diagnosis, "tumor_of_origin")
    came_back = kind in _RETURNED or (not kind and origin != "" and origin == text(primary, "submitter_id"))
    when = day(diagnosis, "days_to_diagnosis")
    return came_back and (when is None or when > 0)


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
