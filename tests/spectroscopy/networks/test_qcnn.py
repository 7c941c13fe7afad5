"""Scales: there and back, and moments that sampling finds too."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hepatica.learn import load_weights, save_weights
from hepatica.networks import Estimates
from hepatica.spectroscopy.networks.novelty import squeezed
from hepatica.spectroscopy.networks.qcnn import Qcnn, Scales, build_qcnn
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan


def learnt(softness: float = 0.5) -> Scales:
    """Scales of two quantities, one over decades and one about 0."""
    values = torch.from_numpy(np.random.default_rng(0).lognormal(3, 1.5, (1000, 2)) * [1.0, 0.01])
    scales = Scales(2)
    scales.learn(values, softness=torch.tensor([softness, 100.0]))
    return scales


def test_what_is_learnt_has_a_spread_of_1_about_0() -> None:
    values = torch.from_numpy(np.random.default_rng(0).lognormal(3, 1.5, (1000, 2)) * [1.0, 0.01]).float()
    squeezed = learnt()(values)
    torch.testing.assert_close(squeezed.mean(dim=0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(squeezed.std(dim=0), torch.ones(2), atol=1e-4, rtol=0)


@settings(deadline=None, max_examples=25)
@given(value=st.floats(0, 500))
def test_a_sure_estimate_is_given_back(value: float) -> None:
    scales = learnt()
    sure = torch.stack([scales(torch.tensor([[value, 0.1]])), torch.full((1, 2), -25.0)], dim=-1)
    mean, variance = scales.moments(sure)
    assert mean[0].tolist() == pytest.approx([value, 0.1], rel=1e-3, abs=1e-3)
    assert (variance >= 0).all()


@pytest.mark.parametrize("log_variance", [-6.0, -2.0, -1.0])
@pytest.mark.parametrize("middle", [-1.0, 0.0, 1.5])
def test_moments_are_those_of_draws(middle: float, log_variance: float) -> None:
    scales = learnt()
    estimates = torch.tensor([[[middle, log_variance]] * 2])
    mean, variance = scales.moments(estimates)
    normal = np.random.default_rng(1).normal(middle, np.exp(log_variance / 2), (400_000, 1))
    drawn = scales.softness.numpy() * np.sinh(scales.centre.numpy() + scales.spread.numpy() * normal)
    np.testing.assert_allclose(mean[0], drawn.mean(axis=0), rtol=0.02, atol=1e-3)
    np.testing.assert_allclose(variance[0], drawn.var(axis=0), rtol=0.05)


def test_the_variance_of_a_large_sure_value_is_not_lost_in_rounding() -> None:
    scales = Scales(1)
    mean, variance = scales.moments(torch.tensor([[[12.0, np.log(1e-8)]]]))
    assert (variance.sqrt() / mean).item() == pytest.approx(1e-4, rel=1e-3)


def test_a_network_that_knows_nothing_gives_finite_moments() -> None:
    mean, variance = learnt().moments(torch.tensor([[[4.0, 50.0]] * 2]))
    assert torch.isfinite(variance).all()
    assert torch.isfinite(mean).all()


def test_bounds_are_small_differences() -> None:
    scales, values, step = learnt(), torch.tensor([[20.0, 0.3]], dtype=torch.float64), 1e-4
    scales = scales.double()
    wanted = (scales(values + step) - scales(values - step)) / 2 / step
    torch.testing.assert_close(scales.bounds(values, torch.ones_like(values)), wanted, rtol=1e-6, atol=0)


def test_a_quantity_that_is_always_the_same_is_scaled_too() -> None:
    scales = Scales(1)
    scales.learn(torch.full((10, 1), 3.0), softness=torch.ones(1))
    assert torch.isfinite(scales(torch.tensor([[3.0]]))).all()


PLAN = SpectralPlan(members=2, width=4, hidden=16, signature=8)


class Says(nn.Module):
    """Always the same mean and log variance of two quantities."""

    def __init__(self, mean: float, log_variance: float) -> None:
        super().__init__()
        self.estimates = torch.tensor([[mean, log_variance]] * 2)

    def forward(self, spectra: torch.Tensor) -> Estimates:
        return Estimates(self.estimates.expand(len(spectra), 2, 2), spectra[:, 0, 0, :3])


def test_the_mean_is_given_with_variance_within_and_between() -> None:
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
    wanted = network.novelty(spectra[:, 0, 0, :3], squeezed(spectra))
    torch.testing.assert_close(network(spectra).novelty, wanted)


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
