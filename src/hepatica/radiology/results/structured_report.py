"""Structured report: the DICOM structured report of a system's result for one study."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom import Dataset

from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.results.derived_images import MANUFACTURER, derived_uid, digest, finish, origin
from hepatica.radiology.results.evidence import FileEvidence
from hepatica.radiology.results.result import MOST_CHARACTERS, Finding, Findings, NotAssessable, Result

SCHEME = "99HEPATICA"
"""Designator of our own codes, for what no public scheme has a code for (PS3.16 section 8.2: 99 and a name)."""

_CODES = {
    "score": ("HCC_RISK_SCORE", "HCC risk score"),
    "low": ("INTERVAL_LOW", "Lower bound of the HCC risk score's interval"),
    "high": ("INTERVAL_HIGH", "Upper bound of the HCC risk score's interval"),
    "level": ("INTERVAL_LEVEL", "Level of the HCC risk score's interval"),
    "cutoff": ("CUTOFF", "Cut-off of the HCC risk score"),
    "images": ("IMAGES", "Number of images read"),
    "class": ("CLASS", "Class by the HCC risk score"),
    "called": ("CALLED", "Class of the highest probability, or group by the locked cut-off"),
    "not_assessable": ("NOT_ASSESSABLE", "Not assessable, no score"),
    "not_hcc": ("NOT_HCC", "Below the cut-off, not classed as HCC"),
    "as_printed": ("AS_PRINTED", "Weighted mean over the number of images"),
    "weighted_mean": ("WEIGHTED_MEAN", "Weighted mean"),
    "unnormalised": ("UNNORMALISED", "Weighted sum over the number of images"),
}

_PROCEDURES = {
    "CT": ("25045-6", "CT unspecified body region", "ComputedTomography"),
    "MR": ("25056-3", "MRI unspecified body region", "MagneticResonance"),
    "US": ("25061-3", "US unspecified body region", "Ultrasound"),
}
"""Codes of LOINC, and keywords of context group 29, by modality."""


def structured_report(
    result: Result | Findings | NotAssessable, *, evidence: Sequence[FileEvidence], remarks: Sequence[str] = ()
) -> Dataset:
    """The score, its interval, cut-off, variant and class, or what is found of each lesion; the model as the observer;
    the images read; remarks as text.

    Of a study that is not assessable, that and its reason alone.

    All `evidence` is of one patient; study and dates are those of the first. Not verified and preliminary: no physician
    has seen it.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    first, model = evidence[0], result.model
    reason = f"Not assessable: {result.reason}" if isinstance(result, NotAssessable) else ""
    texts = [each for each in (reason, model.note, *remarks) if each]
    with tolerant():
        report = hd.sr.MeasurementReport(
            observation_context=_observer(model),
            procedure_reported=_procedure(first),
            imaging_measurements=_groups(result, first),
            title=codes.DCM.ImagingMeasurementReport,
        )
        report[0].ContentSequence.insert(-1, _library(evidence))
        report[0].ContentSequence.extend(_comment(text) for text in texts)
        made = hd.sr.Comprehensive3DSR(
            evidence=[file for each in evidence for file in each.files],
            content=report[0],
            is_complete=True,
            coding_schemes=[hd.coding_schemes.CodingSchemeIdentificationItem(SCHEME, name="Codes of hepatica")],
            series_description="HCC: findings" if isinstance(result, Findings) else "HCC: risk score",
            **origin("report", digest(repr((result, texts))), evidence=first, model=model),
        )
        return finish(made, first)


def _library(evidence: Sequence[FileEvidence]) -> Any:
    """Image Library (TID 1600): a group a series, with once what highdicom's has for each file."""
    from pydicom.sr.codedict import codes

    return _container(codes.DCM.ImageLibrary, [_container(codes.DCM.ImageLibraryGroup, _group(e)) for e in evidence])


def _group(evidence: FileEvidence) -> list[Any]:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    source = hd.sr.CodedConcept(value="260753009", scheme_designator="SCT", meaning="Source")
    context = "HAS ACQ CONTEXT"
    return [
        hd.sr.CodeContentItem(codes.DCM.Modality, _modality(evidence), context),
        *(
            [hd.sr.UIDRefContentItem(codes.DCM.FrameOfReferenceUID, evidence.head.FrameOfReferenceUID, context)]
            if "FrameOfReferenceUID" in evidence.head
            else []
        ),
        *(
            hd.sr.ImageContentItem(source, file.SOPClassUID, file.SOPInstanceUID, relationship_type="CONTAINS")
            for file in evidence.files
        ),
    ]


def _modality(evidence: FileEvidence) -> Any:
    from pydicom.sr.codedict import codes

    return getattr(codes.cid29, _PROCEDURES.get(evidence.head.Modality, _PROCEDURES["CT"])[2])


