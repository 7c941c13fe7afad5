"""Sequence: what an MR series of the liver shows, by what a scanner wrote in its headers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydicom import Dataset

from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.header import MOMENTS, value_of
from hepatica.radiology.dicom.selection import scanned
from hepatica.radiology.dicom.series import Series
from hepatica.radiology.dicom.weighting import Weighting
from hepatica.radiology.phase.phase import CERTAIN
from hepatica.radiology.phase.phase_tags import (
    BEGINS,
    PhaseGuess,
    PhaseName,
    named_phase,
    phase_after,
    plain_words,
    seconds,
    seconds_after,
    together,
)

SequenceName = Literal[
    "pre", "arterial", "portal venous", "delayed", "hepatobiliary", "t2", "t1_in", "t1_opposed", "dwi"
]
"""T1-weighted before contrast and in four phases after it, T2-weighted, T1-weighted with water and fat in phase and
opposed, diffusion-weighted."""

Family = Literal["t1", "t2", "dwi", "unknown"]
Echo = Literal["t1_in", "t1_opposed"]
Agent = Literal["hepatobiliary", "extracellular"]

HEPATOBILIARY = 600.0  # ours: gadoxetate from 10 min, gadobenate from 60 min on
"""Seconds after the injection of a hepatobiliary agent from which on it is the liver cells that are bright."""

_AFTER: Mapping[PhaseName, float] = {**BEGINS, "hepatobiliary": HEPATOBILIARY}
_LATEST = 3 * 3600.0
_BEFORE = -3600.0  # of the first T1-weighted series before the injection
_ARTERIAL = 25.0  # ours: seconds from injection to an arterial series, where only its name or place says when it was

# What separates weightings, all ours: ms, degrees.
_T1_ECHO, _T1_REPETITION, _T2_ECHO, _HEAVY_ECHO = 10.0, 500.0, 60.0, 250.0
_BALANCED_ANGLE, _BALANCED_REPETITION = 35.0, 10.0
_CYCLES = 3.4e-6 * 42.577e6 / 1000  # per tesla and ms: how often fat falls behind water, 3.4 ppm apart
_NEAR = 0.2  # cycles

_TAGGED, _WORDED, _GUESSED = 0.9, 0.7, 0.5  # confidence, ours

_AGENTS: Mapping[Agent, str] = {
    "hepatobiliary": r"gadoxet\w*|primovist|eovist|(?:gd ?)?eob\w*|gadobenat\w*|multihance|(?:gd ?)?bopta",
    "extracellular": (
        r"gadobutrol|gad[ao]vist|gadoter\w*|dotarem|clariscan|magnevist|gadopent\w*|omniscan|gadodiamid\w*|prohance"
        r"|gadopiclenol|elucirem|vueway|(?:gd ?)?dtpa|(?:gd ?)?dota"
    ),
}
_FAMILIES: Mapping[Family, str] = {
    "dwi": r"dwi|diff\w*|tracew?|ivim|ep2d|b ?\d{2,4}",
    "t2": r"t2\w*|haste|ssfse|ss ?fse|ss ?tse|blade|propeller|frfse|stir",
    "t1": r"t1\w*|vibe|lava|thrive|flash|fspgr|quick ?3d|dyn\w*|dixon",
}
_BALANCED = r"true ?fisp|trufi|fiesta|b ?ffe|balanced|b ?ssfp|mrcp|magn?etic resonance cholangio\w*"
_FAT_SAT = r"fs|fat ?sat\w*|fatsuppress\w*|spair|spir|stir|chem ?sat|water"
_NO_FAT_SAT = r"(?:w o|without|no|non) (?:fs|fat ?sat\w*|fat suppression)"
_ECHOES: Mapping[Echo, tuple[str, str]] = {
    "t1_in": ("in phase", r"in ?phase|ip|in opp"),
    "t1_opposed": ("opposed", r"opp\w*|out ?(?:of ?)?phase|(?<!post )op"),
}


@dataclass(frozen=True, kw_only=True)
class MrSequence:
    """What a series shows, and how likely that is right (0 to 1, by our judgement); from tags alone, as `source` says.

    `family` is its weighting, `fat_suppressed` None where nothing says, `b_value` in s/mm2 of diffusion-weighted
    images, `agent` the kind of contrast agent. `notes` name doubts and contradictions, and never quote the header.
    """

    name: SequenceName | Literal["unknown"]
    confidence: float
    family: Family
    fat_suppressed: bool | None = None
    b_value: float | None = None
    agent: Agent | None = None
    source: Literal["tags"] = "tags"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Tags:
    """What the headers of one series say: `words` of its names, `codes` of how it was scanned; ms, degrees, tesla."""

    dataset: Dataset
    words: str
    codes: frozenset[str]
    repetition: float
    angle: float
    field: float
    weighting: Weighting

    @property
    def echo(self) -> float:
        return self.weighting.echo_time or 0.0

    @property
    def agent(self) -> Agent | None:
        given = plain_words(str(self.dataset.get("ContrastBolusAgent") or ""))
        return next((kind for kind, names in _AGENTS.items() if re.search(rf"\b(?:{names})\b", given)), None)

    @property
    def fat_suppressed(self) -> bool | None:
        if self.has(_NO_FAT_SAT) or self.weighting.part in {"in phase", "opposed"}:
            return False
        return self.weighting.part == "water" or bool(self.codes & {"FS", "SFS", "FAT"}) or self.has(_FAT_SAT) or None

    def has(self, pattern: str) -> bool:
        return re.search(rf"\b(?:{pattern})\b", self.words) is not None


def sequences_of(series: Sequence[Series]) -> tuple[MrSequence, ...]:
    """What each series of one study shows, as `sequence_of`; where neither name nor time of injection tells T1-weighted
    series apart, their order does: the first is before contrast, the second arterial, the rest by their time.
    """
    found = tuple(map(sequence_of, series))
    when = {k: at for k, each in enumerate(series) if (at := _moment(each)) is not None and found[k].family == "t1"}
    arterial = [at for k, at in when.items() if found[k].name == "arterial"]
    dynamic = sorted(at for k, at in when.items() if found[k].name in {"unknown", "pre"})
    if not arterial and len(dynamic) < 3:
        return found
    injected = (arterial[0] if arterial else dynamic[1]) - _ARTERIAL
    note = f"the time of injection is inferred from {'the arterial series' if arterial else 'the order of the series'}"
    inferred = {k: sequence_of(series[k], injected=injected) for k in when if found[k].name == "unknown"}
    return tuple(
        replace(inferred[k], notes=(*inferred[k].notes, note)) if k in inferred else each
        for k, each in enumerate(found)
    )


def sequence_of(series: Series, *, injected: float | None = None) -> MrSequence:
    """What one series shows; `injected` is when contrast was given, in seconds of the day, where its own header is
    silent. "unknown" where nothing is certain (`CERTAIN`).
    """
    with tolerant():
        tags = _read(series)
        family, confidence, notes = _family(tags)
        made = MrSequence(
            name="unknown",
            confidence=confidence,
            family=family,
            fat_suppressed=tags.fat_suppressed,
            agent=tags.agent,
            notes=notes,
        )
        if family == "dwi":
            made = _diffusion(made, tags)
        elif family == "t2":
            made = replace(made, name="t2")
        elif family == "t1":
            made = _t1(made, tags, injected=injected, scanned=_moment(series))
    if made.name == "unknown" or made.confidence >= CERTAIN:
        return made
    return replace(made, name="unknown", notes=(*made.notes, f"the sequence is uncertain, perhaps {made.name}"))


def _read(series: Series) -> _Tags:
    dataset, header = series.dataset(), series.headers[0]

    def number(name: str) -> float:
        return float(value_of(dataset, header.frame, name, "MRTimingAndRelatedParametersSequence") or 0)

    coded = [dataset.get(each) for each in ("ScanningSequence", "EchoPulseSequence", "ScanOptions")]
    coded.append(value_of(dataset, header.frame, "SpectrallySelectedSuppression", "MRModifierSequence"))
    coded.append(value_of(dataset, header.frame, "AcquisitionContrast", "MRImageFrameTypeSequence"))
    return _Tags(
        dataset=dataset,
        words=plain_words(f"{dataset.get('SeriesDescription') or ''} {dataset.get('ProtocolName') or ''}"),
        codes=frozenset(re.findall(r"\w+", " ".join(str(each or "") for each in coded).upper())),
        repetition=number("RepetitionTime"),
        angle=number("FlipAngle"),
        field=float(dataset.get("MagneticFieldStrength") or 0),
        weighting=header.weighting or Weighting(b_value=None, echo_time=None, part=""),
    )


def _moment(series: Series) -> float | None:
    """Seconds of the day of a series' scan, the time since a trigger (ms) added, by which some count dynamic phases."""
    trigger = series.headers[0].moments[list(MOMENTS).index("TriggerTime")]
    at = scanned(series)
    return None if at is None else at + (float(trigger) / 1000 if re.fullmatch(r"\d+(?:\.\d*)?", trigger) else 0.0)


