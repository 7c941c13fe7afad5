"""Multistart: where to begin a fit, by trying shifts, widths and phases of the whole spectrum on a grid."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hepatica.evaluate.compiled import compiled
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel

Floats = NDArray[np.float64]

SHIFTS_HZ = tuple(range(-20, 21, 4))
"""Shifts of the whole spectrum (ours): ±0.16 ppm at 3 T, half a line apart."""

WIDTHS_HZ = ((4.0, 6.0), (6.0, 14.0), (10.0, 24.0))
"""Lorentzian and Gaussian widths (ours): a good brain, a typical and a poor liver."""

PHASES = 12
"""Phases round the circle (ours)."""

SWEEPS = 10
"""Rounds of coordinate descent for the concentrations at a point of the grid (ours); they need not be exact."""


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

    def start(self, values: NDArray[Any]) -> Floats:
        """Vectors (n, p) to begin fits of spectra (n, w) with: the best point of the grid, concentrations 0 or more."""
        projected = self._projected(values)
        turns = np.exp(-2j * np.pi * np.arange(PHASES) / PHASES)
        scale = np.sqrt(np.einsum("gkk->gk", self._gram))
        node, phase, concentration = _best(
            self._gram / (scale[:, :, None] * scale[:, None, :]), np.ascontiguousarray(projected / scale), turns
        )
        return self._vectors(node, phase, concentration / scale[node])

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

    def _vectors(self, node: Floats, phase: Floats, concentration: Floats) -> Floats:
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
def _best(gram: Any, projected: Any, turns: Any) -> Any:
    """Of each spectrum the node and the phase with the least squares, and the concentrations there."""
    n, nodes, k = projected.shape
    best_node, best_phase, best = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros((n, k))
    turned, c, slope = np.zeros(k), np.zeros(k), np.zeros(k)
    for row in range(n):
        least = np.inf
        for node in range(nodes):
            for turn in range(turns.size):
                for i in range(k):
                    turned[i] = (projected[row, node, i] * turns[turn]).real
                cost = _descend(gram[node], turned, c, slope)
                if cost < least:
                    least, best_node[row], best_phase[row] = cost, node, turn
                    best[row] = c
    return best_node, best_phase, best