def _procedure(evidence: FileEvidence) -> Any:
    from highdicom.sr import CodedConcept

    value, meaning, _ = _PROCEDURES.get(evidence.head.Modality, _PROCEDURES["CT"])
    return CodedConcept(value=value, scheme_designator="LN", meaning=meaning)


def _container(name: Any, content: Sequence[Any]) -> Any:
    import highdicom as hd

    item = hd.sr.ContainerContentItem(name, relationship_type="CONTAINS")
    item.ContentSequence = hd.sr.ContentSequence(content)
    return item


def _code(name: str) -> Any:
    from highdicom.sr import CodedConcept

    value, meaning = _CODES[name]
    return CodedConcept(value=value, scheme_designator=SCHEME, meaning=meaning)


def _observer(model: ModelIdentity) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=["device", model.system, model.version, model.digest]),
        name=model.system,
        manufacturer_name=MANUFACTURER,
        model_name=model.version,
        serial_number=model.digest,
    )
    context = hd.sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    return hd.sr.ObservationContext(observer_device_context=context)


def _groups(result: Result | Findings | NotAssessable, evidence: FileEvidence) -> list[Any]:
    if isinstance(result, Findings):
        return [_finding(each, result.model, evidence) for each in result.findings]
    import highdicom as hd

    evaluation = hd.sr.QualitativeEvaluation(name=_code("class"), value=_class(result))
    return [
        hd.sr.MeasurementsAndQualitativeEvaluations(
            **_group_of("HCC risk score", result.model, evidence),
            measurements=_values(result) if isinstance(result, Result) else None,
            qualitative_evaluations=[evaluation],
        )
    ]


def _group_of(name: str, model: ModelIdentity, evidence: FileEvidence) -> dict[str, Any]:
    """What every group of measurements says of itself; `name` is that by which it is followed from study to study."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    words = ("tracking", name) if name != "HCC risk score" else ("tracking",)
    return {
        "tracking_identifier": hd.sr.TrackingIdentifier(
            uid=derived_uid(*words, evidence=evidence, model=model), identifier=name
        ),
        "algorithm_id": hd.sr.AlgorithmIdentification(
            name=model.system,
            version=model.version,
            parameters=[f"weights, digest: {model.digest}", f"paper, doi: {model.doi}"],
            family=codes.cid7162.ArtificialIntelligence,
            manufacturer=MANUFACTURER,
        ),
        "finding_sites": [hd.sr.FindingSite(anatomic_location=codes.SCT.Liver)],
    }


def _finding(finding: Finding, model: ModelIdentity, evidence: FileEvidence) -> Any:
    """A group of measurements; at the lesion's centre where it is of one (TID 1410), else of the study (TID 1501)."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    units = ((finding.values, codes.UCUM.NoUnits), (finding.lengths_mm, codes.UCUM.Millimeter))
    measured = [
        hd.sr.Measurement(name=_own(name), value=value, unit=unit)
        for values, unit in units
        for name, value in values.items()
    ]
    if finding.diameter_mm is not None:
        measured.append(
            hd.sr.Measurement(name=codes.SCT.Diameter, value=finding.diameter_mm, unit=codes.UCUM.Millimeter)
        )
    called = [hd.sr.QualitativeEvaluation(name=_code("called"), value=_own(finding.called))] if finding.called else None
    about = _group_of(finding.name, model, evidence) | {"measurements": measured, "qualitative_evaluations": called}
    if finding.centre_mm is None:
        return hd.sr.MeasurementsAndQualitativeEvaluations(**about)
    place = hd.sr.ImageRegion3D("POINT", np.array([finding.centre_mm]), evidence.head.FrameOfReferenceUID)
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=place, **about)


def _own(name: str) -> Any:
    """A code of our scheme for a name, the same each time; HCC has a public one."""
    import highdicom as hd

    if name.lower() == "hcc":
        return hd.sr.CodedConcept(value="109841003", scheme_designator="SCT", meaning="Hepatocellular carcinoma")
    return hd.sr.CodedConcept(value=digest(name)[:16].upper(), scheme_designator=SCHEME, meaning=name[:MOST_CHARACTERS])


def _class(result: Result | NotAssessable) -> Any:
    if isinstance(result, NotAssessable):
        return _code("not_assessable")
    return _own("hcc") if result.is_hcc else _code("not_hcc")


def _values(result: Result) -> list[Any]:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    images = hd.sr.CodedConcept(value="{images}", scheme_designator="UCUM", meaning="images")
    score = hd.sr.Measurement(
        name=_code("score"), value=result.risk_score, unit=codes.UCUM.NoUnits, method=_code(result.variant)
    )
    others = [
        hd.sr.Measurement(name=_code(name), value=getattr(result, name), unit=codes.UCUM.NoUnits)
        for name in ("low", "high", "level", "cutoff")
    ]
    return [score, *others, hd.sr.Measurement(name=_code("images"), value=result.images, unit=images)]


def _comment(text: str) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    return hd.sr.TextContentItem(name=codes.DCM.Comment, value=text, relationship_type="CONTAINS")
