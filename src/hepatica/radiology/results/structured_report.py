"""Structured report: a system's result for one study, and its DICOM structured report."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset

from hepatica.cohort.errors import EvaluationError
from hepatica.protocol import ModelIdentity
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.results.derived import MANUFACTURER, derived_uid, digest, finish, origin
from hepatica.radiology.results.evidence import Evidence
from hepatica.radiology.risk_score import Variant

MOST_CHARACTERS = 64
"""Of a DICOM text of value representation LO (PS3.5 table 6.2-1), such as a device's name or serial number."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The HCC risk score of one patient, its interval and what was made of it.

    `low` and `high` bound the score at `level` (0 to 1); `is_hcc` is whether the score reaches `cutoff`; `images`
    counts the images read. EvaluationError when the score, a bound or the cut-off is no finite number of 0 or more, the
    bounds are in the wrong order, the level is not between 0 and 1, no image was read, `is_hcc` contradicts it all, or
    the model's system, version, digest or DOI is blank or longer than MOST_CHARACTERS.
    """

    risk_score: float
    low: float
    high: float
    level: float
    variant: Variant
    cutoff: float
    is_hcc: bool
    images: int
    model: ModelIdentity

    def __post_init__(self) -> None:
        _check_model(self.model)
        for name in ("risk_score", "low", "high", "cutoff"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise EvaluationError(f"got {name} {value}, wanted a finite number of 0 or more")
        if self.low > self.high or not 0 < self.level < 1:
            raise EvaluationError(
                f"got the interval {self.low} to {self.high} at level {self.level}, wanted low <= high, 0 < level < 1"
            )
        if self.images < 1:
            raise EvaluationError(f"got a result of {self.images} images, wanted at least one")
        if self.is_hcc != (self.risk_score >= self.cutoff):
            raise EvaluationError(
                f"got is_hcc {self.is_hcc} for a score of {self.risk_score} and a cut-off of {self.cutoff}, "
                "wanted True where the score reaches the cut-off and False below"
            )


@dataclass(frozen=True, kw_only=True)
class NotAssessable:
    """That a study has no score, and the reason."""

    reason: str
    model: ModelIdentity

    def __post_init__(self) -> None:
        _check_model(self.model)


def _check_model(model: ModelIdentity) -> None:
    for name in ("system", "version", "digest", "doi"):
        value = getattr(model, name)
        if not value.strip() or len(value) > MOST_CHARACTERS:
            raise EvaluationError(
                f"got the model's {name} {value!r}, wanted 1 to {MOST_CHARACTERS} characters: a result must name "
                "its model"
            )


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
    "not_assessable": ("NOT_ASSESSABLE", "Not assessable, no score"),
    "not_hcc": ("NOT_HCC", "Below the cut-off, not classed as HCC"),
    "as_printed": ("AS_PRINTED", "Weighted mean over the number of images"),
    "weighted_mean": ("WEIGHTED_MEAN", "Weighted mean"),
    "unnormalised": ("UNNORMALISED", "Weighted sum over the number of images"),
}


def structured_report(
    result: Result | NotAssessable, *, evidence: Sequence[Evidence], remarks: Sequence[str] = ()
) -> Dataset:
    """The score, its interval, cut-off, variant and class; the model as the observer; the images read; remarks as text.

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
            procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
            imaging_measurements=[_measurements(result, first)],
            title=codes.DCM.ImagingMeasurementReport,
        )
        report[0].ContentSequence.insert(-1, _library(evidence))
        report[0].ContentSequence.extend(_comment(text) for text in texts)
        made = hd.sr.Comprehensive3DSR(
            evidence=[file for each in evidence for file in each.files],
            content=report[0],
            is_complete=True,
            coding_schemes=[hd.coding_schemes.CodingSchemeIdentificationItem(SCHEME, name="Codes of hepatica")],
            series_description="HCC: risk score",
            **origin("report", digest(repr((result, texts))), evidence=first, model=model),
        )
        return finish(made, first)


def _library(evidence: Sequence[Evidence]) -> Any:
    """Image Library (TID 1600): a group a series, with once what highdicom's has for each file."""
    from pydicom.sr.codedict import codes

    return _container(codes.DCM.ImageLibrary, [_container(codes.DCM.ImageLibraryGroup, _group(e)) for e in evidence])


def _group(evidence: Evidence) -> list[Any]:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    source = hd.sr.CodedConcept(value="260753009", scheme_designator="SCT", meaning="Source")
    context = "HAS ACQ CONTEXT"
    return [
        hd.sr.CodeContentItem(codes.DCM.Modality, codes.cid29.ComputedTomography, context),
        hd.sr.UIDRefContentItem(codes.DCM.FrameOfReferenceUID, evidence.head.FrameOfReferenceUID, context),
        *(
            hd.sr.ImageContentItem(source, file.SOPClassUID, file.SOPInstanceUID, relationship_type="CONTAINS")
            for file in evidence.files
        ),
    ]


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


def _measurements(result: Result | NotAssessable, evidence: Evidence) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=derived_uid("tracking", evidence=evidence, model=result.model), identifier="HCC risk score"
        ),
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=result.model.system,
            version=result.model.version,
            parameters=[f"weights, digest: {result.model.digest}", f"paper, doi: {result.model.doi}"],
            family=codes.cid7162.ArtificialIntelligence,
            manufacturer=MANUFACTURER,
        ),
        finding_sites=[hd.sr.FindingSite(anatomic_location=codes.SCT.Liver)],
        measurements=_values(result) if isinstance(result, Result) else None,
        qualitative_evaluations=[hd.sr.QualitativeEvaluation(name=_code("class"), value=_class(result))],
    )


def _class(result: Result | NotAssessable) -> Any:
    import highdicom as hd

    if isinstance(result, NotAssessable):
        return _code("not_assessable")
    hcc = hd.sr.CodedConcept(value="109841003", scheme_designator="SCT", meaning="Hepatocellular carcinoma")
    return hcc if result.is_hcc else _code("not_hcc")


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
