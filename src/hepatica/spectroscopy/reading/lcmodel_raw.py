"""LCModel RAW: decays in the text files .RAW and .H2O, which say little about their acquisition."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.signal.header import Header, number
from hepatica.spectroscopy.signal.spectrum import RawSpectra, Signal

_VALUE = re.compile(r"\b(\w{1,16})\s{0,80}=\s{0,80}('[^']*'|[^\s,]+)")  # bounded: else quadratic in hostile text


def read_lcmodel_raw(path: Path, *, header_overrides: Header) -> RawSpectra:
    """The one decay of a .RAW or .H2O file, times TRAMP / VOLUME, conjugated from LCModel's convention.

    Of the acquisition the file has HZPPPM, DELTAT, ECHOT and SEQ at most, in $SEQPAR; `header_overrides` has the rest.
    Raises SpecimenError when it is no such file, is cut within a number, or something is missing. Source: LCModel
    manual 6.3, section 5.1.
    """
    text = path.read_text(encoding="latin-1")
    head, ending, body = text.rpartition("$END")
    if not ending or "$NMID" not in head.upper():
        raise SpecimenError("the file has no $NMID … $END before its numbers and is no LCModel RAW; export it again")
    facts = {name.upper(): value.strip("'").strip() for name, value in _VALUE.findall(head)}
    scale = number(facts, "TRAMP", 1.0) / number(facts, "VOLUME", 1.0)
    fid = np.asarray(scale * _numbers(body).conj(), np.complex128)
    return RawSpectra.of(rearrange(fid, "n -> 1 1 n"), _header(facts), overrides=header_overrides)


def _numbers(body: str) -> Signal:
    """The decay of pairs of numbers; FORTRAN leaves no blank where a number fills its width."""
    numbers = re.findall(r"[-+]?\d*\.?\d+(?:[EeDd][-+]?\d+)?|[-+]?(?:NaN|Inf\w*)", body)
    left = re.sub(r"[-+.\dEeDdNnAaIiFfTtYy\s,]", "", body)
    if left or not numbers or len(numbers) % 2:
        raise SpecimenError(
            f"got {len(numbers)} numbers{' and other text' if left else ''}, wanted pairs of real and imaginary parts:"
            " the file is truncated; export it again"
        )
    values = np.array([float(each.replace("D", "E").replace("d", "e")) for each in numbers])
    return np.asarray(values[0::2] + 1j * values[1::2])


def _header(facts: dict[str, str]) -> Header:
    delta = number(facts, "DELTAT", math.nan)
    known: dict[str, Any] = {"f0_mhz": number(facts, "HZPPPM", math.nan), "te_ms": number(facts, "ECHOT", math.nan)}
    known |= {"bandwidth_hz": 1 / delta if delta else math.nan}
    times = {name: value for name, value in known.items() if not math.isnan(value)}
    return Header(sequence_name=facts.get("SEQ"), **times)
