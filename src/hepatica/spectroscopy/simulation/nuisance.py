"""Nuisance: what disturbs spectra: shifts, widths, phases, baseline, water, echo, noise."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hepatica.spectroscopy.fitting.signal_model import WINDOW_PPM
from hepatica.spectroscopy.priors.priors import Priors

Floats = NDArray[np.float64]
Family = Literal["none", "splines", "gaussians", "walk", "mixed"]

FAMILIES = ("none", "splines", "gaussians", "walk")
"""Baselines: none, the fits' few splines, broad Gaussians, a bounded random walk (WAND); "mixed" draws one of three."""

FINE = 48
"""Cubic splines over the window that draw Gaussians and walks (ours): one in 0.08 ppm, finer than either."""

_STEP = 0.35
"""Standard deviation of a step of the walk from one fine spline to the next, where it is bounded at 1 (ours)."""


@dataclass(frozen=True, kw_only=True)
class Effects:
    """Which nuisances are in the spectra; all by default. What is off is drawn all the same, and not used.

    A nuisance of another size is `priors.having(lorentz_hz=20.0)`. Widths always are.
    """

    baseline: Family = "mixed"
    shifts: bool = True
    phases: bool = True
    lipid_width: bool = True
    water: bool = True
    ghost: bool = True
    eddy_current: bool = True
    respiration: bool = True
    relaxation: bool = True
    truncation: bool = True
    noise: bool = True


STANDARD = Effects()
"""All that spec 6.2 names: what networks should be trained on."""

OF_MODEL = Effects(
    baseline="splines", lipid_width=False, water=False, ghost=False, eddy_current=False, respiration=False,
    relaxation=False, truncation=False,
)  # fmt: skip
"""What the signal model of the fits has and nothing else: for it the bounds are valid, and least squares is optimal."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Nuisance:
    """Nuisances of n spectra of k components: Hz, seconds, rad and heights of the tCho peak; 0 where switched off.

    `weight` (n, k) multiplies concentrations. `coefficients` (n, FINE) complex of the baseline's first `splines`, of
    root mean square 1. `offsets_hz` (n, most transients). Lines of water are (n, most lines), 0 high where there is
    none. `cut_s` is infinite where the decay was not cut.
    """

    common_hz: Floats
    shift_hz: Floats
    lorentz_hz: Floats
    gauss_hz: Floats
    lipid_width_hz: Floats
    phase0: Floats
    phase1: Floats
    weight: Floats
    family: NDArray[np.int64]
    splines: NDArray[np.int64]
    coefficients: NDArray[np.complex128]
    baseline_height: Floats
    water_ppm: Floats
    water_width_hz: Floats
    water_height: Floats
    water_phase: Floats
    ghost_height: Floats
    ghost_ppm: Floats
    ghost_s: Floats
    ghost_length_s: Floats
    ghost_phase: Floats
    eddy_hz: Floats
    eddy_s: Floats
    respiration_hz: Floats
    transients: NDArray[np.int64]
    offsets_hz: Floats
    cut_s: Floats
    snr: Floats

    @property
    def per_spectrum(self) -> dict[str, NDArray[Any]]:
        """What is one number (n,) a spectrum."""
        single = {
            name: value for name, value in vars(self).items() if value.ndim == 1 and name not in ("family", "snr")
        }
        return single | {"baseline": np.array(FAMILIES)[self.family], "water_height": self.water_height.sum(axis=1)}


def draw_nuisance(
    rng: np.random.Generator, priors: Priors, *, n: int, effects: Effects, is_lipid: NDArray[np.bool_], te_ms: float
) -> Nuisance:
    """Nuisances of n spectra whose components are lipids where `is_lipid` (k,); the draws are the same for any effects.

    Relaxation weighs each component by how far its own T2 is from the middle of its range, exp(-te (1/T2 - 1/middle)):
    concentrations are those that a correction for the middle T2 would give.
    """
    draw = _Sampler(rng, priors, n)
    k = is_lipid.size
    return Nuisance(
        common_hz=draw("common_hz", on=effects.shifts),
        shift_hz=draw("shift_hz", k, on=effects.shifts),
        lorentz_hz=draw("lorentz_hz"),
        gauss_hz=draw("gauss_hz"),
        lipid_width_hz=draw("lipid_width_hz", on=effects.lipid_width),
        phase0=np.deg2rad(draw("phase0_deg", on=effects.phases)),
        phase1=np.deg2rad(draw("phase1_deg_per_ppm", on=effects.phases)),
        weight=_relaxation(draw, k, is_lipid=is_lipid, te_ms=te_ms, on=effects.relaxation),
        snr=draw("snr"),
        **_baseline(draw, family=effects.baseline),
        **_water(draw, on=effects.water),
        **_ghost(draw, on=effects.ghost),
        eddy_hz=draw("eddy_hz", on=effects.eddy_current),
        eddy_s=1e-3 * draw("eddy_ms"),
        **_respiration(draw, on=effects.respiration),
        cut_s=_truncation(draw, on=effects.truncation),
    )


@dataclass(frozen=True)
class _Sampler:
    """Numbers of n spectra from the priors' nuisance."""

    rng: np.random.Generator
    priors: Priors
    n: int

    def __call__(self, name: str, columns: int | None = None, *, on: bool = True) -> Floats:
        """(n,) or (n, columns), 0 where not on."""
        share = self.rng.random(self.n if columns is None else (self.n, columns))
        values = self.priors.nuisance[name].at(share)
        return values if on else np.zeros_like(values)

    def whole(self, name: str) -> NDArray[np.int64]:
        """(n,) whole numbers."""
        return np.asarray(np.rint(self(name)).astype(np.int64))

    def most(self, name: str) -> int:
        """The greatest whole number that can be drawn."""
        return int(np.rint(self.priors.nuisance[name].at(np.array([0.0, 1.0]))).max())

    def happens(self, name: str) -> NDArray[np.bool_]:
        """(n,) with the probability of that name."""
        return np.asarray(self.rng.random(self.n) < self(name))

    def turns(self, *columns: int) -> Floats:
        """(n, …) angles of a whole turn, rad."""
        return 2 * np.pi * self.rng.random((self.n, *columns))


