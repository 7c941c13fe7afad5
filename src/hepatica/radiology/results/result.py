"""Result: what a system says of one study, checked before it is written: a risk score, findings, or no answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from hepatica.cohort.errors import EvaluationError
from hepatica.protocol import ModelIdentity
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


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a system says of one lesion, or of the whole study: `values` by name ("probability of cyst", "risk"), and
    `lengths_mm`.

    `called` is the class or group; `centre_mm` is the lesion's centre (x y z, DICOM patient axes) and `diameter_mm`
    its diameter, None of a study. EvaluationError when there is no value, or one is no finite number.
    """

    name: str
    values: Mapping[str, float] = field(default_factory=dict)
    lengths_mm: Mapping[str, float] = field(default_factory=dict)
    called: str | None = None
    centre_mm: tuple[float, float, float] | None = None
    diameter_mm: float | None = None

    def __post_init__(self) -> None:
        values = {**self.values, **self.lengths_mm}
        numbers = [*values.values(), *(self.centre_mm or ()), self.diameter_mm or 0.0]
        if not values or not all(map(math.isfinite, numbers)):
            raise EvaluationError(f"got the values {values} of a finding, wanted one finite number or more")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a system says of a study and of each of its lesions; EvaluationError as `Result`, or where it is nothing."""

    findings: tuple[Finding, ...]
    model: ModelIdentity

    def __post_init__(self) -> None:
        _check_model(self.model)
        if not self.findings:
            raise EvaluationError("got a result without findings, wanted one or more")


def _check_model(model: ModelIdentity) -> None:
    for name in ("system", "version", "digest", "doi"):
        value = getattr(model, name)
        if not value.strip() or len(value) > MOST_CHARACTERS:
            raise EvaluationError(
                f"got the model's {name} {value!r}, wanted 1 to {MOST_CHARACTERS} characters: a result must name "
                "its model"
            )
