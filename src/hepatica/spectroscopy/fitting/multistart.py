"""Multistart: where to begin a fit, by trying shifts, widths and phases of the whole spectrum on a grid."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from hepatica.evaluate.compiled import compiled
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

SHIFTS_HZ = tuple(range(-20, 21, 4))
"""Shifts of the whole spectrum (ours): ±0.16 ppm at 3 T, half a line apart."""

WIDTHS_HZ = ((4.0, 6.0), (6.0, 14.0), (10.0, 24.0))
"""Lorentzian and Gaussian widths (ours): a good brain, a typical and a poor liver."""

PHASES = 12
"""Phases round the circle (ours)."""

SWEEPS = 10
"""Rounds of coordinate descent for the concentrations at a point of the grid (ours); they need not be exact."""

LEAST_EXPLAINED = 0.9
"""Share of what the best point explains from which another basin is fitted too (ours): points lie half a line away."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """The grid of a model: the whitened components (nodes, k, w) at each shift and width, made once."""

    model: SignalModel

    @cached_property
    def shared(self) -> Floats:
        """(nodes, 3): shift, Lorentzian and Gaussian width in Hz."""
        return np.array([(shift, *widths) for shift in SHIFTS_HZ for widths in WIDTHS_HZ], float)

    @cached_property
    def _components(self) -> NDArray[np.complex128]:
        k = len(self.model.names)
        vectors = np.zeros((len(self.shared), self.model.size))
        vectors[:, :k] = 1
        vectors[:, 2 * k : 2 * k + 3] = self.shared
        return np.asarray(self.model.baseline.whiten(self.model.components(vectors)))

    @cached_property
    def _gram(self) -> Floats:
        seen = self._components
        return np.ascontiguousarray((seen.conj() @ seen.swapaxes(1, 2)).real)

    def starts(self, values: NDArray[Any]) -> tuple[Places, Floats]:
        """Vectors (m, p) to begin fits of spectra (n, w) with, and the spectrum of each (m,): the best point of the
        grid of each spectrum, in their order, then further basins of shift and phase. Concentrations are 0 or more.
        """
        projected = self._projected(values)
        turns = np.exp(-2j * np.pi * np.arange(PHASES) / PHASES)
        scale = np.sqrt(np.einsum("gkk->gk", self._gram))
        gram = self._gram / (scale[:, :, None] * scale[:, None, :])
        cost, concentration = _searched(gram, np.ascontiguousarray(projected / scale), turns)
        owner, node, phase = _basins(cost)
        return owner, self._vectors(node, phase, concentration[owner, node, phase] / scale[node])

    def start_at(self, concentration: Floats, *, values: NDArray[Any]) -> Floats:
        """Vectors (n, p) of these concentrations (n, k), such as a network's, and shift, width and phase they fit."""
        projected = self._projected(values)
        likeness = np.einsum("nk,ngk->ng", concentration, projected)
        power = np.einsum("nk,gkl,nl->ng", concentration, self._gram, concentration, optimize=True)
        node = (power - 2 * np.abs(likeness)).argmin(axis=1)
        angle = np.angle(likeness[np.arange(len(node)), node])
        return self._vectors(node, angle / (2 * np.pi) * PHASES, concentration)

    def _projected(self, values: NDArray[Any]) -> NDArray[np.complex128]:
        """Spectra (n, w) on the components (n, nodes, k)."""
        seen = self.model.baseline.whiten(values)
        return np.asarray(np.einsum("gkw,nw->ngk", self._components.conj(), seen, optimize=True))

    def _vectors(self, node: NDArray[Any], phase: NDArray[Any], concentration: Floats) -> Floats:
        k = len(self.model.names)
        vectors = np.zeros((len(node), self.model.size))
        vectors[:, :k] = concentration
        vectors[:, 2 * k : 2 * k + 3] = self.shared[node.astype(int)]
        angle = 2 * np.pi * phase / PHASES
        vectors[:, 2 * k + SHARED.index("phase0")] = np.angle(np.exp(1j * angle))
        return vectors


@lru_cache(maxsize=8)
def grid_of(model: SignalModel) -> Grid:
    """The grid of a model, kept for the next fit with it."""
    return Grid(model=model)


@compiled
def _descend(gram: Any, projected: Any, c: Any, slope: Any) -> float:
    """Least half of the squares beyond those of the data, the concentrations `c` (k,) 0 or more that have it."""
    for i in range(c.size):
        c[i], slope[i] = 0.0, -projected[i]
    for _ in range(SWEEPS):
        for i in range(c.size):
            change = max(-slope[i], -c[i])
            if change != 0.0:
                c[i] += change
                for j in range(c.size):
                    slope[j] += change * gram[i, j]
    squares = 0.0
    for i in range(c.size):
        squares += c[i] * (slope[i] - projected[i])
    return 0.5 * squares


@compiled
def _searched(gram: Any, projected: Any, turns: Any) -> Any:
    """Of each spectrum, node and phase half of the squares beyond the data's, and the concentrations there."""
    n, nodes, k = projected.shape
    cost, best = np.zeros((n, nodes, turns.size)), np.zeros((n, nodes, turns.size, k))
    turned, slope = np.zeros(k), np.zeros(k)
    for row in range(n):
        for node in range(nodes):
            for turn in range(turns.size):
                for i in range(k):
                    turned[i] = (projected[row, node, i] * turns[turn]).real
                cost[row, node, turn] = _descend(gram[node], turned, best[row, node, turn], slope)
    return cost, best


def _basins(cost: Floats) -> tuple[Places, Places, Places]:
    """Spectrum, node and phase of each best point, and of the others that none beside them in shift and phase beats."""
    n = len(cost)
    widths = cost.reshape(n, len(SHIFTS_HZ), len(WIDTHS_HZ), PHASES)
    narrowed = widths.min(axis=2)
    lowest = narrowed == minimum_filter(narrowed, size=(1, 3, 3), mode=("nearest", "nearest", "wrap"))
    least = narrowed.min(axis=(1, 2), keepdims=True)
    node, phase = np.unravel_index(cost.reshape(n, -1).argmin(axis=1), cost.shape[1:])
    owner, shift, turn = np.nonzero(lowest & (least < narrowed) & (narrowed < LEAST_EXPLAINED * least))
    beside = shift * len(WIDTHS_HZ) + widths[owner, shift, :, turn].argmin(axis=1)
    return np.append(np.arange(n), owner), np.append(node, beside), np.append(phase, turn)
