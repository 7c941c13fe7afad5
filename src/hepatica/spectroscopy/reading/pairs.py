"""Pairs: the spectra of a folder with their water references, by the names of the files."""

import re
from collections import defaultdict
from pathlib import Path

from hepatica.cohort.errors import CohortError
from hepatica.spectroscopy.reading.read import READERS

_OF_WATER = re.compile(r"(?<![a-z])(ref|mrsref|water|h2o|w|wref|unsup|unsuppressed|nows)(?![a-z])")
_OF_SPECTRUM = re.compile(r"(?<![a-z])(act|ws|sup|suppressed|metab|met|mrs|svs)(?![a-z])")
_SECOND = (".spar",)
"""Endings that come beside another file of the same spectrum."""


def pairs_of(folder: Path) -> dict[Path, Path | None]:
    """The water reference of each spectrum in a folder, None where there is none, in the order of their names.

    A file is a reference where its name has a word such as ref, water, w or h2o, or ends in .h2o; it is of the spectrum
    whose name is the same without such words. Raises CohortError where the folder has no spectrum, or where a
    reference has no spectrum or a spectrum two.
    """
    spectra, waters = defaultdict[str, list[Path]](list), defaultdict[str, list[Path]](list)
    for path in sorted(folder.iterdir()):
        ending = next((each for each in READERS if path.name.lower().endswith(each)), None)
        if ending is None or ending in _SECOND or not path.is_file():
            continue
        stem = path.name.lower().removesuffix(ending)
        of_water = bool(_OF_WATER.search(stem)) or ending == ".h2o"
        (waters if of_water else spectra)[_bare(stem)].append(path)
    unclear = [each for name, each in waters.items() if len(each) > 1 or len(spectra[name]) != 1]
    if not any(spectra.values()) or unclear:
        found = f"the water reference {unclear[0][0].name}" if unclear else "no spectrum"
        raise CohortError(
            f"{folder}: got {found}, wanted names such as a_act.SDAT and a_ref.SDAT, one of each; rename the files, or"
            " give a cohort folder with the column water in specimens.csv"
        )
    return {path: next(iter(waters.get(name, [])), None) for name, each in spectra.items() for path in each}


def _bare(stem: str) -> str:
    """A name without the words for spectrum and water, and without what joined them."""
    return re.sub(r"[^a-z0-9]+", " ", _OF_SPECTRUM.sub("", _OF_WATER.sub("", stem))).strip()
