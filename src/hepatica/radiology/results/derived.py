"""Derived: the UIDs, times and equipment of every DICOM object made of a result.

UIDs come from the model's digest, the UIDs of the files read and the content; times are those of the study. So the same
model on the same files gives the same bytes, whenever and wherever it runs.
"""

import hashlib
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.uid import generate_uid

from hepatica.protocol import ModelIdentity
from hepatica.radiology.results.evidence import FileEvidence

MANUFACTURER = "hepatica"

SERIES_NUMBER = {"report": 9001, "segmentation": 9002, "map": 9003, "capture": 9004}  # ours
"""Beyond any scanner's own; objects of one kind and source share a series."""

BODY_PART = "ABDOMEN"  # ours
"""Body part of every result: what an axial series of the liver shows. Not paired: no laterality is asked for."""

NO_DATE, NO_TIME = "19000101", "000000"  # ours
"""Date and time of a result whose study has none: the standard requires one, evidently not real."""


def digest(content: np.ndarray | str) -> str:
    """A digest of the content."""
    if isinstance(content, str):
        return hashlib.sha256(content.encode()).hexdigest()
    return hashlib.sha256(
        f"{content.dtype}{content.shape}".encode() + np.ascontiguousarray(content).tobytes()
    ).hexdigest()


def derived_uid(*words: str, evidence: FileEvidence, model: ModelIdentity) -> str:
    """The same words, series, files and model, the same UID."""
    files = [str(file.SOPInstanceUID) for file in evidence.files]
    return str(generate_uid(entropy_srcs=[*words, model.system, model.version, model.digest, evidence.key, *files]))


def origin(kind: str, content: str, *, evidence: FileEvidence, model: ModelIdentity, number: int = 1) -> dict[str, Any]:
    """What highdicom asks of every object: `kind` is a key of SERIES_NUMBER, `content` a digest, `number` from 1 on."""
    head = evidence.head
    date = str(head.StudyDate) or NO_DATE
    time = (str(head.StudyTime) if head.StudyDate else "") or NO_TIME
    return {
        "series_instance_uid": derived_uid(kind, evidence=evidence, model=model),
        "series_number": SERIES_NUMBER[kind],
        "sop_instance_uid": derived_uid(kind, str(number), content, evidence=evidence, model=model),
        "instance_number": number,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": model.system,
        "software_versions": model.version,
        "device_serial_number": model.digest,
        "specific_character_set": "ISO_IR 192",
        **{f"{event}_date": date for event in ("series", "content")},
        **{f"{event}_time": time for event in ("series", "content")},
    }


def finish(made: Dataset, evidence: FileEvidence) -> Dataset:
    """Give an object its patient's name and a fixed time, and refer to frames of multi-frame files."""
    made.add_new("PatientName", "PN", evidence.name)  # a new element: highdicom shares that of the evidence
    made.InstanceCreationDate, made.InstanceCreationTime = made.ContentDate, made.ContentTime
    if made.Modality != "SR":
        made.BodyPartExamined = BODY_PART
    _settle(made)
    if evidence.frames:
        _name_frames(made, evidence)
    return made


def _settle(made: Dataset) -> None:
    """Give what highdicom draws at random or takes from the clock its fixed value."""
    fixed = {
        "DimensionOrganizationUID": generate_uid(entropy_srcs=["dimensions", str(made.SOPInstanceUID)]),
        "ContributionDateTime": f"{made.ContentDate}{made.ContentTime}",
    }
    for each in made.iterall():
        if each.keyword in fixed:
            each.value = fixed[each.keyword]


def _name_frames(made: Dataset, evidence: FileEvidence) -> None:
    for each in made.get("PerFrameFunctionalGroupsSequence", ()):
        for derivation in each.get("DerivationImageSequence", ()):
            for image in derivation.SourceImageSequence:
                image.update(reference(image.ReferencedSOPInstanceUID, evidence))
    files = [_reference(file.SOPClassUID, file.SOPInstanceUID) for file in evidence.files]
    if "ReferencedSeriesSequence" in made:
        made.SourceImageSequence = made.ReferencedSeriesSequence[0].ReferencedInstanceSequence = files


def reference(uid: str, evidence: FileEvidence) -> Dataset:
    """The file, and the frame of a multi-frame one, that a slice of the evidence is."""
    if uid not in evidence.frames:
        return _reference(evidence.head.SOPClassUID, uid)
    kind, file, frame = evidence.frames[uid]
    referred = _reference(kind, file)
    referred.ReferencedFrameNumber = frame
    return referred


def _reference(kind: str, uid: str) -> Dataset:
    referred = Dataset()
    referred.ReferencedSOPClassUID = kind
    referred.ReferencedSOPInstanceUID = uid
    return referred
