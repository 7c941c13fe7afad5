"""Rules: which images of a study go to which model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, PositiveInt

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.sources import Source

STRICT = ConfigDict(extra="forbid")
"""A key that is not known is a fault."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression ({error})") from None
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression that is looked for anywhere in the value, whatever its case."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Images that fulfil every condition given go to `run`, the name of a run folder; results go `to` archives.

    An image has a modality, a body part, descriptions of its study and series, and the AE title that sent it. At least
    `least` images must match. `notify`: an archive that gets a note where a study is called at or above the cut-off.
    """

    __pydantic_config__ = STRICT
    run: Annotated[str, Field(pattern=r"^[^/\\\x00-\x1f]{1,200}$")]
    modality: str | None = None
    body_part: Pattern | None = None
    study: Pattern | None = None
    series: Pattern | None = None
    caller: str | None = None
    least: PositiveInt = 1
    to: tuple[str, ...] = ()
    notify: str | None = None

    def matches(self, image: "Image") -> bool:
        """Whether an image fulfils the conditions."""
        exact = all(wanted in (None, getattr(image, name)) for name, wanted in self._named("modality", "caller"))
        return exact and all(
            wanted is None or re.search(wanted, getattr(image, name), re.IGNORECASE)
            for name, wanted in self._named("body_part", "study", "series")
        )

    def _named(self, *names: str) -> list[tuple[str, str | None]]:
        return [(name, getattr(self, name)) for name in names]


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a rule asks of an image; never printed, for descriptions may name a patient."""

    modality: str
    body_part: str
    study: str
    series: str
    caller: str

    def __repr__(self) -> str:
        return f"Image(modality={self.modality!r})"


_LONGEST = 64
"""Characters of a description (PS3.5, VR LO); a longer one is cut, for the time of a pattern may grow with it."""

_ELEMENTS = dict(
    zip(
        [each.name for each in fields(Image)][:-1],
        ["Modality", "BodyPartExamined", "StudyDescription", "SeriesDescription"],
        strict=True,
    )
)


def image_of(path: Path) -> Image | None:
    """What the header of a received file says; None where it cannot be read."""
    try:
        header = read_dataset(Source(path=path))
        found = {name: str(header.get(keyword) or "").strip()[:_LONGEST] for name, keyword in _ELEMENTS.items()}
        return Image(**found, caller=str(header.file_meta.get("SourceApplicationEntityTitle") or "").strip())
    except (SpecimenError, ValueError, TypeError, AttributeError):
        return None


def chosen(rule: Rule, images: Sequence[tuple[Path, Image]]) -> list[Path]:
    """The files that a rule sends to its model; none where fewer than `least` match."""
    found = [path for path, image in images if rule.matches(image)]
    return found if len(found) >= rule.least else []
