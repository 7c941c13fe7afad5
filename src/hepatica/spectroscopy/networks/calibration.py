"""Calibration: how far a trained qCNN is off, from simulated spectra that it did not learn from."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hepatica.learn import Arrays, infer
from hepatica.learn.images import as_network_input
from hepatica.spectroscopy.networks.network_input import as_complex
from hepatica.spectroscopy.networks.norm import norm
from hepatica.spectroscopy.networks.novelty import squeezed
from hepatica.spectroscopy.networks.qcnn import Qcnn

Z = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""

COVERED = 0.95

FARTHEST_Z = 4.0
"""Standardised errors beyond which correlation is not asked (ours): a few wild ones would make all of it."""

READ_AT_ONCE = 256


def calibrate(network: Qcnn, images: NDArray[np.float32], *, truth: NDArray[Any]) -> None:
    """Set, in place, the factor of each standard deviation, the correlation of errors, and what is usual.

    `images` (n, 1, w, 2) are held-out spectra and `truth` (n, k + 5) what they are made of. The factor makes the
    smallest interval that held the truth of 95 % of n and one more (split conformal).
    """
    _set(network.widening, np.ones(len(network.widening)))
    value, sd, _, signature = infer(network, Arrays(values=images), batch=READ_AT_ONCE, label="calibrating")
    z = (np.asarray(truth, float) - value) / sd
    rank = min(COVERED * (len(z) + 1) / len(z), 1.0)
    widening = np.quantile(np.abs(z), rank, axis=0, method="higher") / Z
    held = np.clip(z / widening, -FARTHEST_Z, FARTHEST_Z)
    _set(network.widening, widening)
    _set(network.correlation, np.corrcoef(held.T))
    _set(network.norm, np.median(norm(as_complex(images))))
    network.usual.learn(signature, squeezed(as_network_input(torch.from_numpy(images))).numpy())


def _set(buffer: torch.Tensor, values: Any) -> None:
    buffer.copy_(torch.as_tensor(np.asarray(values, np.float32)))
