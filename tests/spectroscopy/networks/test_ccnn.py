"""cCNN: logits of the members averaged and divided by one temperature; all in one file."""

import torch
from torch import nn

from hepatica.learn import load_weights, save_weights
from hepatica.networks import Reading
from hepatica.spectroscopy.networks.ccnn import Ccnn, build_ccnn
from hepatica.spectroscopy.networks.novelty import squeezed
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan

PLAN = SpectralPlan(members=2, width=4, hidden=16, signature=8)


class Says(nn.Module):
    """Always the same logits."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor([logits])

    def forward(self, spectra: torch.Tensor) -> Reading:
        return Reading(self.logits.expand(len(spectra), -1), spectra[:, 0, 0, :3])


def test_logits_are_the_mean_over_the_temperature() -> None:
    network = Ccnn([Says(0.0, 2.0), Says(1.0, 5.0)], signature=3, points=9)
    network.temperature.fill_(2.0)
    found = network(torch.ones(3, 2, 1, 9))
    assert found.logits.tolist() == [[0.25, 1.75]] * 3
    assert found.signature.shape == (3, 3)


def test_strangeness_is_that_of_signature_and_squeezed_spectrum() -> None:
    network = Ccnn([Says(0.0, 2.0)], signature=3, points=9)
    spectra = torch.randn(4, 2, 1, 9, generator=torch.Generator().manual_seed(0))
    wanted = network.usual(spectra[:, 0, 0, :3], squeezed(spectra))
    torch.testing.assert_close(network(spectra).strangeness, wanted)


def test_temperature_and_cutoff_are_saved_with_the_weights(tmp_path) -> None:
    network = build_ccnn(PLAN).eval()
    network.temperature.fill_(1.5)
    network.cutoff.fill_(0.123456789012345)
    save_weights(network, tmp_path / "w.safetensors")
    other = load_weights(build_ccnn(PLAN), tmp_path / "w.safetensors").eval()
    spectra = torch.randn(3, 2, 1, PLAN.model.ppm.size)
    assert torch.equal(network(spectra).logits, other(spectra).logits)
    assert float(other.cutoff) == 0.123456789012345
