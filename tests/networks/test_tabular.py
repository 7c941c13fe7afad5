"""Tabular: values are standardised by the training patients; a missing one is at their mean, and known as missing."""

import numpy as np
import pytest
import torch

from hepatica.networks.tabular import Standardise, Tabular

VALUES = np.array([[1, np.nan, 7, np.nan], [3, np.nan, 7, 2], [5, np.nan, 7, 4]], np.float32)


@pytest.fixture
def fitted() -> Standardise:
    """Of a plain column, one missing throughout, a constant one, and one missing once."""
    standardise = Standardise(4)
    standardise.fit(VALUES)
    return standardise


def test_values_are_less_the_mean_and_over_the_sd(fitted: Standardise) -> None:
    scaled, missing = fitted(torch.from_numpy(VALUES)).chunk(2, dim=1)
    sd = np.std([1, 3, 5])
    np.testing.assert_allclose(scaled[:, 0], [-2 / sd, 0, 2 / sd], rtol=1e-6)
    np.testing.assert_allclose(scaled[:, 3], [0, -1, 1], rtol=1e-6)
    assert (scaled[:, 1:3] == 0).all()
    assert torch.equal(missing, torch.from_numpy(np.isnan(VALUES)).float())


def test_new_patients_do_not_change_what_was_fitted(fitted: Standardise) -> None:
    new = torch.tensor([[9.0, 4.0, 8.0, 3.0]])
    sd = np.std([1, 3, 5])
    np.testing.assert_allclose(fitted(new)[0, :4], [6 / sd, 4, 1, 0], rtol=1e-6)
    assert set(fitted.state_dict()) == {"mean", "sd", "gaps"}


@pytest.mark.parametrize(("hidden", "weights"), [((), 8 * 3 + 3), ((5,), 8 * 5 + 5 + 2 * 5 + 5 * 3 + 3)])
def test_a_linear_model_or_layers_between(hidden: tuple[int, ...], weights: int) -> None:
    network = Tabular(4, outputs=3, hidden=hidden)
    assert sum(each.numel() for each in network.parameters()) == weights
    read = network(torch.from_numpy(VALUES))
    assert read.logits.shape == (3, 3)
    assert read.logits.isfinite().all()
    assert read.signature.shape == (3, 8)


def test_what_was_never_missing_in_training_adds_nothing_when_it_is_missing() -> None:
    standardise = Standardise(2)
    standardise.fit(np.array([[1, 4], [3, np.nan], [5, 6]], np.float32))
    lost = standardise(torch.tensor([[np.nan, np.nan]]))
    assert lost.tolist() == [[0, 0, 0, 1]]
