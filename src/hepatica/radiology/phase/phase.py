"""Phase: whether a CT series shows the liver before contrast, or how long after it."""

from dataclasses import dataclass
from typing import Literal

from hepatica.radiology.dicom.series import Series
from hepatica.radiology.liver.liver import FoundLiver
from hepatica.radiology.phase.phase_guess import PhaseName, together
from hepatica.radiology.phase.phase_image import phase_from_image
from hepatica.radiology.phase.phase_tags import phase_from_tags

CERTAIN = 0.6  # ours
"""Confidence below which a phase is called unknown, with a note of what it may be."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A contrast phase, how likely it is right (0 to 1, by our judgement), and whether header or image told it.

    Where both told the same, `source` is "tags". `notes` say what contradicts it, and never quote the header.
    """

    name: PhaseName | Literal["unknown"]
    confidence: float
    source: Literal["tags", "image"]
    notes: tuple[str, ...] = ()


def contrast_phase(liver: FoundLiver | None, *, series: Series | None) -> Phase:
    """The phase of a volume by the header of its `series`, where it has one, and by how it looks round its `liver`.

    Each is a witness whose word counts by how clear it is: a clear image outweighs an abbreviation, a contradiction is
    told and costs confidence. Without a liver only the header counts. "unknown" when nothing is certain.
    """
    tags = phase_from_tags(series.dataset()) if series is not None else None
    image = phase_from_image(liver)
    guess = together(tags, image, said=("the header", "the image"))
    if guess is None:
        note = "neither header nor image tell the contrast phase"
        return Phase(name="unknown", confidence=0.0, source="image", notes=(note,))
    source: Literal["tags", "image"] = "tags" if tags is not None and tags.name == guess.name else "image"
    if guess.confidence < CERTAIN:
        notes = (*guess.notes, f"the contrast phase is uncertain, perhaps {guess.name}")
        return Phase(name="unknown", confidence=guess.confidence, source=source, notes=notes)
    return Phase(name=guess.name, confidence=guess.confidence, source=source, notes=guess.notes)
