"""File names: what is kept of the name of a file that arrives: no word that could be of a patient, and nothing that
leads elsewhere.
"""

import hashlib
import re
from pathlib import PurePath

from hepatica.cohort.draft.found import ARCHIVES, MASKS, PHASES, SUFFIXES

KNOWN = (
    *SUFFIXES, *ARCHIVES,
    *(".dcm", ".ima", ".csv", ".spar", ".raw", ".h2o", ".dat", ".png", ".jpg", ".jpeg"),
)  # fmt: skip
"""Endings by which hepatica knows what a file is."""

_SPECTRA = (
    "ref",
    "mrsref",
    "water",
    "h2o",
    "w",
    "wref",
    "unsup",
    "unsuppressed",
    "nows",
    "act",
    "ws",
    "sup",
    "met",
    "mrs",
)
WORDS = frozenset({*PHASES, *MASKS, *_SPECTRA})
"""Words that say what a file is of: a phase, a sequence, an outline, a water reference."""

LONGEST = 1000
"""Characters of the longest name that is read."""

_WORD = re.compile(r"[^\W_]+")


def safe_name(name: str) -> str:
    """A name from a digest of its other words, those of WORDS, and its ending where it is of KNOWN.

    Files that differ in these words or the ending alone keep a common beginning, so that pairs remain pairs. A digest
    hides a name, not one that can be guessed; it is on no page and in no log.
    """
    base = PurePath(name[-LONGEST:].replace("\\", "/")).name
    ending = next((each for each in sorted(KNOWN, key=len, reverse=True) if base.lower().endswith(each)), "")
    words = _WORD.findall(base[: len(base) - len(ending)].lower())
    others = " ".join(each for each in words if each not in WORDS)
    stem = hashlib.sha256(others.encode(errors="replace")).hexdigest()[:12]
    return "_".join([stem, *(each for each in words if each in WORDS)][:4]) + ending
