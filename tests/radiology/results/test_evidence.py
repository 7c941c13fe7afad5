"""Evidence: headers that lack what the standard asks for are filled in the same way each time, and references hold."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID, CTImageStorage, EnhancedCTImageStorage

from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume
from hepatica.radiology.results.evidence import evidence_of, in_files, positions

BLANK = {"StudyInstanceUID": "", "SeriesInstanceUID": "", "SOPInstanceUID": "", "FrameOfReferenceUID": None}


def evidence(*paths):
    (series,) = read_study(*paths).series
    return evidence_of(series)


def test_what_the_files_say_is_carried_over(ct):
    ct.write(StudyDate="20240131", StudyTime="101112", AccessionNumber="A1", PatientSex="F", StudyID="7")
    found = evidence(ct.folder)
    assert found.name == "Secret^Name"
    assert (found.head.StudyInstanceUID, found.head.FrameOfReferenceUID) == ("1.2.3.4", "1.2.3.4.6")
    assert (found.head.StudyDate, found.head.StudyTime, found.head.AccessionNumber) == ("20240131", "101112", "A1")
    assert [float(each.ImagePositionPatient[2]) for each in found.slices] == [0, 5, 10, 15, 20, 25]
    assert found.notes == ()
    assert "ecret" not in repr(found)


def test_blank_uids_are_derived_the_same_way_each_time_and_told(ct):
    ct.write(**BLANK)
    one, other = evidence(ct.folder), evidence(ct.folder)
    uids = [one.head.StudyInstanceUID, one.head.SeriesInstanceUID, one.head.FrameOfReferenceUID]
    uids += [each.SOPInstanceUID for each in one.slices]
    assert len(set(uids)) == 9
    assert all(UID(each).is_valid for each in uids)
    assert [each.SOPInstanceUID for each in other.slices] == uids[3:]
    assert sum("derived" in note for note in one.notes) == 4


def test_series_of_one_study_with_blank_uids_share_the_derived_study(ct):
    ct.write(**BLANK, SeriesDescription="arterial")
    ct.write(ct.body() + 1, **BLANK, SeriesDescription="portal venous")
    one, other = (evidence_of(each) for each in read_study(ct.folder).series)
    assert one.head.StudyInstanceUID == other.head.StudyInstanceUID
    assert one.head.SeriesInstanceUID != other.head.SeriesInstanceUID


def test_misspelt_values_are_left_out_and_texts_are_kept(ct):
    odd = {"StudyDate": "31.01.2024", "PatientSex": "female", "PatientAge": "45", "PatientBirthDate": "1960"}

    def spoil(k, each):
        for keyword, value in odd.items():
            setattr(each, keyword, value)
        each.AccessionNumber = "A" * 40

    with pydicom.config.disable_value_validation():
        ct.write(change=spoil)
    head = evidence(ct.folder).head
    assert [head[name].is_empty for name in odd if name != "PatientAge"] == [True] * 3
    assert "PatientAge" not in head
    assert head.AccessionNumber == "A" * 40


def test_names_of_any_alphabet_become_unicode(ct):
    ct.write(SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="Yamada^Tarou=山田^太郎")
    assert evidence(ct.folder).name == "Yamada^Tarou=山田^太郎"


def test_frames_of_an_enhanced_file_are_named(ct):
    ct.write_enhanced(ct.body(), order=[3, 0, 5, 1, 4, 2])
    found = evidence(ct.folder)
    assert [found.frames[each.SOPInstanceUID][2] for each in found.slices] == [2, 4, 6, 1, 5, 3]
    assert {each.SOPClassUID for each in found.slices} == {CTImageStorage}
    (file,) = found.files
    assert file.SOPClassUID == EnhancedCTImageStorage


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0], [1, 0, 0, 0, -1, 0]])
def test_in_files_undoes_upright(ct, orientation):
    ct.write(ImageOrientationPatient=orientation)
    found = evidence(ct.folder)
    assert np.array_equal(in_files(read_volume(found.series).values, found), ct.body())


def test_a_missing_slice_lies_between_its_neighbours_and_is_no_file(ct):
    heights = [0, 5, 15, 20, 25]
    ct.write(ct.body(count=5), heights=heights)
    found = evidence(ct.folder)
    assert positions(found, np.arange(6)) == [(-10, -12, height) for height in (0, 5, 10, 15, 20, 25)]
    assert found.at(2) is None
    assert found.at(3).ImagePositionPatient[2] == 15
