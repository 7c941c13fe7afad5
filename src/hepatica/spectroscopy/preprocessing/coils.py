"""Coils: the decays of several receivers added up with the weights that give the least noise."""

import numpy as np
from einops import einsum, rearrange
from numpy.typing import NDArray

from hepatica.spectroscopy.signal.spectrum import Signal

_TAIL = 0.25  # ours: the last quarter of a decay is noise
_SAMPLES_A_COIL = 8  # ours: fewer samples of noise than this a coil do not tell its covariance


def coil_weights(fids: Signal) -> Signal:
    """Weights (coils,) of decays (transients, coils, points), from the water or the lipids: the strongest signal there.

    Whitened singular value decomposition (Rodgers and Robson 2010, doi:10.1002/mrm.22230): the leading singular vector
    of the decays after their noise was made independent and equal. A signal of 1 in all, by root of the sum of squares
    over coils, stays 1. Coils that received nothing weigh nothing.
    """
    alive = np.abs(fids).max(axis=(0, 2)) > 0
    mean = fids[:, alive].mean(axis=0)
    whitening = _whitening(fids[:, alive])
    vectors, strengths, _ = np.linalg.svd(whitening @ mean, full_matrices=False)
    towards = whitening.conj().T @ vectors[:, 0]
    sensitivity = np.linalg.solve(whitening, vectors[:, 0] * strengths[0])
    size = np.linalg.norm(sensitivity)
    gain = np.vdot(towards, sensitivity)
    weights = np.zeros(fids.shape[1], complex)
    strongest = np.argmax(np.abs(sensitivity))
    turn = np.exp(-1j * np.angle(sensitivity[strongest]))  # the phase of the best coil is the phase of all
    weights[alive] = (towards * size / gain.conj()) * turn
    return weights


def combine_coils(fids: Signal, *, weights: Signal) -> Signal:
    """Decays (transients, points) of decays (transients, coils, points)."""
    return np.asarray(einsum(fids, weights.conj(), "t c n, c -> t n"))


def _whitening(fids: Signal) -> NDArray[np.complex128]:
    """Matrix (coils, coils) that makes the noise of coils independent and of variance 1; identity where unknown."""
    coils = fids.shape[1]
    tail = rearrange(fids[..., -max(1, int(fids.shape[2] * _TAIL)) :], "t c n -> c (t n)")
    if coils == 1 or tail.shape[1] < _SAMPLES_A_COIL * coils:
        return np.eye(coils, dtype=complex)
    values, vectors = np.linalg.eigh(np.cov(tail))
    floor = values.max() * 1e-9
    if floor == 0:
        return np.eye(coils, dtype=complex)
    return np.asarray(np.diag(np.maximum(values, floor) ** -0.5) @ vectors.conj().T)
