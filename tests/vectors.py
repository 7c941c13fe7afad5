"""Vectors of the signal model from concentrations by name."""

from collections.abc import Mapping

import numpy as np

from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel


def vector_of(model: SignalModel, concentrations: Mapping[str, float], **shared: float) -> np.ndarray:
    """(1, p) of concentrations by name, 0 where not named, and of `SHARED` by name."""
    k = len(model.names)
    vector = np.zeros((1, model.size))
    for name, value in concentrations.items():
        vector[0, model.names.index(name)] = value
    for name, value in shared.items():
        vector[0, 2 * k + SHARED.index(name)] = value
    return vector