def _relaxation(draw: _Sampler, k: int, *, is_lipid: NDArray[np.bool_], te_ms: float, on: bool) -> Floats:
    rates = []
    for name in ("metabolite_t2_ms", "lipid_t2_ms"):
        middle = float(draw.priors.nuisance[name].at(np.array(0.5)))
        rates.append(1 / draw(name, k) - 1 / middle)
    return np.exp(-te_ms * on * np.where(is_lipid, rates[1], rates[0]))


def _baseline(draw: _Sampler, *, family: Family) -> dict[str, Any]:
    drawn = draw.rng.integers(1, len(FAMILIES), draw.n)
    chosen = drawn if family == "mixed" else np.full(draw.n, FAMILIES.index(family))
    few, gaussians, walk = draw.whole("baseline_splines"), _gaussians(draw), _walk(draw)
    white = _complex_normal(draw, FINE) * (np.arange(FINE) < few[:, None])
    made = np.stack([np.zeros_like(white), white, gaussians, walk])[chosen, np.arange(draw.n)]
    splines = np.where(chosen == FAMILIES.index("splines"), few, FINE)
    size = np.sqrt((np.abs(made) ** 2).sum(axis=1) / splines)
    return {
        "family": chosen,
        "splines": splines,
        "coefficients": made / np.where(size > 0, size, 1)[:, None],
        "baseline_height": draw("baseline_height") * (chosen > 0),
    }


def _complex_normal(draw: _Sampler, columns: int) -> NDArray[np.complex128]:
    parts = draw.rng.standard_normal((2, draw.n, columns))
    return np.asarray(parts[0] + 1j * parts[1])


def _gaussians(draw: _Sampler) -> NDArray[np.complex128]:
    most = draw.most("baseline_gaussians")
    there = np.arange(most) < draw.whole("baseline_gaussians")[:, None]
    place = (FINE - 1) * draw.rng.random((draw.n, most))
    width = draw("baseline_width_ppm", most) * (FINE - 3) / (WINDOW_PPM[1] - WINDOW_PPM[0])
    height = _complex_normal(draw, most) * there
    bells = np.exp(-0.5 * ((np.arange(FINE) - place[..., None]) / width[..., None]) ** 2)
    return np.asarray((height[..., None] * bells).sum(axis=1))


def _walk(draw: _Sampler) -> NDArray[np.complex128]:
    """Steps reflected at -1 and 1, by the real and by the imaginary part."""
    path = draw.turns(1) + 1j * draw.turns(1) + _STEP * np.cumsum(_complex_normal(draw, FINE), axis=1)
    real, imaginary = (2 / np.pi * np.arcsin(np.sin(np.pi / 2 * part)) for part in (path.real, path.imag))
    return np.asarray(real + 1j * imaginary)


def _water(draw: _Sampler, *, on: bool) -> dict[str, Any]:
    """Lines share one height, drawn for all of them."""
    most = draw.most("water_lines")
    there = np.arange(most) < draw.whole("water_lines")[:, None]
    part = draw.rng.random((draw.n, most)) * there
    return {
        "water_height": draw("water_height", on=on)[:, None] * part / part.sum(axis=1, keepdims=True),
        "water_ppm": draw("water_ppm", most),
        "water_width_hz": draw("water_width_hz", most),
        "water_phase": draw.turns(most),
    }


def _ghost(draw: _Sampler, *, on: bool) -> dict[str, Any]:
    return {
        "ghost_height": draw("ghost_height", on=on) * draw.happens("ghost_share"),
        "ghost_ppm": draw("ghost_ppm"),
        "ghost_s": 1e-3 * draw("ghost_ms"),
        "ghost_length_s": 1e-3 * draw("ghost_length_ms"),
        "ghost_phase": draw.turns(),
    }


def _respiration(draw: _Sampler, *, on: bool) -> dict[str, Any]:
    """Each transient is taken somewhere in a breath, so that its frequency is that of a sine at a random place."""
    amplitude = draw("respiration_hz", on=on)
    breath = np.sin(draw.turns(draw.most("transients")))
    return {
        "respiration_hz": amplitude,
        "transients": draw.whole("transients"),
        "offsets_hz": amplitude[:, None] * breath,
    }


def _truncation(draw: _Sampler, *, on: bool) -> Floats:
    cut, happens = 1e-3 * draw("truncation_ms"), draw.happens("truncation_share")
    return np.where(happens & on, cut, np.inf)
