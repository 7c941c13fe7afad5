"""Derived: UIDs and times that depend on model, files and content alone."""

from dataclasses import replace

import numpy as np
from pydicom.uid import UID

from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.results.derived_images import digest, origin
from hepatica.radiology.results.evidence import evidence_of

MODEL = ModelIdentity(system="HCCNet", version="1", digest="ab" * 32, doi="10.1038/s41416-021-01511-w", note="")


def evidence(*paths):
    (series,) = read_study(*paths).series
    return evidence_of(series)


def test_another_content_is_another_object_of_the_same_series(ct):
    ct.write()
    own = evidence(ct.folder)
    one, other = (origin("report", content, evidence=own, model=MODEL) for content in ("a", "b"))
    assert one["series_instance_uid"] == other["series_instance_uid"]
    assert one["sop_instance_uid"] != other["sop_instance_uid"]
    assert UID(one["sop_instance_uid"]).is_valid


def test_another_model_or_other_files_are_another_series(ct, tmp_path):
    ct.write()
    own = evidence(ct.folder)
    ct.folder = tmp_path / "other"
    ct.write()
    made = [
        origin("report", "a", evidence=own, model=MODEL),
        origin("report", "a", evidence=own, model=replace(MODEL, digest="cd" * 32)),
        origin("report", "a", evidence=evidence(ct.folder), model=MODEL),
        origin("map", "a", evidence=own, model=MODEL),
    ]
    assert len({each["series_instance_uid"] for each in made}) == 4


def test_times_are_those_of_the_study_or_plainly_none(ct, tmp_path):
    ct.write(StudyDate="20240131")
    dated = origin("report", "a", evidence=evidence(ct.folder), model=MODEL)
    assert (dated["content_date"], dated["content_time"]) == ("20240131", "000000")
    ct.folder = tmp_path / "undated"
    ct.write(StudyTime="101112")
    undated = origin("report", "a", evidence=evidence(ct.folder), model=MODEL)
    assert (undated["content_date"], undated["content_time"]) == ("19000101", "000000")


def test_a_digest_tells_shapes_apart():
    assert digest(np.zeros((2, 3))) != digest(np.zeros((3, 2)))
    assert digest(np.zeros(4, np.float32)) != digest(np.zeros(4, np.int32))
    assert digest(np.arange(6)[::2]) == digest(np.array([0, 2, 4]))
