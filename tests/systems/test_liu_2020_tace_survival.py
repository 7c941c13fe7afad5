"""Liu 2020, survival: parameters by hand, the lasso meets its conditions, slices count by their tumour."""

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.protocol import Inference
from hepatica.systems.liu_2020_tace_survival import SYSTEM, Scored, features_of


def test_parameters_and_shape_of_the_network() -> None:
    """Convolutions of the U-Net, down 9 (1 x 64 + 64^2 + 3 (64^2 + ... + 512^2) x 2), up 9 x 4 w^2 each, with 2 numbers
    of normalisation a map; 195 of the last, and 1,024 coefficients of the Cox model.
    """
    widths = [64, 128, 256, 512, 1024]
    down = sum(9 * (a * b + b * b) + 4 * b for a, b in zip([1, *widths], widths, strict=False))
    up = sum(9 * (3 * w * w + w * w) + 4 * w for w in widths[:-1])
    with torch.device("meta"):
        network = Scored(SYSTEM.settings)
        logits, signature = network(torch.zeros(2, 1, 256, 256))
    assert sum(each.numel() for each in network.parameters()) == down + up + 195 + 1024
    assert logits.shape == (2, 3, 256, 256)
    assert signature.shape == (2, 1024)


def test_features_are_the_mean_over_slices_that_show_tumour() -> None:
    regions = pd.DataFrame({"specimen_id": ["a", "a", "a", "b", "b"], "score": [0.9, 0.6, 0.1, 0.2, 0.0]})
    signatures = np.array([[1.0], [4.0], [100.0], [3.0], [5.0]], np.float32)
    found = features_of(Inference(specimens=pd.DataFrame(), regions=regions, signatures=signatures), SYSTEM.settings)
    assert found.index.tolist() == ["a", "b"]
    assert found[0].tolist() == pytest.approx([(0.9 + 0.6 * 4) / 1.5, 4])
