"""Patients: which files are of one patient, by ID and issuer, whatever the spelling of names and birth dates."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from pydicom import Dataset

NOTE = "the patient's name, birth date or ID is blank or spelt differently in some files; one patient by ID or study"


@dataclass(frozen=True, kw_only=True, order=True)
class Identity:
    """What one file says of its patient and study, trimmed; `name` in capitals without empty parts (PS3.5 6.2.1.1)."""

    patient_id: str
    issuer: str
    name: str
    born: str
    study: str


def identity(dataset: Dataset) -> Identity:
    """The identity in a header; blank where it is silent."""
    names = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID")
    own, issuer, name, born, study = (" ".join(str(dataset.get(each) or "").split()) for each in names)
    return Identity(patient_id=own, issuer=issuer, name=name.rstrip("^ ").upper(), born=born, study=study)


def patients(found: Collection[Identity]) -> dict[Identity, tuple[str, ...]]:
    """For each identity the words that name its patient, alike for all of one patient.

    They are ID and issuer; a blank issuer is that of the same ID elsewhere, where there is one only. Without an ID they
    are those of the same study, and without any in the study, its name and date of birth. Two IDs are two patients.
    """
    issuers: dict[str, set[str]] = defaultdict(set)
    studies: dict[str, set[str]] = defaultdict(set)
    names: dict[str, list[tuple[bool, str, str]]] = defaultdict(list)
    for each in found:
        if each.patient_id:
            issuers[each.patient_id] |= {each.issuer} - {""}
            studies[each.study].add(each.patient_id)
        elif each.study:
            names[each.study].append((not each.name, each.name, each.born))

    def with_id(patient_id: str, issuer: str) -> tuple[str, ...]:
        known = issuers[patient_id]
        return patient_id, issuer or (next(iter(known)) if len(known) == 1 else "")

    def words(each: Identity) -> tuple[str, ...]:
        same = studies[each.study] if each.study else set()
        if each.patient_id:
            return with_id(each.patient_id, each.issuer)
        if len(same) == 1:
            return with_id(next(iter(same)), "")
        _, name, born = min(names[each.study]) if each.study else (False, each.name, each.born)
        return "", "", name, born

    return {each: words(each) for each in found}
