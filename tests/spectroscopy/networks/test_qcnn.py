"""qCNN: members are averaged, what they do not agree on counts, and one file holds all."""

import copy

import pytest
import torch
from torch import nn

from hepatica.learn import load_weights, save_weights
from hepatica.networks import Estimates
from hepatica.spectroscopy.networks.novelty import squeezed
from hepatica.spectroscopy.networks.qcnn import Qcnn, build_qcnn
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan

PLAN = SpectralPlan(members=2, width=4, hidden=16, signature=8)


class Says(nn.Module):
    """Always the same mean and log variance of two quantities."""

    def __init__(self, mean: float, log_variance: float) -> None:
        super().__init__()
        self.estimates = torch.tensor([[mean, log_variance]] * 2)

    def forward(self, spectra: torch.Tensor) -> Estimates:
        return Estimates(self.estimates.expand(len(spectra), 2, 2), spectra[:, 0, 0, :3])


def test_the_mean_is_told_and_variance_within_and_between() -> None:
    network = Qcnn([Says(0.1, -8.0), Says(0.3, -6.0)], quantities=2, signature=3, points=9)
    network.scales.softness.fill_(1e3)  # so wide that asinh is straight
    found = network(torch.zeros(5, 2, 1, 9))
    assert found.value.shape == (5, 2)
    assert found.value[0, 0].item() == pytest.approx(1e3 * torch.sinh(torch.tensor(0.2)).item(), rel=0.02)
    within = (torch.tensor([-8.0, -6.0]).exp().mean()) * 1e6
    between = (torch.sinh(torch.tensor([0.1, 0.3])) * 1e3).var(unbiased=False)
    assert found.sd[0, 0].item() == pytest.approx((within + between).sqrt().item(), rel=0.05)


def test_the_standard_deviation_is_widened_by_its_factor() -> None:
    network = Qcnn([Says(0.1, -8.0)], quantities=2, signature=3, points=9)
    before = network(torch.zeros(1, 2, 1, 9)).sd
    network.widening.copy_(torch.tensor([2.0, 3.0]))
    torch.testing.assert_close(network(torch.zeros(1, 2, 1, 9)).sd, before * torch.tensor([2.0, 3.0]))


def test_strangeness_is_that_of_signature_and_squeezed_spectrum() -> None:
    network = Qcnn([Says(0.0, 0.0)], quantities=2, signature=3, points=9)
    spectra = torch.randn(4, 2, 1, 9, generator=torch.Generator().manual_seed(0))
    wanted = network.usual(spectra[:, 0, 0, :3], squeezed(spectra))
    torch.testing.assert_close(network(spectra).strangeness, wanted)


def test_calibration_is_saved_with_the_weights(tmp_path) -> None:
    network = build_qcnn(PLAN).eval()
    network.widening.fill_(1.5)
    network.norm.fill_(77.0)
    network.scales.centre.fill_(0.25)
    save_weights(network, tmp_path / "w.safetensors")
    other = load_weights(build_qcnn(PLAN), tmp_path / "w.safetensors").eval()
    spectra = torch.randn(3, 2, 1, PLAN.model.ppm.size)
    for one, two in zip(network(spectra), other(spectra), strict=True):
        assert torch.equal(one, two)
    assert other.norm.item() == 77


def test_one_seed_builds_one_network() -> None:
    first, second = (build_qcnn(PLAN).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert len(copy.deepcopy(build_qcnn(PLAN)).members) == 2
