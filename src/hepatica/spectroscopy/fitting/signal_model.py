"""Signal model: the spectra that concentrations, shifts, widths and phases make, and their derivatives.

y(ppm) = exp(i(phase0 + phase1 (ppm - 3.2))) · spectrum of [Σ c_k b_k(t) e^(2πi d_k t) · e^(2πi D t - π gL t - (π gG t)²
/ (4 ln 2))] + baseline; simulator, least squares, bounds and refinement share it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.fft
from einops import rearrange
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.fitting.baseline import FREEDOM, SPLINES, Baseline

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

WINDOW_PPM = (0.4, 4.2)
"""What is fitted (ours): from below the methyl of the lipids to short of the water."""

PIVOT_PPM = 3.2
"""Where the first-order phase turns nothing: at the choline."""

SHARED = ("common_hz", "lorentz_hz", "gauss_hz", "phase0", "phase1")
"""Parameters that all components of a spectrum share, in the order of a vector's last five."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """Parameters of n spectra of k components; `vector` (n, 2 k + 5) has them in the order of the fields.

    Concentrations (n, k) in the basis's unit (mM); shifts (n, k) of each component of its own and (n,) of all, Hz;
    Lorentzian and Gaussian full widths at half maximum (n,), Hz; phases (n,) in rad and in rad per ppm from 3.2 ppm.
    """

    concentration: Floats
    shift_hz: Floats
    common_hz: Floats
    lorentz_hz: Floats
    gauss_hz: Floats
    phase0: Floats
    phase1: Floats

    @property
    def vector(self) -> Floats:
        """(n, 2 k + 5)."""
        shared = np.stack([getattr(self, name) for name in SHARED], axis=1)
        return np.concatenate([self.concentration, self.shift_hz, shared], axis=1)

    @classmethod
    def of(cls, vector: Floats) -> "Parameters":
        """The inverse of `vector`."""
        k = (vector.shape[1] - len(SHARED)) // 2
        shared = {name: vector[:, 2 * k + number] for number, name in enumerate(SHARED)}
        return cls(concentration=vector[:, :k], shift_hz=vector[:, k : 2 * k], **shared)


@dataclass(frozen=True, kw_only=True, eq=False)
class SignalModel:
    """The model of `basis` within `window_ppm`, its baseline of `splines` with `freedom` degrees of freedom.

    Vectors (n, p) are those of `Parameters`, p = 2 k + 5; spectra (n, w) rise in ppm. Raises SettingsError where the
    window has fewer points than there are parameters.
    """

    basis: Basis
    window_ppm: tuple[float, float] = WINDOW_PPM
    splines: int = SPLINES
    freedom: float = FREEDOM

    def __post_init__(self) -> None:
        if 2 * self.ppm.size <= self.size + 2 * self.splines:
            raise SettingsError(
                f"got {self.ppm.size} points from {self.window_ppm[0]} to {self.window_ppm[1]} ppm for {self.size}"
                f" parameters and {self.splines} splines; widen the window or leave components out"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The k components."""
        return self.basis.names

    @property
    def size(self) -> int:
        """Parameters p of a spectrum, its baseline aside."""
        return 2 * len(self.names) + len(SHARED)

    @cached_property
    def _within(self) -> NDArray[np.bool_]:
        return self.basis.acquisition.within(*self.window_ppm)

    @cached_property
    def ppm(self) -> Floats:
        """(w,) rising."""
        return np.asarray(self.basis.acquisition.ppm[self._within])

    @cached_property
    def baseline(self) -> Baseline:
        """The splines below the peaks."""
        return Baseline(ppm=self.ppm, splines=self.splines, freedom=self.freedom)

    def window(self, values: NDArray[Any]) -> NDArray[Any]:
        """The part (…, w) of whole spectra (…, points) that is fitted."""
        return np.asarray(values[..., self._within])

    def evaluate(self, vector: Floats) -> Complex:
        """Spectra (n, w) without baseline."""
        c = vector[:, : len(self.names), None]
        return self._phase(vector) * self._window_of((c * self._decays(vector)).sum(axis=1))

    def components(self, vector: Floats) -> Complex:
        """Spectra (n, k, w) of each component at its concentration, phased as the whole is."""
        c = vector[:, : len(self.names), None]
        return c * self._phase(vector)[:, None] * self._window_of(self._decays(vector))

    def jacobian(self, vector: Floats) -> tuple[Complex, Complex]:
        """Spectra (n, w) without baseline and their derivatives (n, p, w) by each parameter."""
        k = len(self.names)
        c, decays = vector[:, :k, None], self._decays(vector)
        slopes = np.empty((len(vector), self.size, self.ppm.size), complex)
        slopes[:, :k] = self._window_of(decays)
        slopes[:, k : 2 * k] = 2j * np.pi * c * self._window_of(decays * self._time)
        whole, moved = (c * slopes[:, :k]).sum(axis=1), slopes[:, k : 2 * k].sum(axis=1)
        self._shared_slopes(slopes[:, 2 * k :], whole, moved, (c * decays).sum(axis=1), vector)
        slopes *= self._phase(vector)[:, None]
        return -1j * slopes[:, 2 * k + 3], slopes

    def shared_jacobian(self, vector: Floats, still: Complex) -> tuple[Complex, Complex]:
        """The same by SHARED alone, (n, w) and (n, 5, w), quickly: `still` (n, points) are what `undamped` gives."""
        decays = still * self._damping(vector)
        slopes = np.empty((len(vector), len(SHARED), self.ppm.size), complex)
        whole, moved = self._window_of(decays), 2j * np.pi * self._window_of(decays * self._time)
        self._shared_slopes(slopes, whole, moved, decays, vector)
        slopes *= self._phase(vector)[:, None]
        return -1j * slopes[:, 3], slopes

    def undamped(self, vector: Floats) -> Complex:
        """Decays (n, points) of spectra before what is shared comes upon them: the first sample is halved."""
        k = len(self.names)
        turning = self._turning(vector[:, k : 2 * k])
        return np.asarray(np.einsum("nk,kt,nkt->nt", vector[:, :k], self._halved, turning, optimize=True))

    def _shared_slopes(self, slopes: Complex, whole: Complex, moved: Complex, decays: Complex, vector: Floats) -> None:
        """Fill (n, 5, w) by SHARED, phases aside; `moved` are the derivatives of spectra `whole` by their shift."""
        gauss = vector[:, -3, None]
        slopes[:, 0], slopes[:, 1] = moved, 0.5j * moved
        slopes[:, 2] = self._window_of(-(np.pi**2) / (2 * np.log(2)) * gauss * self._time**2 * decays)
        slopes[:, 3], slopes[:, 4] = 1j * whole, 1j * (self.ppm - PIVOT_PPM) * whole

    def normal_equations(self, vector: Floats, values: Complex, *, noise_sd: Floats) -> tuple[Floats, Floats, Floats]:
        """Half of chi² (n,), its gradient (n, p) and its Gauss-Newton Hessian (n, p, p), the best baseline taken off.

        `values` (n, w) are measured spectra, `noise_sd` (n,) the standard deviation of the noise of the real and of the
        imaginary part. The Hessian is the Fisher information of the parameters.
        """
        fitted, slopes = self.jacobian(vector)
        scale = 1 / noise_sd[:, None]
        rest = _as_real(self.baseline.whiten((values - fitted) * scale))
        rows = _as_real(self.baseline.whiten(slopes * scale[..., None]))
        gradient = -(rows @ rest[..., None])[..., 0]
        return 0.5 * (rest**2).sum(axis=1), gradient, rows @ rows.swapaxes(1, 2)

    @cached_property
    def _time(self) -> Floats:
        return self.basis.acquisition.time_s

    @cached_property
    def _rows(self) -> NDArray[np.intp]:
        """The indices of the window's points in an FFT, which begins at 0 Hz."""
        return np.asarray(np.fft.fftshift(np.arange(self.basis.acquisition.points))[self._within])

    @cached_property
    def _halved(self) -> Complex:
        fids = self.basis.fids.astype(complex)
        fids[:, 0] *= 0.5
        return fids

    def _window_of(self, decays: Complex) -> Complex:
        return np.asarray(scipy.fft.fft(decays, axis=-1)[..., self._rows])

    def _phase(self, vector: Floats) -> Complex:
        phase0, phase1 = vector[:, -2, None], vector[:, -1, None]
        return np.asarray(np.exp(1j * (phase0 + phase1 * (self.ppm - PIVOT_PPM))))

    def _decays(self, vector: Floats) -> Complex:
        """(n, k, points) of 1 mM each, shifted and damped, their first sample halved."""
        k = len(self.names)
        return np.asarray(self._halved * self._damping(vector)[:, None] * self._turning(vector[:, k : 2 * k]))

    def _damping(self, vector: Floats) -> Complex:
        """(n, points) by which what is shared turns and damps all components."""
        time = self._time
        common, lorentz, gauss = (vector[:, number, None] for number in (-5, -4, -3))
        damping = np.pi * lorentz * time + (np.pi * gauss * time) ** 2 / (4 * np.log(2))
        return np.asarray(np.exp(2j * np.pi * common * time - damping))

    def _turning(self, shift: Floats) -> Complex:
        """e^(2πi d t) (n, k, points) of shifts (n, k) in Hz: coarse and fine turns multiplied, 64 instead of 1024."""
        points = self._time.size
        fine = int(np.ceil(np.sqrt(points)))
        angle = 2j * np.pi * shift[..., None] / self.basis.acquisition.bandwidth_hz
        turned = (
            np.exp(angle * fine * np.arange(-(-points // fine)))[..., None]
            * np.exp(angle * np.arange(fine))[..., None, :]
        )
        return np.asarray(rearrange(turned, "n k coarse fine -> n k (coarse fine)")[..., :points])


def _as_real(values: Complex) -> Floats:
    """(…, 2 w) of complex (…, w): real and imaginary parts in turn."""
    return np.ascontiguousarray(values).view(np.float64)
