"""COORD: LCModel's printed result, with the spectrum it fitted, its fit and its table of concentrations."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.reading.read import usable

Curve = NDArray[np.float64]

_NUMBER = r"([-+]?[\d.]{1,20}(?:[Ee][-+]?\d{1,3})?)"
_ROW = re.compile(rf"^\s*{_NUMBER}\s{{1,20}}(\d{{1,9}})%\s{{1,20}}{_NUMBER}[ +]?(\S{{1,40}})\s*$")
_MISSING_EXPONENT = re.compile(r"(?<=\d)([-+]\d{3})$")


@dataclass(frozen=True, kw_only=True, eq=False)
class Coord:
    """LCModel's result for one spectrum. Curves are (points,) on `ppm`, rising here, falling in the file.

    `data` is the real part of the phased spectrum that was fitted, `fit` the sum of everything, `baseline` its smooth
    part (zero where LCModel printed none), `components` the part of single metabolites, the baseline included, where
    printed. `table` is the printed table, indexed by name: concentration (LCModel's institutional units), sd_percent
    (CRLB, % of the concentration) and ratio. FWHM in ppm; shift in ppm; phases in degrees and degrees per ppm.
    `settings` are LCModel's input changes as printed, without paths, which may contain names.
    """

    ppm: Curve
    data: Curve
    fit: Curve
    baseline: Curve
    components: dict[str, Curve]
    table: pd.DataFrame
    fwhm_ppm: float
    snr: float
    shift_ppm: float
    phase_deg: float
    phase_deg_per_ppm: float
    settings: dict[str, str]


@usable("COORD file")
def read_coord(path: Path) -> Coord:
    """Read a .COORD file; SpecimenError when it is none, or ends before its curves do."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    start = _find(lines, "points on ppm-axis")
    points = int(lines[start].split()[0])
    curves = {name: _curve(lines, _find(lines, text), points) for name, text in _CURVES.items()}
    after = _find(lines, "NY background values follow", absent=start)
    misc = "\n".join(lines[_find(lines, "following misc. output table") : start])
    return Coord(
        ppm=_curve(lines, start, points),
        baseline=np.zeros(points) if after == start else _curve(lines, after, points),
        components=_components(lines, points),
        table=_table(lines),
        fwhm_ppm=_fact(r"FWHM =\s{0,20}(\S{1,20})\s{0,20}ppm", misc),
        snr=_fact(r"S/N =\s{0,20}(\S{1,20})", misc),
        shift_ppm=_fact(r"Data shift =\s{0,20}(\S{1,20})\s{0,20}ppm", misc),
        phase_deg=_fact(r"Ph:\s{0,20}(\S{1,20})\s{0,20}deg", misc),
        phase_deg_per_ppm=_fact(r"deg\s{1,20}(\S{1,20})\s{0,20}deg/ppm", misc),
        settings=_settings(lines),
        **curves,
    )


_CURVES = {"data": "NY phased data points follow", "fit": "NY points of the fit to the data follow"}


def _find(lines: list[str], text: str, *, absent: int | None = None) -> int:
    for number, line in enumerate(lines):
        if text in line:
            return number
    if absent is not None:
        return absent
    raise SpecimenError(f"the file has no line {text!r}: it is not an LCModel COORD, or truncated; run LCModel again")


def _curve(lines: list[str], head: int, points: int) -> Curve:
    """The numbers that follow line `head`, turned round; FORTRAN leaves the E out of three-digit exponents."""
    numbers: list[str] = []
    for place in range(head + 1, len(lines)):
        if len(numbers) >= points:
            break
        numbers += lines[place].split()
    try:
        values = np.array([float(_MISSING_EXPONENT.sub(r"E\1", each)) for each in numbers[:points]])
    except ValueError:
        values = np.empty(0)
    if len(values) < points:
        raise SpecimenError(f"got fewer than {points} points after {lines[head].strip()!r}; run LCModel again")
    return np.ascontiguousarray(values[::-1])


def _components(lines: list[str], points: int) -> dict[str, Curve]:
    found = {}
    for number, line in enumerate(lines):
        match = re.match(r"^\s*(\S+)\s+Conc\. =", line)
        if match:
            found[match[1]] = _curve(lines, number, points)
    return found


def _table(lines: list[str]) -> pd.DataFrame:
    start = _find(lines, "following concentration table")
    matches = [_ROW.match(line) for line in lines[start + 2 : _find(lines, "following misc. output table")]]
    rows = [(match[4], float(match[1]), float(match[2]), float(match[3])) for match in matches if match]
    columns = ["name", "concentration", "sd_percent", "ratio"]
    return pd.DataFrame(rows, columns=columns).set_index("name")


def _settings(lines: list[str]) -> dict[str, str]:
    """LCModel's input changes by name; a value broken over lines is put together first."""
    start = _find(lines, "table of input changes", absent=len(lines) - 1)
    found: dict[str, list[str]] = {}
    for line in lines[start + 1 :]:
        name, equals, value = line.partition("=")
        if equals:
            found[(last := name.strip())] = [value.strip()]
        elif found:
            found[last].append(line.strip())
    whole = {name: "".join(parts).strip("'") for name, parts in found.items()}
    return {name: value for name, value in whole.items() if "/" not in value and "\\" not in value}


def _fact(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    return float(match[1]) if match else float("nan")
