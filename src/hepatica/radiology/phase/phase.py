"""Phase: the contrast phase of a series, by its headers and by how bright vessels and organs are."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hepatica.radiology.dicom.series import Series
from hepatica.radiology.liver.liver import CREDIBLE, Coarse, FoundLiver
from hepatica.radiology.phase.phase_tags import PhaseGuess, PhaseName, phase_from_tags, together

# Where and how levels are measured, all ours. Lengths in mm, values in HU.
_COLUMN = 50.0  # blood is what hardly changes over such a length along the body, unlike vertebrae with their discs
_SHORTEST = 30.0  # of the series, to separate them
_EVEN = 20.0  # standard deviation along a column of blood, noise included
_BLOOD = (25.0, 500.0)
_FROM_BACK = (55.0, 170.0)
_AORTA = (-8.0, 40.0)  # from the body's middle to the left
_CAVA = (-45.0, -8.0)
_BRIGHTEST = 3  # the aorta is the brightest tube of its place: its third brightest column, lest one strays
_SPLEEN_LEFT, _SPLEEN_BACK, _SPLEEN_DEPTH = 30.0, 150.0, 10.0
_SPLEEN_LEVELS = (20.0, 220.0)
_SPLEEN_BLOCKS = 20

# What levels mean, all ours: set by the physiology that Bae reviews (Radiology 2010, doi 10.1148/radiol.10090908) and
# by phantoms; real series to set them by are few.
_PLAIN_AORTA = (70.0, 85.0)  # below: no contrast, certain and possible
_PLAIN_SPLEEN = 65.0
_FATTY = 0.7  # of the spleen: the least a liver is taken for, so that fat or a cyst does not make blood seem bright
_ARTERIAL = (2.0, 2.6)  # aorta over liver from here on, possible and certain
_PORTAL_LIVER, _PORTAL_LIVER_STEP = 1.36, 0.12  # aorta over liver between portal venous and delayed
_PORTAL_CAVA, _PORTAL_CAVA_STEP = 1.04, 0.06  # aorta over cava: 1 when contrast has spread evenly
_LEAST, _MOST = 0.5, 0.95  # confidence at a limit and far from all


@dataclass(frozen=True, kw_only=True)
class Levels:
    """HU of aorta, vena cava, spleen and liver; None for what was not found.

    A cava darker than the liver beside it (plain CT) is not separated from the liver's edge; no phase is judged then.
    """

    aorta: float | None
    cava: float | None
    spleen: float | None
    liver: float


def phase_from_image(liver: FoundLiver | None) -> PhaseGuess | None:
    """The phase by the image a liver was found in; None without liver or aorta, or when they contradict each other.

    Arterial, when the aorta is far brighter than the liver; delayed, when aorta, cava and liver have come close;
    portal venous in between. The last two differ in degree only, and confidence falls to 0.5 between them.
    """
    if liver is None or liver.confidence < CREDIBLE:
        return None
    return judged(measured(liver))


def judged(levels: Levels) -> PhaseGuess | None:
    """The phase in which organs have such levels; None when the aorta's is unknown or the spleen's contradicts it."""
    if levels.aorta is None:
        return None
    certain, perhaps = _PLAIN_AORTA
    dark = levels.spleen is not None and levels.spleen < _PLAIN_SPLEEN
    if levels.aorta < perhaps:
        return PhaseGuess(name="plain", confidence=_between(perhaps - levels.aorta, 0, perhaps - certain))
    if dark:  # a spleen without contrast beside blood with it: one of the two is something else
        return None
    to_liver = levels.aorta / max(levels.liver, _FATTY * (levels.spleen or 0.0), 1.0)
    if to_liver >= _ARTERIAL[0]:
        return PhaseGuess(name="arterial", confidence=_between(to_liver, *_ARTERIAL))
    margin = _portal_margin(to_liver, levels)
    return PhaseGuess(name="portal venous" if margin > 0 else "delayed", confidence=_between(abs(margin), 0, 1))


def _portal_margin(to_liver: float, levels: Levels) -> float:
    """From -1, certainly delayed, to 1, certainly portal venous."""
    signs = [(to_liver - _PORTAL_LIVER) / _PORTAL_LIVER_STEP]
    if levels.aorta is not None and levels.cava is not None:
        signs.append((levels.aorta / levels.cava - _PORTAL_CAVA) / _PORTAL_CAVA_STEP)
    return float(np.mean(np.clip(signs, -1, 1)))


def _between(value: float, low: float, high: float) -> float:
    return float(np.interp(value, (low, high), (_LEAST, _MOST)))


def measured(found: FoundLiver) -> Levels:
    """The levels of the organs beside a liver, each found by its place, its shape and its evenness."""
    lowest, highest = np.flatnonzero(found.blocks.any(axis=(1, 2)))[[0, -1]]
    return Levels(
        aorta=_tube(found.coarse, lowest, highest, place=_AORTA),
        cava=_tube(found.coarse, lowest, highest, place=_CAVA),
        spleen=_spleen(found, lowest, highest),
        liver=found.level,
    )


def _tube(coarse: Coarse, lowest: int, highest: int, *, place: tuple[float, float]) -> float | None:
    """The level of the brightest even tube along the body between these columns, over the slices of the liver."""
    length = max(1, round(_COLUMN / coarse.spacing[0]))
    middle, behind = coarse.from_middle()[0], coarse.from_back()
    there = (middle > place[0]) & (middle < place[1])
    levels = []
    for start in range(lowest, max(lowest + 1, highest + 1 - length // 2), max(1, length // 2)):
        window = slice(start, start + length)
        values, depth = coarse.values[window], np.median(behind[window], axis=0)
        mean, spread = values.mean(axis=0), values.std(axis=0)
        even = (spread < _EVEN) & (mean > _BLOOD[0]) & (mean < _BLOOD[1])
        blood = np.sort(mean[there & even & (depth > _FROM_BACK[0]) & (depth < _FROM_BACK[1])])
        if len(values) * coarse.spacing[0] >= _SHORTEST and len(blood) >= _BRIGHTEST:
            levels.append(blood[-_BRIGHTEST])
    return float(np.median(levels)) if levels else None


def _spleen(found: FoundLiver, lowest: int, highest: int) -> float | None:
    """The level of what lies deep in soft tissue at the back of the left side, beside the liver."""
    coarse = found.coarse
    low, high = _SPLEEN_LEVELS
    soft = coarse.body & ~found.blocks & (coarse.smooth > low) & (coarse.smooth < high)
    left = (coarse.from_middle() > _SPLEEN_LEFT) & (coarse.from_back() < _SPLEEN_BACK)
    beside = np.zeros(soft.shape, bool)
    beside[lowest : highest + 1] = True
    deep = coarse.depth(soft & left & beside) > _SPLEEN_DEPTH
    return float(np.median(coarse.values[deep])) if deep.sum() > _SPLEEN_BLOCKS else None


CERTAIN = 0.6  # ours
"""Confidence below which a phase is called unknown, with a note of what it may be."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A contrast phase, how likely it is right (0 to 1, by our judgement), and whether it is from header or image.

    Where both agree, `source` is "tags". `notes` name contradictions, and never quote the header.
    """

    name: PhaseName | Literal["unknown"]
    confidence: float
    source: Literal["tags", "image"]
    notes: tuple[str, ...] = ()


def contrast_phase(liver: FoundLiver | None, *, series: Series | None) -> Phase:
    """The phase of a volume by the header of its `series`, where it has one, and by the image around its `liver`.

    Each counts by its confidence: a clear image outweighs an abbreviation, a contradiction is noted and lowers
    confidence. Without a liver only the header counts. "unknown" when nothing is certain.
    """
    tags = phase_from_tags(series.dataset()) if series is not None else None
    image = phase_from_image(liver)
    guess = together(tags, image, sources=("the header", "the image"))
    if guess is None:
        note = "neither header nor image gives the contrast phase"
        return Phase(name="unknown", confidence=0.0, source="image", notes=(note,))
    source: Literal["tags", "image"] = "tags" if tags is not None and tags.name == guess.name else "image"
    if guess.confidence < CERTAIN:
        notes = (*guess.notes, f"the contrast phase is uncertain, perhaps {guess.name}")
        return Phase(name="unknown", confidence=guess.confidence, source=source, notes=notes)
    return Phase(name=guess.name, confidence=guess.confidence, source=source, notes=guess.notes)
