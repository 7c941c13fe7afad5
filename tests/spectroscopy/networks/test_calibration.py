"""Calibration: intervals of a network that is too sure, and of one that is not sure enough, come to hold 95 %."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hepatica.networks import Estimates
from hepatica.spectroscopy.networks.calibration import calibrate
from hepatica.spectroscopy.networks.qcnn import Qcnn

QUANTITIES = 3


class Sees(nn.Module):
    """Says the first three real points, with a log variance of `certainty`."""

    def __init__(self, certainty: float) -> None:
        super().__init__()
        self.certainty = certainty

    def forward(self, spectra: Tensor) -> Estimates:
        mean = spectra[:, 0, 0, :QUANTITIES]
        return Estimates(torch.stack([mean, torch.full_like(mean, self.certainty)], dim=-1), spectra[:, 1, 0, :4])


def straight(certainty: float) -> Qcnn:
    """A network whose quantities are what it learns, undistorted."""
    network = Qcnn([Sees(certainty)], quantities=QUANTITIES, signature=4, points=12)
    network.scales.softness.fill_(1e4)
    network.scales.spread.fill_(1e-4)
    return network


def held_out(count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images, and truths about them with errors of 1, 1 and 5, the first two of them alike."""
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(count, 1, 12, 2)).astype(np.float32)
    errors = rng.normal(size=(count, QUANTITIES)) @ np.array([[1.0, 0.8, 0], [0, 0.6, 0], [0, 0, 5.0]])
    return images, images[:, 0, :QUANTITIES, 0] + errors


@pytest.mark.parametrize("certainty", [-4.0, 0.0, 4.0])
def test_intervals_hold_what_they_say_whatever_the_network_says(certainty: float) -> None:
    network = straight(certainty)
    images, truth = held_out(2000)
    calibrate(network, images, truth=truth)
    others, wanted = held_out(4000, seed=1)
    found = network(torch.from_numpy(others).permute(0, 3, 1, 2))
    held = (np.abs(found.value.numpy() - wanted) < 1.96 * found.sd.numpy()).mean(axis=0)
    np.testing.assert_allclose(held, 0.95, atol=0.015)
    np.testing.assert_allclose(found.sd[0].numpy(), [1, 1, 5], rtol=0.08)


def test_errors_that_go_together_are_correlated() -> None:
    network = straight(0.0)
    images, truth = held_out(4000)
    calibrate(network, images, truth=truth)
    wanted = np.array([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(network.correlation.numpy(), wanted, atol=0.05)


def test_few_of_the_usual_are_strange_and_what_is_far_is() -> None:
    network = straight(0.0)
    images, truth = held_out(4000)
    calibrate(network, images, truth=truth)
    far = torch.from_numpy(images[:2]).permute(0, 3, 1, 2).clone()
    far[1, 1] += 20
    strange = network(torch.from_numpy(images).permute(0, 3, 1, 2)).strangeness
    assert 0.004 < (strange > 1).float().mean().item() < 0.02
    assert network(far).strangeness[1] > 3


def test_it_can_be_done_again() -> None:
    network = straight(0.0)
    images, truth = held_out(1000)
    calibrate(network, images, truth=truth)
    first = {name: value.clone() for name, value in network.state_dict().items()}
    calibrate(network, images, truth=truth)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, first[name])


def test_the_usual_strength_is_the_median_norm() -> None:
    network = straight(0.0)
    images, truth = held_out(500)
    calibrate(network, 7 * images, truth=truth)
    norms = 7 * np.abs(images[..., 0] + 1j * images[..., 1]).mean(axis=(1, 2))
    assert network.norm.item() == pytest.approx(np.median(norms), rel=1e-5)
