"""cCNN: classes of spectra are separated by networks that saw simulated ones alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hepatica.learn import Arrays, infer, load_weights, save_weights
from hepatica.networks import Reading
from hepatica.spectroscopy.networks.ccnn import Ccnn, build_ccnn, labelled, made, settle, train_ccnn
from hepatica.spectroscopy.networks.network_input import as_complex, norm
from hepatica.spectroscopy.networks.novelty import squeezed
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.simulation.simulated_samples import HELD_OUT, SimulatedSamples

UNTRAINED = SpectralPlan(members=2, width=4, hidden=16, signature=8)


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
    wanted = network.novelty(spectra[:, 0, 0, :3], squeezed(spectra))
    torch.testing.assert_close(network(spectra).novelty, wanted)


def test_temperature_and_cutoff_are_saved_with_the_weights(tmp_path) -> None:
    network = build_ccnn(UNTRAINED).eval()
    network.temperature.fill_(1.5)
    network.cutoff.fill_(0.123456789012345)
    save_weights(network, tmp_path / "w.safetensors")
    other = load_weights(build_ccnn(UNTRAINED), tmp_path / "w.safetensors").eval()
    spectra = torch.randn(3, 2, 1, UNTRAINED.model.ppm.size)
    assert torch.equal(network(spectra).logits, other(spectra).logits)
    assert float(other.cutoff) == 0.123456789012345


PLAN = SpectralPlan(
    members=2, width=4, hidden=48, signature=16, per_epoch=1024, epochs=4, batch=64, held_out=512, effects="of_model"
)


@pytest.fixture(scope="module")
def classes() -> list[SimulatedSamples]:
    """Few and many lipids: plainly two kinds."""
    priors = read_priors()
    fat = priors.concentrations.fat
    lean, fatty = (
        replace(
            priors,
            concentrations=replace(
                priors.concentrations, fat=replace(fat, pdff_percent=replace(fat.pdff_percent, low=low, high=high))
            ),
        )
        for low, high in ((0.3, 3.0), (2.0, 20.0))
    )
    return [
        SimulatedSamples(priors=each, model=PLAN.model, seed=seed, effects=PLAN.simulated)
        for seed, each in enumerate((lean, fatty))
    ]


def test_classes_take_turns_and_spectra_have_a_norm_of_1(classes) -> None:
    images, label = made(np.arange(10, 40), classes=classes)
    assert label.tolist() == [0, 1] * 15
    np.testing.assert_allclose(norm(as_complex(images)), 1, rtol=1e-5)
    alone = made(np.array([17]), classes=classes)
    np.testing.assert_array_equal(alone[0][0], images[7])
    values = classes[1].at(np.array([8])).values
    np.testing.assert_allclose(as_complex(images[7:8]), values / norm(values)[:, None], rtol=1e-5)


def test_other_classes_are_other_samples(classes) -> None:
    one, other = labelled(classes, count=10), labelled([each.other(1) for each in classes], count=10)
    assert one.digest != other.digest
    assert one.__getitems__([0, 1])[1].tolist() == [0, 1]


def test_it_tells_simulated_classes_apart_that_it_has_not_seen(classes, tmp_path) -> None:
    network = build_ccnn(PLAN)
    summary = train_ccnn(network, classes, PLAN, folder=tmp_path, trainer={"accelerator": "cpu"})
    images, label = made(np.arange(400), classes=[each.other(77) for each in classes])
    score = infer(network, Arrays(values=images), batch=256, label="test", outputs=lambda read: read.logits.softmax(1))
    called = score[:, 1] >= float(network.cutoff)
    strange = infer(network, Arrays(values=images), batch=256, label="test", outputs=lambda read: read.novelty)
    assert (strange > 1).mean() < 0.05
    assert called[label == 1].mean() > 0.75
    assert (~called)[label == 0].mean() > 0.75
    assert summary["simulated training spectra per member"] == 4 * 1024
    assert float(summary["AUROC of these spectra"]) > 0.85


class Sees(nn.Module):
    """Log-odds are the first real point, times `sureness`."""

    def __init__(self, sureness: float) -> None:
        super().__init__()
        self.sureness = sureness

    def forward(self, spectra: Tensor) -> Reading:
        odds = self.sureness * spectra[:, 0, 0, 0]
        return Reading(torch.stack([torch.zeros_like(odds), odds], dim=1), spectra[:, 0, 0, :2])


def separable(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Images whose first real point is their log-odds."""
    rng = np.random.default_rng(0)
    label = np.arange(count) % 2
    odds = 2 * rng.normal(size=count) + np.where(label, 2, -2)  # of two normals, 4 apart with a variance of 4
    images = rng.normal(scale=0.1, size=(count, 1, 12, 2)).astype(np.float32)
    images[:, 0, 0, 0] = odds
    return images, label


@pytest.mark.parametrize("sureness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_how_sure_the_networks_are(sureness: float) -> None:
    images, label = separable()
    network = Ccnn([Sees(sureness)], signature=2, points=12)
    summary = settle(network, images, label=label)
    assert float(network.temperature) == pytest.approx(sureness, rel=0.1)
    assert float(network.cutoff) == pytest.approx(0.5, abs=0.05)
    assert summary["temperature"] == f"{float(network.temperature):.3f}"


def test_no_temperature_is_best_where_all_are_right_or_none_is_known() -> None:
    images, label = separable(200)
    perfect = Ccnn([Sees(1.0)], signature=2, points=12)
    images[:, 0, 0, 0] = np.where(label, 5, -5)
    assert "1 (temperature: every case is right" in settle(perfect, images, label=label)["temperature"]
    assert float(perfect.temperature) == 1
    assert 0 < float(perfect.cutoff) < 1


def test_held_out_spectra_are_no_member_s(classes) -> None:
    names = {each.other(stream).name for each in classes for stream in (0, 1, 2, HELD_OUT)}
    assert len(names) == 8
