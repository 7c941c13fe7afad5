"""Pseudonym: consistent under one key, unlinkable without it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import UID

from hepatica.cohort.errors import SettingsError
from hepatica.radiology.deidentify.pseudonym import FARTHEST, Pseudonyms, pseudonyms

ONE, OTHER = Pseudonyms(key=b"1" * 32), Pseudonyms(key=b"2" * 32)


def patient(**tags) -> Dataset:
    dataset = Dataset()
    for name, value in tags.items():
        setattr(dataset, name, value)
    return dataset


@given(uid=st.from_regex(r"1\.2\.[1-9][0-9]{0,20}", fullmatch=True))
def test_a_uid_is_mapped_to_one_valid_uid_for_each_key(uid):
    assert UID(ONE.uid(uid)).is_valid
    assert ONE.uid(uid) == Pseudonyms(key=b"1" * 32).uid(uid) != OTHER.uid(uid)


def test_uids_of_the_standard_and_blank_ones_stay():
    assert ONE.uid("1.2.840.10008.1.4.1.1") == "1.2.840.10008.1.4.1.1"  # Talairach frame of reference
    assert ONE.uid("") == ""


def test_a_patient_is_told_by_id_and_issuer_and_else_by_name_and_birth():
    names = {
        ONE.patient(each)
        for each in (
            patient(PatientID="7", PatientName="A"),
            patient(PatientID="7", PatientName="A", IssuerOfPatientID="X"),
            patient(PatientName="A", PatientBirthDate="19600101"),
            patient(PatientName="A", PatientBirthDate="19600102"),
        )
    }
    assert len(names) == 4
    assert ONE.patient(patient(PatientID="7", PatientName="A^B")) == ONE.patient(patient(PatientID="7"))


@given(days=st.integers(0, 20000), who=st.text(min_size=1))
def test_days_of_one_patient_are_set_back_alike(days, who):
    first, later = date.fromordinal(720000), date.fromordinal(720000 + days)
    back = first - ONE.shifted(first, patient=who)
    assert 1 <= back.days <= FARTHEST
    assert later - ONE.shifted(later, patient=who) == back


def test_without_a_key_each_call_has_its_own_secret():
    assert pseudonyms(None).uid("1.2.3") != pseudonyms(None).uid("1.2.3")


def test_a_key_is_read_and_never_shown(tmp_path):
    (tmp_path / "key").write_bytes(b"0123456789abcdef")
    assert pseudonyms(tmp_path / "key").key == b"0123456789abcdef"
    assert "0123" not in repr(pseudonyms(tmp_path / "key"))


@pytest.mark.parametrize("content", [None, b"short"])
def test_no_key_or_a_short_one_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(SettingsError, match="16 random bytes"):
        pseudonyms(tmp_path / "key")
