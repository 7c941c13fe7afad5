"""Spin system: the protons of a molecule, their shifts and couplings, and the lines of lipids, from TOML tables."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from hepatica.cohort.errors import SettingsError

Coupling = tuple[int, int, float]


@dataclass(frozen=True, kw_only=True)
class Heteronucleus:
    """A nucleus that proton pulses do not turn: its spin, and its coupling in Hz to each site of the group."""

    spin: float
    couplings_hz: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class SpinGroup:
    """Sites of `nuclei` equivalent protons at `shifts_ppm`, coupled (site, site, Hz); `share` weighs the group."""

    shifts_ppm: tuple[float, ...]
    nuclei: tuple[int, ...]
    couplings: tuple[Coupling, ...] = ()
    hetero: tuple[Heteronucleus, ...] = ()
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """A Gaussian line without couplings: position and full width at half height in ppm, and its protons."""

    ppm: float
    fwhm_ppm: float
    protons: float


@dataclass(frozen=True, kw_only=True)
class SpinSystem:
    """What one component is made of, and where its numbers come from."""

    name: str
    source: str
    groups: tuple[SpinGroup, ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def protons(self) -> float:
        """Number of protons: the first sample of its decay at an echo time of 0."""
        return sum(group.share * sum(group.nuclei) for group in self.groups) + sum(line.protons for line in self.lines)


def _group(table: Mapping[str, Any]) -> SpinGroup:
    shifts = tuple(map(float, table["shifts"]))
    nuclei = tuple(table.get("nuclei", [1] * len(shifts)))
    couplings = tuple((int(a), int(b), float(hz)) for a, b, hz in table.get("couplings", []))
    hetero = tuple(
        Heteronucleus(spin=each["spin"], couplings_hz=tuple(map(float, each["couplings"])))
        for each in table.get("hetero", [])
    )
    sites = range(len(shifts))
    paired = all(a in sites and b in sites and a != b for a, b, _ in couplings)
    if len(nuclei) != len(shifts) or not paired or any(len(each.couplings_hz) != len(shifts) for each in hetero):
        raise ValueError("nuclei and hetero couplings need one entry a shift, couplings two of its sites and Hz")
    return SpinGroup(
        shifts_ppm=shifts, nuclei=nuclei, couplings=couplings, hetero=hetero, share=float(table.get("share", 1))
    )


def read_spin_systems(path: Path) -> dict[str, SpinSystem]:
    """Spin systems by name, from a file such as spin_systems.toml; SettingsError names one that breaks its rules."""
    systems = {}
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            systems[name] = SpinSystem(
                name=name,
                source=table["source"],
                groups=tuple(map(_group, table.get("groups", []))),
                lines=tuple(Line(**each) for each in table.get("lines", [])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                f"spin system {name} is not well formed ({error}): see the head of spin_systems.toml"
            ) from None
    return systems


@cache
def spin_systems() -> dict[str, SpinSystem]:
    """Those hepatica comes with: every metabolite of `targets.METABOLITES15`, and more."""
    return read_spin_systems(Path(str(files("hepatica.spectroscopy.basis").joinpath("spin_systems.toml"))))


HAMILTON = "Hamilton 2011 (doi 10.1002/nbm.1622) for protons, LCModel liver-1.inc for widths"


@cache
def lipids() -> dict[str, SpinSystem]:
    """Lipid resonances by name: those of `targets.LIPIDS5` and `targets.LCM5`; 1 mM of each is 1 mM of triglyceride."""
    text = files("hepatica.spectroscopy.basis").joinpath("lipids.toml").read_text(encoding="utf-8")
    return {
        name: SpinSystem(name=name, source=HAMILTON, lines=tuple(Line(**line) for line in table["lines"]))
        for name, table in tomllib.loads(text).items()
    }
