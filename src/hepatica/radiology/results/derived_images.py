"""Derived images: pictures, segmentations and saliency maps of a series as DICOM objects.

Derived: the UIDs, times and equipment of every DICOM object made of a result.

UIDs come from the model's digest, the UIDs of the files read and the content; times are those of the study. So the same
model on the same files gives the same bytes, whenever and wherever it runs.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.uid import generate_uid

from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.results.evidence import Evidence, FileEvidence, decimals, in_files, positions

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


UPRIGHT = ("L", "P")
"""Columns run to the patient's left and rows to the back, as the pictures of our volumes do."""


def secondary_capture(
    picture: np.ndarray, *, index: int, number: int, evidence: Evidence, model: ModelIdentity
) -> Dataset:
    """A picture (h w 3) uint8 RGB of slice `index` of the volume's grid, the `number`th from 1 (PS3.3 A.8.1).

    The picture must not show who the patient is: the object declares that nothing identifying is burned in. It refers
    to the file (and frame) of the slice, unless that was interpolated. SpecimenError when it is no such picture, or of
    no slice of the series.
    """
    _check_picture(picture, index, slices=evidence.series.geometry.shape[0])
    import highdicom as hd

    head = evidence.head
    with tolerant():
        made = hd.sc.SCImage(
            pixel_array=picture,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=UPRIGHT,
            study_instance_uid=head.StudyInstanceUID,
            series_description="HCC: saliency pictures",
            **origin("capture", digest(picture), evidence=evidence, model=model, number=number),
        )
        made.copy_patient_and_study_information(head)
        made.DateOfSecondaryCapture, made.TimeOfSecondaryCapture = made.ContentDate, made.ContentTime
        made.BurnedInAnnotation = "NO"
        made.ImageComments = f"Slice {index + 1} of {evidence.series.geometry.shape[0]} from the feet"
        made.DerivationDescription = "Saliency of the network over the slice"
        if (shown := evidence.at(index)) is not None:
            made.SourceImageSequence = [reference(shown.SOPInstanceUID, evidence)]
        return finish(made, evidence)


def _check_picture(picture: np.ndarray, index: int, *, slices: int) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise SpecimenError(f"got a picture {picture.shape} of {picture.dtype}, wanted (h w 3) of uint8")
    if not 0 <= index < slices:
        raise SpecimenError(f"got a picture of slice {index}, wanted 0 to {slices - 1}")


def segmentation(
    flagged: np.ndarray | Mapping[str, np.ndarray], *, evidence: Evidence, model: ModelIdentity
) -> Dataset | None:
    """The region `flagged` (z y x) bool of the volume's grid as a binary segment (PS3.3 A.51), or of a mapping, by name
    ("liver", "lesions"), a segment each; None where all is empty.

    Rows, columns and places are those of the files; slices without a flagged voxel are left out. Each frame names the
    file (and frame) it lies on, unless a flagged slice is in no file because it was interpolated.
    """
    named = flagged if isinstance(flagged, Mapping) else {"flagged": flagged}
    parts = {name: part for name, part in named.items() if part.any()}
    chosen = np.flatnonzero(np.any([part.any(axis=(1, 2)) for part in parts.values()], axis=0)) if parts else None
    if chosen is None:
        return None
    content = np.stack([part[chosen] for part in parts.values()], axis=-1)
    said = ("FLAGGED", "Region flagged by the system", "HCC: flagged region")
    label, description, series = said if "flagged" in parts else ("ORGANS", "Liver and lesions", "Liver and lesions")
    import highdicom as hd

    with tolerant():
        made = hd.seg.Segmentation(
            source_images=evidence.slices,
            pixel_array=in_files(content, evidence).astype(np.uint8),
            plane_positions=[
                hd.PlanePositionSequence("PATIENT", decimals(each)) for each in positions(evidence, chosen)
            ],
            segmentation_type="BINARY",
            segment_descriptions=[_segment(name, number, model) for number, name in enumerate(parts, start=1)],
            content_label=label,
            content_description=description,
            series_description=series,
            **origin("segmentation", digest(np.concatenate(list(parts.values()))), evidence=evidence, model=model),
        )
        return _spaced(made, evidence)


def _spaced(made: Dataset, evidence: Evidence) -> Dataset:
    """Say how far apart slices are, which the few that are flagged do not show: highdicom leaves it out."""
    measures = made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SpacingBetweenSlices = decimals([evidence.series.geometry.spacing[0]])[0]
    return finish(made, evidence)


def _segment(name: str, number: int, model: ModelIdentity) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    label, category, kind = {
        # salient to the network, and no finding of a lesion
        "flagged": ("Flagged region", codes.SCT.SpatialAndRelationalConcept, codes.DCM.SelectedRegion),
        "liver": ("Liver", codes.SCT.AnatomicalStructure, codes.SCT.Liver),
        "lesions": ("Lesions", codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion),
    }[name]
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type="AUTOMATIC",
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=model.system,
            version=model.version,
            family=codes.cid7162.ArtificialIntelligence,
            source=model.doi,
            parameters={"digest": model.digest},
        ),
        anatomic_regions=[codes.SCT.Liver],
    )


def parametric_map(saliency: np.ndarray, *, evidence: Evidence, model: ModelIdentity) -> Dataset | None:
    """Saliency (z y x) float, 0 to 1, of the volume's grid as a Parametric Map of float32 (PS3.3 A.75).

    Slices that are 0 throughout are left out; None where all are. Rows, columns and places are those of the files.
    SpecimenError when a value is below 0, above 1 or no number.
    """
    _check_saliency(saliency)
    chosen = np.flatnonzero(saliency.any(axis=(1, 2)))
    if not chosen.size:
        return None
    import highdicom as hd

    values = in_files(saliency[chosen].astype(np.float32), evidence)
    with tolerant():
        made = hd.pm.ParametricMap(
            source_images=evidence.slices,
            pixel_array=values,
            plane_positions=[
                hd.PlanePositionSequence("PATIENT", decimals(each)) for each in positions(evidence, chosen)
            ],
            real_world_value_mappings=[_meaning()],
            voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.5, window_width=1.0)],
            contains_recognizable_visual_features=False,
            content_label="SALIENCY",
            content_description="Saliency of the network, 0 to 1",
            series_description="HCC: saliency map",
            **origin("map", digest(values), evidence=evidence, model=model),
        )
        return _spaced(made, evidence)


def _check_saliency(saliency: np.ndarray) -> None:
    if not ((saliency >= 0) & (saliency <= 1)).all():
        raise SpecimenError(
            "got a saliency map with values below 0, above 1 or NaN; wanted 0 to 1, scaled over the series"
        )


def _meaning() -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    return hd.pm.RealWorldValueMapping(
        lut_label="SALIENCY",
        lut_explanation="Saliency, 0 to 1",
        unit=codes.UCUM.NoUnits,
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=codes.DCM.Saliency,
    )
