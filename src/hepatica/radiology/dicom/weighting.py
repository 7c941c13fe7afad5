"""Weighting: what makes one image of an MR series another than the next at its place, beside time."""

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Literal

import numpy as np
from pydicom import Dataset

Part = Literal["", "water", "fat", "in phase", "opposed", "phase", "real", "imaginary"]
"""Which of the images that are computed from one Dixon or complex measurement; "" for a plain magnitude image."""

_PARTS: dict[Part, str] = {  # whole words of the image type, or of the start of GE's description
    "water": r"W|WATER",
    "fat": r"F|FAT",
    "in phase": r"IP|IN PHASE|INPHASE",
    "opposed": r"OP|OPP PHASE|OPPPHASE|OUT PHASE|OUTPHASE|OUT OF PHASE",
    "phase": r"P|PHASE|PHASE MAP",
    "real": r"R|REAL",
    "imaginary": r"I|IMAGINARY",
}
_OF_GE: tuple[Part, ...] = ("", "phase", "real", "imaginary")
_PRIVATE = (  # creator, group and element of the b-value
    ("SIEMENS MR HEADER", 0x0019, 0x0C),
    ("GEMS_PARM_01", 0x0043, 0x39),
    ("PHILIPS IMAGING DD 001", 0x2001, 0x03),
    ("IMAGE PRIVATE HEADER", 0x0065, 0x09),  # United Imaging
)
_BLOCKS = range(0x10, 0x18)  # where creators of private elements are named, the first of them first
_GE_FLAG = 100_000  # newer GE scanners write b as 1,000,000,000 + b
_IN_NAME = re.compile(r"ep_b(\d+)")


@dataclass(frozen=True, kw_only=True)
class Weighting:
    """b-value (s/mm2) and echo time (ms) of an image, None where the file is silent, and its part."""

    b_value: float | None
    echo_time: float | None
    part: Part

    @property
    def key(self) -> tuple[str, ...]:
        """What separates one series from another."""
        return tuple(map(str, astuple(self)))


def weighting(dataset: Dataset, *, value: Callable[[str, str], Any], kind: Sequence[str]) -> Weighting:
    """The weighting of an image: of a plain file, or of a frame of an enhanced one.

    `value` finds an attribute by its name and that of its functional group; `kind` is the image type in capitals.
    b-values are read from DiffusionBValue, private elements of Siemens, GE, Philips and United Imaging, or Siemens'
    name of the sequence, in this order.
    """
    echo = value("EffectiveEchoTime", "MREchoSequence") or dataset.get("EchoTime")
    return Weighting(
        b_value=_b_value(dataset, value("DiffusionBValue", "MRDiffusionSequence")),
        echo_time=round(float(echo), 1) if echo else None,
        part=_part(dataset, kind, component=str(value("ComplexImageComponent", "MRImageFrameTypeSequence") or "")),
    )


def _b_value(dataset: Dataset, standard: Any) -> float | None:
    found = standard if standard is not None else _private(dataset)
    named = _IN_NAME.search(str(dataset.get("SequenceName") or ""))
    if found is None:
        return float(named[1]) if named else None
    return float(found) % _GE_FLAG


def _private(dataset: Dataset) -> Any:
    for creator, group, element in _PRIVATE:
        for block in _BLOCKS:
            owner = dataset.get((group, block))
            if owner is not None and str(owner.value).strip().upper() == creator:
                found = dataset.get((group, (block << 8) + element))
                return None if found is None else _number(found.value)
    return None


def _number(value: Any) -> float | None:
    """The first number of a private value, which without its type is bytes: text, or four of a little-endian float."""
    if isinstance(value, bytes):
        text = re.match(rb"\s*(\d+(?:\.\d+)?)\s*(?:\\|\x00|$)", value)
        if text is None:
            return struct.unpack("<f", value)[0] if len(value) == 4 else None
        return float(text[1])
    first: Any = value if np.isscalar(value) else next(iter(value or ()), None)
    return None if first is None or first == "" else float(first)


def _part(dataset: Dataset, kind: Sequence[str], *, component: str) -> Part:
    of_ge = dataset.get((0x0043, 0x102F))
    if of_ge is not None and of_ge.value in range(1, len(_OF_GE)):
        return _OF_GE[int(of_ge.value)]
    described = str(dataset.get("SeriesDescription") or "").upper().partition(":")
    words = [*kind[2:], component, described[0] if described[1] else ""]
    for part, pattern in _PARTS.items():
        if any(re.fullmatch(pattern, each.replace("_", " ").strip()) for each in words):
            return part
    return ""
