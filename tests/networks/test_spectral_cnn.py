"""Spectral CNN: outputs, size, and that it sees peaks against the noise."""

import pytest
import torch
from einops import rearrange
from torch import Tensor

from hepatica.cohort.errors import SettingsError
from hepatica.networks import SpectralBody, SpectralClassifier, SpectralEstimator
from hepatica.networks.spectral_cnn import RELATIVE, TwoScales


def body(points: int = 249) -> SpectralBody:
    torch.manual_seed(0)
    return SpectralBody(points=points, width=8, depth=1, hidden=64, signature=32, dropout=0.0).eval()


def spectra(count: int = 3, points: int = 249) -> Tensor:
    return torch.randn(count, 2, 1, points, generator=torch.Generator().manual_seed(1))


def test_the_usual_size_has_half_a_million_parameters_or_little_more() -> None:
    whole = SpectralEstimator(
        SpectralBody(points=249, width=16, depth=1, hidden=384, signature=256, dropout=0.0),
        signature=256,
        targets=25,
    )
    assert sum(each.numel() for each in whole.parameters()) == pytest.approx(650_000, rel=0.1)


def test_estimates_are_a_mean_and_a_log_variance_of_each_target() -> None:
    found = SpectralEstimator(body(), signature=32, targets=4)(spectra())
    assert found.estimates.shape == (3, 4, 2)
    assert found.signature.shape == (3, 32)


def test_logits_are_one_a_class() -> None:
    found = SpectralClassifier(body(), signature=32)(spectra())
    assert found.logits.shape == (3, 2)
    assert found.signature.shape == (3, 32)


def test_depth_and_width_are_settings() -> None:
    fixed = {"points": 100, "signature": 32, "dropout": 0.0}
    bodies = [SpectralBody(width=w, depth=d, hidden=h, **fixed) for w, d, h in ((8, 1, 64), (8, 2, 64), (16, 1, 64))]
    sizes = [sum(each.numel() for each in body.parameters()) for body in bodies]
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize("points", [17, 248, 249])
def test_any_number_of_points_can_be_read_but_no_other_than_was_built_for(points: int) -> None:
    assert body(points)(spectra(points=points)).shape == (3, 32)
    with pytest.raises(SettingsError, match=rf"wanted \(2, 1, {points}\)"):
        body(points)(spectra(points=points + 1))


@pytest.mark.parametrize("noise", [0.01, 1.0, 300.0])
def test_values_come_in_units_of_their_noise_and_of_their_highest_point(noise: float) -> None:
    ppm = torch.linspace(0.4, 4.2, 249)
    peak = 1000 * noise / (1 + ((ppm - 1.3) / 0.1) ** 2)  # 0.2 ppm wide: a lipid
    scaled, units = TwoScales()(peak + noise * spectra(200))
    assert scaled.shape == (200, 4, 1, 249)
    assert units[:, 0].exp().mean().item() == pytest.approx(noise, rel=0.05)
    assert units[:, 1].exp().mean().item() == pytest.approx(1000 * noise, rel=0.01)
    assert scaled[:, :2, 0, 200:].std().item() == pytest.approx(torch.asinh(torch.tensor(1.0)).item(), rel=0.3)
    assert scaled[:, :2].amax().item() == pytest.approx(torch.asinh(torch.tensor(1000.0)).item(), rel=0.05)
    assert scaled[:, 2:].amax().item() == pytest.approx(RELATIVE)


def test_a_spectrum_of_zeros_gives_numbers() -> None:
    assert torch.isfinite(body()(torch.zeros(1, 2, 1, 249))).all()


def test_where_a_peak_stands_matters() -> None:
    left = torch.zeros(1, 2, 1, 249)
    left[..., 60] = 5.0
    assert not torch.allclose(body()(left + 1e-3 * spectra(1)), body()(left.roll(80, -1) + 1e-3 * spectra(1)))


def lined() -> tuple[SpectralEstimator, Tensor, Tensor]:
    """An estimator with lines, 1000 spectra of one peak each, and two targets: the peak's logarithm and pure chance."""
    generator = torch.Generator().manual_seed(2)
    height = 100 * torch.exp(torch.randn(1000, generator=generator))
    shape = torch.exp(-((torch.linspace(0.4, 4.2, 249) - 1.3) ** 2) / 0.02)
    made = rearrange(height, "n -> n 1 1 1") * shape + spectra(1000)
    targets = torch.stack([height.log() - height.log().mean(), torch.randn(1000, generator=generator)], dim=1)
    torch.manual_seed(0)
    estimator = SpectralEstimator(body(), signature=32, targets=2).eval()
    estimator.draw_line(made[:900], targets[:900])
    return estimator, made[900:], targets[900:]


def test_what_is_a_straight_line_need_not_be_learnt() -> None:
    estimator, made, targets = lined()
    with torch.no_grad():
        estimator.estimate.weight.zero_()
        estimator.estimate.bias.zero_()
        found = estimator(made).estimates
    assert (found[:, 0, 0] - targets[:, 0]).std().item() < 0.1
    assert found[:, 0, 1].exp().sqrt()[0].item() == pytest.approx(estimator.rest[0].item(), rel=1e-4)


def test_what_no_line_explains_has_none() -> None:
    estimator, _, _ = lined()
    assert (estimator.line[:, 1] == 0).all()
    assert estimator.rest[1].item() == 1
    assert (estimator.line[:, 0] != 0).any()
    assert estimator.rest[0].item() < 0.2


def test_the_network_learns_the_rest_in_units_of_its_spread() -> None:
    estimator, made, _ = lined()
    means = []
    with torch.no_grad():
        estimator.estimate.weight.zero_()
        for bias in (0.0, 1.0):
            estimator.estimate.bias.fill_(bias)
            means.append(estimator(made).estimates[..., 0])
    torch.testing.assert_close(means[1] - means[0], estimator.rest.expand(100, 2))
