"""Phase tags: the contrast phase by what a scanner wrote in the headers."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydicom import Dataset

from hepatica.radiology.dicom.frames import tolerant

PhaseName = Literal["plain", "arterial", "portal venous", "delayed", "hepatobiliary"]
"""Without contrast, or when after the injection: in the arteries, in the portal vein and the veins, evenly spread, and,
of MR with such an agent, in liver cells.
"""

_MOST_CERTAIN = 0.99  # ours: never certain


@dataclass(frozen=True, kw_only=True)
class PhaseGuess:
    """A phase, and from 0 to 1 how likely it is right, by our judgement."""

    name: PhaseName
    confidence: float
    notes: tuple[str, ...] = ()


def together(one: PhaseGuess | None, other: PhaseGuess | None, *, sources: tuple[str, str]) -> PhaseGuess | None:
    """Two independent guesses combined by Bayes' rule; a note says where they disagree.

    Where they agree, both would have to err. Where not, the more confident one counts, reduced by the other.
    `sources` names both in the note. None without either.
    """
    if one is None or other is None:
        return one or other
    notes = (*one.notes, *other.notes)
    p, q = (min(each.confidence, _MOST_CERTAIN) for each in (one, other))
    if one.name == other.name:
        return PhaseGuess(name=one.name, confidence=1 - (1 - p) * (1 - q), notes=notes)
    likelier = one if p >= q else other
    high, low = max(p, q), min(p, q)
    confidence = high * (1 - low) / (high * (1 - low) + low * (1 - high))
    note = f"{sources[0]} says {one.name}, {sources[1]} {other.name}"
    return PhaseGuess(name=likelier.name, confidence=confidence, notes=(*notes, note))


# Confidence, ours.
_CLEAR = 0.9  # a word of the series' own name
_VAGUE = 0.6  # an abbreviation (AP is also abdomen and pelvis), or the name of the protocol only
_TIMED = 0.7  # seconds since injection
_TIMED_CLOSE = 0.55  # the same, close to a limit

# Seconds from the start of injection to the scan of the liver; ours, about those of Wang 2021 (doi
# 10.1038/s41416-021-01511-w): arterial 5 s after the aorta's enhancement, portal venous 30 s, delayed 90 s after that.
BEGINS: Mapping[PhaseName, float] = {"arterial": 15, "portal venous": 48, "delayed": 110}
"""Seconds after injection from which on a phase of CT is what it is (ours)."""
_LATEST = 1200.0
_CLOSE = 5.0
_HALF_DAY = 43200.0

_WORDS: Mapping[PhaseName, str] = {
    "plain": (
        r"plain|nativ\w*|non ?contrast\w*|non ?enhanced|unenhanced|pre ?contrast|blanco|(?<!and )without|(?<!w )w o"
        r"|ohne km|sans (?:injection|contraste|iv|pdc)|sin contraste|sem contraste|senza (?:mdc|contrasto)"
    ),
    "arterial": r"arter\w*",
    "portal venous": r"port(?:o|al)\w*|venous|ven(?:os|oes|eu)\w*|vein",
    "hepatobiliary": r"hepato ?bil\w*|hepato ?(?:cyte|spec|spez|zyt)\w*|hepatoz\w*|hbp",
    "delayed": r"delay\w*|equilib\w*|excretory|tardi\w*|tardo|late|spat(?:phase|venos)?|spaet(?:phase|venoes)?",
}
_SIGNS: Mapping[PhaseName, str] = {
    "plain": "平扫|平掃|单纯|単純|非增强",
    "arterial": "动脉|動脈",
    "portal venous": "门脉|门静脉|門脈|門靜脈|(?<!门)静脉期|静脈相",
    "hepatobiliary": "肝胆|肝细胞|肝細胞",
    "delayed": "延迟|延遲|延时|平衡|遅延|排泄",
}
_ABBREVIATIONS: Mapping[PhaseName, str] = {
    "plain": r"nc|n c|ncct|nect|smdc|pre|basale?",
    "arterial": r"ap|art|hap|eap|lap",
    "portal venous": r"pv|pvp|ven|vp|hvp|port",
    "delayed": r"dp|eq|\d+ ?min",
}


def phase_from_tags(dataset: Dataset) -> PhaseGuess | None:
    """The phase by a series' names and times; None when there is none, or several.

    Names are read in English, German, French, Spanish, Italian, Portuguese, Chinese and Japanese. A missing contrast
    agent is no evidence: many sites leave it blank. No text of the header goes into the notes.
    """
    with tolerant():
        named, timed = named_phase(dataset), _timed(dataset)
    return together(named, timed, sources=("the name of the series", "its time after injection"))


def named_phase(dataset: Dataset) -> PhaseGuess | None:
    """The phase by the names of series and protocol alone."""
    own = _in_text(str(dataset.get("SeriesDescription") or ""))
    if own:
        return own
    protocol = _in_text(str(dataset.get("ProtocolName") or ""))
    return PhaseGuess(name=protocol.name, confidence=_VAGUE) if protocol else None


def _in_text(text: str) -> PhaseGuess | None:
    """The one phase a text names, by words before abbreviations."""
    words = plain_words(text)
    clear = {name for name in _WORDS if _has(_WORDS[name], words) or re.search(_SIGNS[name], text)}
    short = {name for name, pattern in _ABBREVIATIONS.items() if _has(pattern, words)}
    if "hepatobiliary" in clear:  # it is delayed too, by so many minutes
        clear, short = {"hepatobiliary"}, set()
    found = clear or short
    if len(found) != 1:
        return None
    (name,) = found
    return PhaseGuess(name=name, confidence=_CLEAR if clear and not short - clear else _VAGUE)


def plain_words(text: str) -> str:
    """A text in lower case without accents and punctuation; early and late, of a phase's name no phases, left out."""
    letters = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", " ", letters)
    return re.sub(r"\b(?:early|late) (?=arter|port|ven)", "", words)


def _has(pattern: str, words: str) -> bool:
    return re.search(rf"\b(?:{pattern})\b", words) is not None


def _timed(dataset: Dataset) -> PhaseGuess | None:
    injected, scanned = (
        seconds(str(dataset.get(name) or ""))
        for name in ("ContrastBolusStartTime", "AcquisitionTime")
    )  # fmt: skip
    if injected is None or scanned is None:
        return None
    return phase_after(seconds_after(injected, scanned))


def seconds_after(injected: float, scanned: float) -> float:
    """Seconds from one time of the day to another, negative when it came before; midnight may lie between."""
    return (scanned - injected + _HALF_DAY) % (2 * _HALF_DAY) - _HALF_DAY


def phase_after(
    passed: float, *, begins: Mapping[PhaseName, float] = BEGINS, latest: float = _LATEST
) -> PhaseGuess | None:
    """The phase so many seconds after injection, of those that begin in this order; None before all or too late."""
    begun = [name for name, limit in begins.items() if passed >= limit]
    if not begun or passed > latest:
        return None
    close = min(abs(passed - limit) for limit in begins.values()) < _CLOSE
    return PhaseGuess(name=begun[-1], confidence=_TIMED_CLOSE if close else _TIMED)


def seconds(time: str) -> float | None:
    """DICOM's HHMMSS.FFFFFF as seconds of the day."""
    parts = re.fullmatch(r"(\d\d):?(\d\d):?(\d\d(?:\.\d*)?)\s*", time)
    return None if parts is None else 3600 * int(parts[1]) + 60 * int(parts[2]) + float(parts[3])
