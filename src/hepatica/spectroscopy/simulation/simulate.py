"""Simulate: spectra of a liver from priors and a basis, summed first and transformed once, the same for one seed.

y(ppm) = exp(i(phase0 + phase1 (ppm - 3.2))) · spectrum of [Σ c_k b_k(t) e^(2πi d_k t - π w_k t) · e^(2πi D t - π gL t -
(π gG t)² / (4 ln 2)) · h(t)] + baseline + residual water + spurious echo + noise: the signal model of the fits with the
nuisance of `Effects`. Index i of a seed is the same spectrum, bit for bit, in whichever batch it is asked for.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import scipy.fft
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.fitting.baseline import bsplines
from hepatica.spectroscopy.fitting.signal_model import PIVOT_PPM, WINDOW_PPM
from hepatica.spectroscopy.priors.priors import Priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import STANDARD, Effects, Nuisance, draw_nuisance
from hepatica.spectroscopy.simulation.synthesis import (
    STEP,
    add_echoes,
    add_lines,
    add_noise,
    add_splines,
    damped_sums,
    highest,
    phased,
)

BLOCK = 128
"""Spectra drawn and computed together (ours): a block is always made whole, so that its parts never differ."""

PEAKS_PPM = {"tCho": (3.1, 3.3), "Lip13": (1.2, 1.4)}
"""Where the peaks are looked for whose height over the noise is the SNR (ours), shifted as the spectrum is."""

_FADE_PPM = 0.3
"""SD of the Gaussian by which a baseline fades outside of the window (ours)."""

UNITS = {
    "concentrations": "mM", "shift_hz": "Hz", "lorentz_hz": "Hz FWHM", "gauss_hz": "Hz FWHM", "phase0": "rad",
    "phase1": "rad/ppm", "height": "tCho peak or given",
    "snr": "higher of tCho and Lip13 peak / SD of real noise",
}  # fmt: skip
"""What the numbers of a simulated set are in."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulated:
    """n spectra `values` (n, points) complex64 at `acquisition.ppm`, and all that they were made from.

    `concentrations` (n, k) float32 in mM; `shift_hz` (n, k) float32 of each component; `nuisance` has a row a spectrum
    in the signal model's names and units, with `snr`, `snr_tcho` and `noise_sd` of the real and of the imaginary part.
    """

    names: tuple[str, ...]
    acquisition: Acquisition
    values: NDArray[np.complex64]
    concentrations: NDArray[np.float32]
    shift_hz: NDArray[np.float32]
    nuisance: pd.DataFrame
    manifest: Mapping[str, Any]

    @property
    def noise_sd(self) -> NDArray[np.float64]:
        """(n,) standard deviation of the noise of the real and of the imaginary part."""
        return self.nuisance.noise_sd.to_numpy()


def simulate(
    priors: Priors,
    basis: Basis,
    *,
    n: int,
    seed: int,
    start: int = 0,
    effects: Effects = STANDARD,
    concentrations: NDArray[Any] | None = None,
) -> Simulated:
    """Spectra `start` to `start + n` of `seed`, of the components of the basis.

    `concentrations` (n, k) in mM replace drawn ones. Effects never change what else is drawn: with and without one,
    spectra of a seed differ by it alone, and by (white) noise that follows the peak. SettingsError where the priors
    lack a component or numbers are out of range.
    """
    _check(n, start, seed, concentrations, components=len(basis.names))
    maker = _Maker(priors=priors.select(basis.names), basis=basis, effects=effects, seed=seed)
    values = np.empty((n, basis.acquisition.points), np.complex64)
    parts = []
    for block, there, here in _places(start, n):
        made, table = maker.block(block, _within_block(concentrations, here, there))
        values[here] = made[there]
        parts.append({name: each[there] for name, each in table.items()})
    table = {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}
    return Simulated(
        names=basis.names, acquisition=basis.acquisition, values=values, concentrations=table.pop("concentrations"),
        shift_hz=table.pop("shift_hz"), manifest=maker.manifest | {"start": start, "n": n},
        nuisance=pd.DataFrame(table, index=pd.RangeIndex(start, start + n, name="index")),
    )  # fmt: skip