def _family(tags: _Tags) -> tuple[Family, float, tuple[str, ...]]:
    """The weighting by the physics of the scan, or by the words of its name, how certain, and notes."""
    measured = _by_physics(tags)
    named: Family = next((family for family, pattern in _FAMILIES.items() if tags.has(pattern)), "unknown")
    balanced = tags.angle >= _BALANCED_ANGLE and 0 < tags.repetition < _BALANCED_REPETITION
    if tags.has(_BALANCED) or (measured == "t1" and balanced) or tags.echo > _HEAVY_ECHO:
        return "unknown", 0.0, ("balanced gradient echo or MR cholangiography, which is read as no sequence",)
    if measured == "unknown":
        return named, _WORDED if named != "unknown" else 0.0, ()
    if named in {measured, "unknown"}:
        return measured, _TAGGED, ()
    return measured, _WORDED, (f"echo and repetition time say {measured}, the name of the series {named}",)


def _by_physics(tags: _Tags) -> Family:
    b_value, echoplanar = tags.weighting.b_value, "EP" in tags.codes
    if b_value or "DIFFUSION" in tags.codes or (b_value == 0 and (echoplanar or tags.has(_FAMILIES["dwi"]))):
        return "dwi"  # b of 0 alone says little: GE and Philips write it for any image
    if "T1" in tags.codes or (0 < tags.echo < _T1_ECHO and 0 < tags.repetition < _T1_REPETITION):
        return "t1"
    return "t2" if "T2" in tags.codes or (tags.echo >= _T2_ECHO and not echoplanar) else "unknown"


