"""Patients: IDs decide, studies help where an ID is blank, and names only where there is neither."""

import pytest

from hepatica.radiology.dicom.patients import Identity, patients


def who(patient_id="7", issuer="", name="A^B", born="19500101", study="1.2"):
    return Identity(patient_id=patient_id, issuer=issuer, name=name, born=born, study=study)


def count(*found):
    return len(set(patients(set(found)).values()))


@pytest.mark.parametrize(
    ("other", "number"),
    [
        (who(name="B^A", born=""), 1),
        (who(issuer="X", study="1.3"), 1),
        (who(patient_id=""), 1),
        (who(patient_id="", study="1.3"), 2),  # a blank ID of another study: nothing says whose it is
        (who(patient_id="8"), 2),
        (who(patient_id="07"), 2),
    ],
)
def test_two_files_of_one_or_two_patients(other, number):
    assert count(who(), other) == number


def test_equal_ids_of_two_issuers_are_two_patients_and_without_issuer_a_third():
    assert count(who(issuer="X"), who(issuer="Y")) == 2
    assert count(who(issuer="X"), who(issuer="Y"), who()) == 3


def test_without_any_id_a_study_is_one_patient_and_studies_are_joined_by_name_and_birth():
    assert count(who(patient_id=""), who(patient_id="", name="", born="")) == 1
    assert count(who(patient_id=""), who(patient_id="", study="1.3")) == 1
    assert count(who(patient_id=""), who(patient_id="", study="1.3", born="19600101")) == 2
    assert count(who(patient_id="", study=""), who(patient_id="", study="", name="C")) == 2


def test_the_words_do_not_depend_on_the_order():
    found = [who(), who(patient_id=""), who(issuer="X"), who(patient_id="", name="C", study="1.4")]
    assert patients(found) == patients(found[::-1])
