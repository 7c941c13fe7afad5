"""Result: what a system says of one patient, from which the DICOM objects are made."""

import math
from dataclasses import dataclass

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
            raise EvaluationError(f"got a result of {self.images} images, wanted one at the least")
        if self.is_hcc != (self.risk_score >= self.cutoff):
            raise EvaluationError(
                f"got is_hcc {self.is_hcc} for a score of {self.risk_score} and a cut-off of {self.cutoff}, "
                "wanted True where the score reaches the cut-off and False below"
            )


def _check_model(model: ModelIdentity) -> None:
    for name in ("system", "version", "digest", "doi"):
        value = getattr(model, name)
        if not value.strip() or len(value) > MOST_CHARACTERS:
            raise EvaluationError(
                f"got the model's {name} {value!r}, wanted 1 to {MOST_CHARACTERS} characters: a result must say "
                "which model it is from"
            )
