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
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hepatica.fetch.record import Record, day, no, records, text, yes

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
