"""Calibration: intervals of a network that is too sure, and of one that is not sure enough, come to hold 95 %."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hepatica.learn import Arrays, infer
from hepatica.networks import Estimates
from hepatica.spectroscopy.fitting.signal_model import SHARED
from hepatica.spectroscopy.networks.network_input import as_network_values
from hepatica.spectroscopy.networks.qcnn import Measured, Qcnn, Scales
from hepatica.spectroscopy.networks.qcnn_training import (
    SHARED_BOUND,
    calibrate,
    fresh,
    parameters_of,
    scale_targets,
    targets,
)

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
    strange = network(torch.from_numpy(images).permute(0, 3, 1, 2)).novelty
    assert 0.004 < (strange > 1).float().mean().item() < 0.02
    assert network(far).novelty[1] > 3


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


K = 20


def test_a_trained_network_beats_the_prior_and_its_intervals_hold(trained_qcnn) -> None:
    drawn = trained_qcnn.samples.other(9).at(np.arange(500))
    found = Measured(
        *infer(trained_qcnn.network, Arrays(values=as_network_values(drawn.values)), batch=256, label="test")
    )
    error, spread = found.value - drawn.truth, drawn.truth.std(axis=0)
    names = trained_qcnn.plan.model.names
    lipids = [names.index(name) for name in ("Lip09", "Lip13", "Lip16", "Lip21")]
    assert (np.sqrt((error[:, lipids] ** 2).mean(axis=0)) < 0.8 * spread[lipids]).all()
    held = (np.abs(error) < 1.96 * found.sd).mean(axis=0)
    assert 0.92 < held.mean() < 0.98
    assert held.min() > 0.88
    assert (found.novelty > 1).mean() < 0.05


def test_it_tells_how_much_it_learnt_from(trained_qcnn) -> None:
    assert trained_qcnn.summary["simulated training spectra per member"] == 3 * 2048
    assert trained_qcnn.summary["simulated spectra that calibrated"] == 640
    assert len(trained_qcnn.summary["loss of each member"].split(", ")) == 2


def test_members_learn_from_spectra_of_their_own(trained_qcnn) -> None:
    one, two = trained_qcnn.network.members
    assert not torch.equal(one.estimate.weight, two.estimate.weight)


def test_a_stopped_or_finished_training_is_gone_on_with(trained_qcnn, tmp_path) -> None:
    from dataclasses import replace

    from hepatica.spectroscopy.networks.qcnn import build_qcnn
    from hepatica.spectroscopy.networks.qcnn_training import train_qcnn

    plan = replace(trained_qcnn.plan, members=1, per_epoch=256, epochs=1, warmup_epochs=0, held_out=128)
    networks = [build_qcnn(plan) for _ in range(2)]
    for network in networks:
        train_qcnn(network, trained_qcnn.samples, plan, folder=tmp_path, trainer={"accelerator": "cpu"})
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_targets_are_scaled_truths_and_bounds_between_nothing_and_the_prior(trained_qcnn) -> None:
    drawn = trained_qcnn.samples.at(np.arange(256))
    scales = Scales(K + len(SHARED))
    bound = scale_targets(scales, drawn, model=trained_qcnn.samples.model)
    made = targets(drawn, scales=scales, bound=bound)
    assert made.shape == (256, K + len(SHARED), 2)
    np.testing.assert_allclose(made[..., 0].std(axis=0, ddof=1), 1, rtol=1e-3)
    assert (made[..., 1] > 0).all()
    assert (made[..., 1] < 1).all()
    np.testing.assert_allclose(made[:, K:, 1], SHARED_BOUND / np.sqrt(1 + SHARED_BOUND**2), rtol=1e-5)
    names = trained_qcnn.plan.model.names
    median = np.median(made[:, :K, 1], axis=0)
    assert median[names.index("Lip13")] < 0.1 < median[names.index("Lac")]  # Lac drowns under Lip13


def test_fresh_spectra_are_made_by_their_numbers(trained_qcnn) -> None:
    network, simulated = trained_qcnn.network, trained_qcnn.samples
    samples = fresh(simulated, scales=network.scales, bound=np.ones(K), count=100)
    assert len(samples) == 100
    inputs, wanted = samples.__getitems__([4, 250])
    np.testing.assert_array_equal(inputs, as_network_values(simulated.at(np.array([4, 250])).values))
    assert wanted.shape == (2, K + len(SHARED), 2)


def test_parameters_have_no_shift_of_a_component_alone() -> None:
    truth = np.arange(25.0)[None]
    vector = parameters_of(truth)
    assert vector.shape == (1, 45)
    np.testing.assert_array_equal(vector[0, :20], truth[0, :20])
    assert (vector[0, 20:40] == 0).all()
    np.testing.assert_array_equal(vector[0, 40:], truth[0, 20:])
