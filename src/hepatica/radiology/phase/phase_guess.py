"""Phase guess: which contrast phase one witness names, and what two witnesses together make of it."""

from dataclasses import dataclass
from typing import Literal

PhaseName = Literal["plain", "arterial", "portal venous", "delayed"]
"""Without contrast, or when after the injection: in the arteries, in the portal vein and the veins, evenly spread."""

_SUREST = 0.99  # ours: nobody is certain


@dataclass(frozen=True, kw_only=True)
class PhaseGuess:
    """A phase, and from 0 to 1 how likely the witness is right, by our judgement."""

    name: PhaseName
    confidence: float
    notes: tuple[str, ...] = ()


def together(one: PhaseGuess | None, other: PhaseGuess | None, *, said: tuple[str, str]) -> PhaseGuess | None:
    """What two independent witnesses are worth, by Bayes' rule; a note tells where they disagree.

    Where they agree, both would have to err. Where not, the surer one counts, less sure by what speaks for the other.
    `said` names the witnesses in the note. None when neither knows.
    """
    if one is None or other is None:
        return one or other
    notes = (*one.notes, *other.notes)
    p, q = (min(each.confidence, _SUREST) for each in (one, other))
    if one.name == other.name:
        return PhaseGuess(name=one.name, confidence=1 - (1 - p) * (1 - q), notes=notes)
    surer = one if p >= q else other
    high, low = max(p, q), min(p, q)
    confidence = high * (1 - low) / (high * (1 - low) + low * (1 - high))
    note = f"{said[0]} says {one.name}, {said[1]} {other.name}"
    return PhaseGuess(name=surer.name, confidence=confidence, notes=(*notes, note))
