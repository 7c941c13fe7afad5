"""Priors: distributions of concentrations and nuisances, read from a file with the source of each number."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.atomic import parse_toml
from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.priors.concentrations import Concentrations, Distribution, Fat, Range, Ranges, mean_sd
from hepatica.spectroscopy.signal.targets import LIVER20

Floats = NDArray[np.float64]
SnrPeak = Literal["tCho", "highest"]

NUISANCES: Mapping[str, tuple[float, float]] = {
    "lorentz_hz": (0, 200), "gauss_hz": (0, 200), "common_hz": (-200, 200), "shift_hz": (-20, 20),
    "lipid_width_hz": (0, 200), "phase0_deg": (-180, 180), "phase1_deg_per_ppm": (-90, 90), "snr": (0.1, 1e6),
    "baseline_splines": (4, 40), "baseline_gaussians": (1, 20), "baseline_width_ppm": (0.15, 5),
    "baseline_height": (0, 100), "water_lines": (1, 8), "water_ppm": (-10, 20), "water_width_hz": (0.5, 500),
    "water_height": (0, 1e5), "ghost_share": (0, 1), "ghost_ppm": (-10, 20), "ghost_height": (0, 100),
    "ghost_ms": (0, 1e4), "ghost_length_ms": (0.5, 1e3), "eddy_hz": (-100, 100), "eddy_ms": (0.1, 1e5),
    "respiration_hz": (0, 20), "transients": (1, 512), "metabolite_t2_ms": (1, 1e5), "lipid_t2_ms": (1, 1e5),
    "truncation_share": (0, 1), "truncation_ms": (1, 1e5),
}  # fmt: skip
"""The nuisances a file must have beside concentrations, and the least and greatest value that makes sense (ours)."""

_OF_MODEL = {"common_hz": 1.0, "shift_hz": 1.0, "lorentz_hz": 1.0, "gauss_hz": 1.0} | {
    "phase0_deg": np.pi / 180, "phase1_deg_per_ppm": np.pi / 180,
}  # fmt: skip
_FAT = {"ratio_log_sd": 3.0, "triglyceride_protons": 1e3, "water_protons_mm": 2e5}
_TABLES = ("title", "concentrations_mm", "fat", "nuisance", "snr_peak")


@dataclass(frozen=True, kw_only=True, eq=False)
class Priors:
    """Concentrations (mM) and nuisance of spectra; `nuisance` has one distribution for each name of NUISANCES.

    `lipids` are the names that are lipids. `snr_peak` is the peak whose height over the noise is `snr`: tCho, or the
    higher of tCho and Lip13. Noise, baseline, residual water and echo are counted in the spectrum's own peaks;
    where `height` (of a 1 mM spectrum's unit) is given, in that instead: then none of them depends on concentrations.
    """

    title: str
    concentrations: Concentrations
    nuisance: Mapping[str, Distribution]
    lipids: tuple[str, ...]
    snr_peak: SnrPeak
    height: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The k components."""
        return self.concentrations.names

    @property
    def log_mean(self) -> Floats:
        """(k,) means of the natural logarithms of concentrations in mM."""
        return self.concentrations.log_mean

    @property
    def log_covariance(self) -> Floats:
        """(k, k) covariance of the same, of full rank."""
        return self.concentrations.log_covariance

    @property
    def nonlinear(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of the signal model's other parameters, by their names there; phases in rad."""
        moments = {name: mean_sd(self.nuisance[name]) for name in _OF_MODEL}
        return {
            name.removesuffix("_per_ppm").removesuffix("_deg"): (mean * _OF_MODEL[name], sd * _OF_MODEL[name])
            for name, (mean, sd) in moments.items()
        }

    @property
    def digest(self) -> str:
        """SHA-256 of every number; not of the title and the sources."""
        nuisance = {name: self.nuisance[name].digested for name in sorted(self.nuisance)}
        digested: dict[str, Any] = {"concentrations": self.concentrations.digested, "nuisance": nuisance}
        digested |= {"snr_peak": self.snr_peak}
        digested |= {} if self.height is None else {"height": self.height}
        return hashlib.sha256(json.dumps(digested, sort_keys=True).encode()).hexdigest()

    def select(self, names: Sequence[str]) -> "Priors":
        """These components only, in this order; SettingsError names those that are missing."""
        return replace(self, concentrations=self.concentrations.select(names))

    def having(self, **nuisance: float | Distribution) -> "Priors":
        """Nuisances by name fixed at a value, or drawn from another distribution; for sweeps of robustness."""
        unknown = [name for name in nuisance if name not in NUISANCES]
        if unknown:
            raise SettingsError(f"got the nuisance {', '.join(unknown)}, wanted one of {', '.join(NUISANCES)}")
        new = {
            name: Range(low=value, high=value) if isinstance(value, int | float) else value
            for name, value in nuisance.items()
        }
        return replace(self, nuisance={**self.nuisance, **new})


def read_priors(path: Path | None = None) -> Priors:
    """Priors of LIVER20 from a TOML file of the form of `priors.toml`, which is read where `path` is None.

    SettingsError lists every fault of the file at once: what is missing, unknown, no number, or out of range.
    """
    source = files("hepatica.spectroscopy.priors").joinpath("priors.toml") if path is None else path
    try:
        content = parse_toml(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"the file of priors cannot be read ({error}); copy hepatica's priors.toml again") from None
    faults = _Faults()
    priors = _priors(content, faults)
    if priors is None or faults.found:
        raise SettingsError("the file of priors has faults:\n" + "\n".join(f"  {each}" for each in faults.found))
    return priors


class _Faults:
    """Reads numbers of the file and keeps what is wrong with them."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def table(self, content: Mapping[str, Any], name: str, *, wanted: Sequence[str] = ()) -> Mapping[str, Any]:
        """A table of that name with these keys."""
        table = content.get(name)
        if not isinstance(table, dict):
            self.found.append(f"{name}: got {'nothing' if table is None else table!r}, wanted a table [{name}]")
            return {}
        self.found += [f"{name}.{key}: missing" for key in wanted if key not in table]
        self.found += [f"{name}.{key}: unknown, leave it out" for key in table if wanted and key not in wanted]
        return table

    def number(self, table: Any, key: str, *, where: str, least: float, most: float) -> float:
        """A number with its source, between `least` and `most`."""
        value = table.get(key) if isinstance(table, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.found.append(f"{where}.{key}: got {value!r}, wanted a number from {least:g} to {most:g}")
            return np.nan
        return float(value)

    def sourced(self, table: Any, *, where: str) -> None:
        """Every number needs a source."""
        if not (isinstance(table, dict) and isinstance(table.get("source"), str) and table["source"].strip()):
            self.found.append(f"{where}.source: missing; give the source of the numbers")

    def range(self, table: Any, *, where: str, least: float, most: float) -> Range:
        """`low`, `high`, `log` and `source`."""
        low, high = (self.number(table, key, where=where, least=least, most=most) for key in ("low", "high"))
        self.sourced(table, where=where)
        log = table.get("log", False) if isinstance(table, dict) else False
        if not isinstance(log, bool):
            self.found.append(f"{where}.log: got {log!r}, wanted true or false")
        if low > high:
            self.found.append(f"{where}: got low {low:g} above high {high:g}")
        if log and low <= 0:
            self.found.append(f"{where}.low: got {low:g}, wanted above 0 where log = true")
        return Range(low=low, high=high, log=bool(log))


def _priors(content: Mapping[str, Any], faults: _Faults) -> Priors | None:
    faults.found += [f"{key}: unknown, leave it out" for key in content if key not in _TABLES]
    metabolites = {
        name: faults.range(table, where=f"concentrations_mm.{name}", least=0, most=1e4)
        for name, table in faults.table(content, "concentrations_mm").items()
    }
    faults.found += [
        f"concentrations_mm.{name}: got 0 throughout, wanted a high above 0"
        for name, each in metabolites.items()
        if each.high == 0
    ]
    fat = _fat(content, faults)
    faults.found += [f"concentrations_mm.{name}: a lipid, see [fat]" for name in metabolites if name in fat.lipids]
    nuisance = {
        name: faults.range(table, where=f"nuisance.{name}", least=NUISANCES[name][0], most=NUISANCES[name][1])
        for name, table in faults.table(content, "nuisance", wanted=list(NUISANCES)).items()
        if name in NUISANCES
    }
    peak = faults.table(content, "snr_peak", wanted=("value", "source")).get("value")
    if peak not in ("tCho", "highest"):
        faults.found.append(f"snr_peak.value: got {peak!r}, wanted tCho or highest")
    if faults.found or peak is None:
        return None
    known = [name for name in LIVER20 if name in metabolites or name in fat.lipids]
    more = [name for name in metabolites if name not in LIVER20]
    ranges = Ranges(names=(*known, *more), metabolites=metabolites, fat=fat)
    return Priors(
        title=str(content.get("title", "")), concentrations=ranges, nuisance=nuisance, lipids=fat.lipids, snr_peak=peak
    )


def _fat(content: Mapping[str, Any], faults: _Faults) -> Fat:
    table = faults.table(content, "fat", wanted=("lipids", "pdff_percent", *_FAT))
    lipids = table.get("lipids", [])
    if not (isinstance(lipids, list) and all(isinstance(name, str) for name in lipids)):
        faults.found.append(f"fat.lipids: got {lipids!r}, wanted names of lipids")
        lipids = []
    percent = faults.range(table.get("pdff_percent"), where="fat.pdff_percent", least=1e-3, most=99)
    numbers = {
        name: faults.number(table.get(name), "value", where=f"fat.{name}", least=0, most=most)
        for name, most in _FAT.items()
    }
    for name in _FAT:
        faults.sourced(table.get(name), where=f"fat.{name}")
    return Fat(lipids=tuple(lipids), pdff_percent=percent, **numbers)
