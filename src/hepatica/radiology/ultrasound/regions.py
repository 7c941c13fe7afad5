"""Regions: which part of an ultrasound screen shows what, and how long its pixels are (PS3.3 C.8.5.5)."""

from dataclasses import dataclass
from typing import Any

import pydicom

_KINDS = {1: "tissue", 2: "colour flow", 13: "grey bar", 14: "colour bar"}
_CM, _CM_PER_S = 3, 7

Box = tuple[slice, slice]
"""Rows and columns of a screen."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """One item of (0018,6011). `kind`: tissue, colour flow, grey bar, colour bar or other (graphs, spectra).

    `mm`: height and width of a pixel, None where the file does not say. `speeds`: m/s of the first and of the last row
    of a colour bar whose file says so.
    """

    kind: str
    box: Box
    mm: tuple[float, float] | None = None
    speeds: tuple[float, float] | None = None


def read_regions(dataset: pydicom.Dataset) -> tuple[Region, ...]:
    """The regions of a file that lie on its screen, in its order; none where it has no such sequence."""
    screen = int(dataset.Rows), int(dataset.Columns)
    found = (_region(item, screen) for item in dataset.get("SequenceOfUltrasoundRegions") or ())
    return tuple(each for each in found if each is not None)


def _region(item: Any, screen: tuple[int, int]) -> Region | None:
    corners = [item.get(f"RegionLocation{name}") for name in ("MinY0", "MaxY1", "MinX0", "MaxX1")]
    if any(each is None for each in corners):
        return None
    top, bottom, left, right = (int(each) for each in corners)
    if not (0 <= top < bottom and 0 <= left < right and top < screen[0] and left < screen[1]):
        return None
    units = [int(item.get(f"PhysicalUnits{axis}Direction") or 0) for axis in "YX"]
    steps = [float(item.get(f"PhysicalDelta{axis}") or 0) for axis in "YX"]
    known = units == [_CM, _CM] and all(steps)
    first = float(item.get("ReferencePixelPhysicalValueY") or 0) - steps[0] * int(item.get("ReferencePixelY0") or 0)
    return Region(
        kind=_KINDS.get(int(item.get("RegionDataType") or 0), "other"),
        box=(slice(top, min(bottom + 1, screen[0])), slice(left, min(right + 1, screen[1]))),
        mm=(10 * abs(steps[0]), 10 * abs(steps[1])) if known else None,
        speeds=(first / 100, (first + steps[0] * (bottom - top)) / 100) if units[0] == _CM_PER_S else None,
    )