def _diffusion(made: MrSequence, tags: _Tags) -> MrSequence:
    if tags.weighting.b_value is not None:
        return replace(made, name="dwi", b_value=tags.weighting.b_value)
    named = set(re.findall(r"\bb ?(\d{1,4})\b", tags.words))
    if len(named) != 1:
        return replace(made, name="dwi", notes=(*made.notes, "the b-value is unknown"))
    notes = (*made.notes, "the b-value is that of the series' name")
    return replace(made, name="dwi", confidence=min(made.confidence, _WORDED), b_value=float(named.pop()), notes=notes)


def _t1(made: MrSequence, tags: _Tags, *, injected: float | None, scanned: float | None) -> MrSequence:
    if (echo := _echo(tags)) is not None:
        return replace(made, name=echo)
    guess = _phase(tags, injected=injected, scanned=scanned)
    if guess is not None:
        name: SequenceName = "pre" if guess.name == "plain" else guess.name
        least = min(guess.confidence, made.confidence)
        return replace(made, name=name, confidence=least, notes=(*made.notes, *guess.notes))
    if not tags.dataset.get("ContrastBolusAgent"):
        return replace(made, name="pre", confidence=_GUESSED)
    return replace(made, confidence=0.0, notes=(*made.notes, "after contrast, and nothing says which phase"))


def _echo(tags: _Tags) -> Echo | None:
    """In phase or opposed: by the part, by the name, or where the name has both, by echo time and field."""
    part = tags.weighting.part
    found = [name for name, (of, words) in _ECHOES.items() if part == of or (not part and tags.has(words))]
    if len(found) < 2:
        return found[0] if found else None
    behind = (_CYCLES * tags.field * tags.echo) % 1
    if abs(behind - 0.5) < _NEAR:
        return "t1_opposed"
    return "t1_in" if min(behind, 1 - behind) < _NEAR else None


def _phase(tags: _Tags, *, injected: float | None, scanned: float | None) -> PhaseGuess | None:
    """The phase of a T1-weighted series by its name and by the time since injection."""
    named = named_phase(tags.dataset)
    minutes = [60.0 * int(each) for each in re.findall(r"\b(\d+) ?min", tags.words)]
    if named is not None and named.name == "delayed" and tags.agent == "hepatobiliary":
        named = replace(named, name="hepatobiliary") if max(minutes, default=0) >= HEPATOBILIARY else named
    if named is not None and named.name == "plain" and tags.has(_NO_FAT_SAT):
        named = None  # without fat suppression, not without contrast
    given = seconds(str(tags.dataset.get("ContrastBolusStartTime") or ""))
    started = injected if given is None else given
    timed = None if started is None or scanned is None else _timed(seconds_after(started, scanned), agent=tags.agent)
    return together(named, timed, sources=("the name of the series", "its time after injection"))


def _timed(passed: float, *, agent: Agent | None) -> PhaseGuess | None:
    if _BEFORE <= passed < 0:
        return PhaseGuess(name="plain", confidence=_WORDED)
    guess = phase_after(passed, begins=_AFTER, latest=_LATEST)
    if guess is None or guess.name != "hepatobiliary" or agent == "hepatobiliary":
        return guess
    notes = () if agent else ("late after an unknown contrast agent: delayed, or hepatobiliary",)
    return replace(guess, name="delayed", notes=notes)