def _check(n: int, start: int, seed: int, concentrations: NDArray[Any] | None, *, components: int) -> None:
    if n < 1 or start < 0 or seed < 0:
        raise SettingsError(f"got n = {n}, start = {start}, seed = {seed}; wanted n of 1 or more and no number below 0")
    if concentrations is not None and concentrations.shape != (n, components):
        raise SettingsError(f"got concentrations {concentrations.shape}, wanted ({n}, {components})")


def _places(start: int, n: int) -> Iterator[tuple[int, slice, slice]]:
    """Blocks, which of their spectra are wanted, and where they go."""
    for block in range(start // BLOCK, (start + n - 1) // BLOCK + 1):
        first = block * BLOCK
        there = slice(max(start - first, 0), min(start + n - first, BLOCK))
        yield block, there, slice(first + there.start - start, first + there.stop - start)


def _within_block(concentrations: NDArray[Any] | None, here: slice, there: slice) -> NDArray[np.float64] | None:
    if concentrations is None:
        return None
    whole = np.zeros((BLOCK, concentrations.shape[1]))
    whole[there] = concentrations[here]
    return whole


@dataclass(frozen=True, kw_only=True, eq=False)
class _Maker:
    """Makes blocks of spectra."""

    priors: Priors
    basis: Basis
    effects: Effects
    seed: int

    @property
    def manifest(self) -> dict[str, Any]:
        return {
            "seed": self.seed, "priors": self.priors.digest, "basis": basis_digest(self.basis),
            "effects": asdict(self.effects), "units": UNITS, "block": BLOCK, "hepatica": version("hepatica"),
            "numpy": np.__version__,
        }  # fmt: skip

    def block(self, number: int, given: NDArray[Any] | None) -> tuple[NDArray[np.complex64], dict[str, NDArray[Any]]]:
        """BLOCK spectra, of the concentrations given or drawn, and what they were made from."""
        streams = [self._stream(number, part) for part in range(3)]
        concentrations = self.priors.concentrations.sample(streams[0], n=BLOCK) if given is None else given
        nuisance = draw_nuisance(
            streams[1], self.priors, n=BLOCK, effects=self.effects, is_lipid=self._is_lipid,
            te_ms=self.basis.acquisition.te_ms,
        )  # fmt: skip
        values = self._clean(concentrations, nuisance)
        tcho, lip13 = (self._peak(values, nuisance, ppm) for ppm in PEAKS_PPM.values())
        top = np.maximum(tcho, lip13)
        height = None if self.priors.height is None else np.full(BLOCK, self.priors.height)
        own = tcho if self.priors.snr_peak == "tCho" else top
        noise_sd = self.effects.noise * (own if height is None else height) / nuisance.snr
        self._distort(values, nuisance, tcho if height is None else height)
        add_noise(values, noise_sd, streams[2].standard_normal((BLOCK, 2 * values.shape[1]), dtype=np.float32))
        with np.errstate(divide="ignore", invalid="ignore"):
            heights = {"snr": top / noise_sd, "snr_tcho": tcho / noise_sd, "noise_sd": noise_sd, "tcho_peak": tcho}
        table = {"concentrations": concentrations.astype(np.float32), "shift_hz": nuisance.shift_hz.astype(np.float32)}
        return values, table | nuisance.per_spectrum | heights

    def _stream(self, block: int, part: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=(block, part))))

    @property
    def _is_lipid(self) -> NDArray[np.bool_]:
        return np.array([name in self.priors.lipids for name in self.basis.names])

    def _clean(self, concentrations: NDArray[Any], nuisance: Nuisance) -> NDArray[np.complex64]:
        """(BLOCK, points) of the components alone, without phases."""
        acquisition = self.basis.acquisition
        dwell = 1 / acquisition.bandwidth_hz
        width = np.where(self._is_lipid, nuisance.lipid_width_hz[:, None], 0)
        decays = np.empty((BLOCK, acquisition.points), np.complex64)
        damped_sums(
            decays,
            *_padded(self.basis),
            concentrations * nuisance.weight,
            (2j * np.pi * nuisance.shift_hz - np.pi * width) * dwell,
            (2j * np.pi * nuisance.common_hz - np.pi * nuisance.lorentz_hz) * dwell,
            -((np.pi * nuisance.gauss_hz * dwell) ** 2) / (4 * np.log(2)),
            2 * np.pi * dwell * nuisance.offsets_hz,
            nuisance.transients,
            np.stack([2 * np.pi * dwell * nuisance.eddy_hz, nuisance.eddy_s / dwell], axis=1),
            np.minimum(np.rint(nuisance.cut_s / dwell), acquisition.points).astype(np.int64),
        )
        return np.asarray(scipy.fft.fftshift(scipy.fft.fft(decays, axis=-1), axes=-1))

    def _peak(self, values: NDArray[Any], nuisance: Nuisance, ppm: tuple[float, float]) -> NDArray[np.float64]:
        axis, away = self.basis.acquisition.ppm, nuisance.common_hz / self.basis.acquisition.f0_mhz
        return np.asarray(highest(values, *(np.searchsorted(axis, edge + away) for edge in ppm)))

    def _distort(self, values: NDArray[np.complex64], nuisance: Nuisance, unit: NDArray[np.float64]) -> None:
        """In place: phases, baseline, water and echo; their heights are counted in `unit` (BLOCK,)."""
        acquisition = self.basis.acquisition
        ppm, point = acquisition.ppm, acquisition.bandwidth_hz / acquisition.points
        step = nuisance.phase1 * point / acquisition.f0_mhz
        phased(values, nuisance.phase0 + nuisance.phase1 * (ppm[0] - PIVOT_PPM), step)
        splines, table = np.unique(nuisance.splines, return_inverse=True)
        tables = [_spline_table(acquisition, int(each)) for each in splines]
        height = (unit * nuisance.baseline_height)[:, None] * nuisance.coefficients
        add_splines(values, height, table, *(np.stack(each) for each in zip(*tables, strict=True)))
        turning = (nuisance.water_ppm - acquisition.reference_ppm) * acquisition.f0_mhz
        rate = (2j * np.pi * turning - np.pi * nuisance.water_width_hz) / acquisition.bandwidth_hz
        add_lines(values, unit[:, None] * nuisance.water_height * np.exp(1j * nuisance.water_phase), rate)
        add_echoes(
            values,
            unit * nuisance.ghost_height * np.exp(1j * nuisance.ghost_phase),
            (nuisance.ghost_ppm - ppm[0]) * acquisition.f0_mhz / point,
            1 / (2 * np.pi * nuisance.ghost_length_s * point),
            2 * np.pi * nuisance.ghost_s * point,
        )


def basis_digest(basis: Basis) -> str:
    """SHA-256 of names, acquisition and decays, these to single precision."""
    digest = hashlib.sha256(repr((basis.names, basis.acquisition)).encode())
    digest.update(np.ascontiguousarray(basis.fids.astype(np.complex64)).tobytes())
    return digest.hexdigest()


def _padded(basis: Basis) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Real and imaginary parts (k, points filled up to a multiple of STEP)."""
    padded = np.pad(basis.fids, ((0, 0), (0, -basis.acquisition.points % STEP)))
    return padded.real.astype(np.float32), padded.imag.astype(np.float32)


@lru_cache(maxsize=64)
def _spline_table(acquisition: Acquisition, splines: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """First of the four splines at each point (points,), and what the four have there (points, 4), faded outside."""
    ppm = acquisition.ppm
    window = ppm[acquisition.within(*WINDOW_PPM)]
    inside = np.clip(ppm, window[0], window[-1])
    design = bsplines(inside, splines=splines)
    first = np.minimum((design > 0).argmax(axis=1), splines - 4)
    fade = np.exp(-0.5 * ((ppm - inside) / _FADE_PPM) ** 2)
    return first, fade[:, None] * np.take_along_axis(design, first[:, None] + np.arange(4), axis=1)
