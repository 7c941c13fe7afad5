"""Penalty: what is held of a spectrum's parameters beforehand, as a quadratic added to half of chi²."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.signal_model import SHARED, SignalModel

Floats = NDArray[np.float64]

SHIFT_SD_HZ = 1.0
"""How far the shift of a component strays from that of all (ours): 0.008 ppm at 3 T, by temperature and acidity."""

LOOSE = {
    "common_hz": (0.0, 50.0), "lorentz_hz": (7.0, 50.0), "gauss_hz": (13.0, 50.0),
    "phase0": (0.0, 10.0), "phase1": (0.0, 1.0),
}  # fmt: skip
"""Mean and SD of what all components share (ours): so loose that only a spectrum of mere noise feels it."""

LIPID_RATIO_SD = 0.15
"""How far the ratio of two lipid resonances strays from that of a triglyceride, as a share (ours, after LCModel's)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Penalty:
    """Half of (vector - mean)ᵀ precision (vector - mean): mean (p,), precision (p, p) or one a spectrum (n, p, p)."""

    mean: Floats
    precision: Floats

    def add(
        self, vector: Floats, rows: NDArray[np.intp], equations: tuple[Floats, Floats, Floats]
    ) -> tuple[Floats, Floats, Floats]:
        """Normal equations of the spectra `rows` at their vectors (m, p), the penalty added."""
        half, gradient, hessian = equations
        precision = self.precision if self.precision.ndim == 2 else self.precision[rows]
        away = vector - self.mean
        pull = (precision @ away[..., None])[..., 0]
        return half + 0.5 * (away * pull).sum(axis=1), gradient + pull, hessian + precision


def loose(model: SignalModel, *, shift_sd_hz: float = SHIFT_SD_HZ) -> Penalty:
    """Nothing held of concentrations, next to nothing of what is shared, each shift within `shift_sd_hz` of all's.

    Raises SettingsError on a spread that is not above 0.
    """
    if not shift_sd_hz > 0:
        raise SettingsError(f"got a spread of shifts of {shift_sd_hz} Hz, wanted more than 0")
    k = len(model.names)
    mean = np.concatenate([np.zeros(2 * k), [LOOSE[name][0] for name in SHARED]])
    spread = np.concatenate([np.full(k, np.inf), np.full(k, shift_sd_hz), [LOOSE[name][1] for name in SHARED]])
    return Penalty(mean=mean, precision=np.diag(spread**-2.0))


def holding_ratios(
    penalty: Penalty,
    ratios: Mapping[str, float],
    *,
    model: SignalModel,
    concentration: Floats,
    sd: float = LIPID_RATIO_SD,
) -> Penalty:
    """The penalty with c of each name held at its ratio to c of the first, within a share `sd` of it.

    The share is of the first's `concentration` (n, k), such as a multistart's. Raises SettingsError on names that the
    model lacks and on ratios or a spread that are not above 0.
    """
    absent = [name for name in ratios if name not in model.names]
    if absent or not (sd > 0 and min(ratios.values()) > 0):
        raise SettingsError(
            f"got ratios of {dict(ratios)} with a spread of {sd}, wanted numbers above 0 of components of the model"
            + (f", which lacks {', '.join(absent)}" if absent else "")
        )
    first, *others = (model.names.index(name) for name in ratios)
    wanted = np.array(list(ratios.values())) / next(iter(ratios.values()))
    apart = np.zeros((len(others), model.size))
    apart[:, first] = -wanted[1:]
    apart[np.arange(len(others)), others] = 1
    scale = sd * wanted[1:] * np.maximum(concentration[:, [first]], 1e-9)
    held = np.einsum("no,op,oq->npq", scale**-2.0, apart, apart)
    return Penalty(mean=penalty.mean, precision=penalty.precision + held)
