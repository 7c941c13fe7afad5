"""Calibration: how far a trained qCNN is off, from simulated spectra that it did not learn from."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from hepatica.learn import Arrays, infer
from hepatica.spectroscopy.network_input import as_complex
from hepatica.spectroscopy.norm import norm
from hepatica.spectroscopy.qcnn import Qcnn

Z = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""

COVERED = 0.95

USUAL = 0.995
"""Share of simulated spectra that count as usual (ours): one of 200 is flagged though nothing is wrong with it."""

FARTHEST_Z = 4.0
"""Standardised errors beyond which correlation is not asked (ours): a few wild ones would make all of it."""

READ_AT_ONCE = 256


def calibrate(network: Qcnn, images: NDArray[np.float32], *, truth: NDArray[Any]) -> None:
    """Set, in place, the factor of each standard deviation, the correlation of errors, and what is usual.

    `images` (n, 1, w, 2) are held-out spectra and `truth` (n, k + 5) what they are made of. The factor makes the
    smallest interval that held the truth of 95 % of n and one more (split conformal).
    """
    reset(network)
    value, sd, _, signature = infer(network, Arrays(values=images), batch=READ_AT_ONCE, label="calibrating")
    z = (np.asarray(truth, float) - value) / sd
    rank = min(COVERED * (len(z) + 1) / len(z), 1.0)
    widening = np.quantile(np.abs(z), rank, axis=0, method="higher") / Z
    held = np.clip(z / widening, -FARTHEST_Z, FARTHEST_Z)
    signature = signature.astype(float)
    usual = LedoitWolf().fit(signature)
    _set(network.widening, widening)
    _set(network.correlation, np.corrcoef(held.T))
    _set(network.usual, usual.location_)
    _set(network.precision, usual.precision_)
    _set(network.norm, np.median(norm(as_complex(images))))
    _set(network.farthest, np.quantile(np.sqrt(usual.mahalanobis(signature)), USUAL))


def reset(network: Qcnn) -> None:
    """Undo an earlier calibration."""
    _set(network.widening, np.ones(len(network.widening)))
    _set(network.farthest, np.ones(()))


def _set(buffer: torch.Tensor, values: Any) -> None:
    buffer.copy_(torch.as_tensor(np.asarray(values, np.float32)))
