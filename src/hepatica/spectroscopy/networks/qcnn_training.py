"""QCNN training: on simulated spectra, then calibrated on others that the networks did not learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hepatica.learn import Arrays, Fresh, infer, likelihood_and_bound
from hepatica.learn.images import as_network_input
from hepatica.spectroscopy.fitting.bounds import crlb
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.networks.network_input import as_complex, as_network_values, norm
from hepatica.spectroscopy.networks.novelty import squeezed
from hepatica.spectroscopy.networks.qcnn import Qcnn, Scales
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.simulation.simulated_samples import HELD_OUT, STRAIGHT_PARTS, Drawn, SimulatedSamples

Z = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""

COVERED = 0.95

FARTHEST_Z = 4.0
"""Standardised errors beyond which correlation is not asked (ours): a few wild ones would make all of it."""

READ_AT_ONCE = 256


def calibrate(network: Qcnn, images: NDArray[np.float32], *, truth: NDArray[Any]) -> None:
    """Set, in place, the factor of each standard deviation, the correlation of errors, and the reference of novelty.

    `images` (n, 1, w, 2) are held-out spectra and `truth` (n, k + 5) what they are made of. The factor makes the
    smallest interval that covers the truth of 95 % of n and one more (split conformal).
    """
    _set(network.widening, np.ones(len(network.widening)))
    value, sd, _, signature = infer(network, Arrays(values=images), batch=READ_AT_ONCE, label="calibrating")
    z = (np.asarray(truth, float) - value) / sd
    rank = min(COVERED * (len(z) + 1) / len(z), 1.0)
    widening = np.quantile(np.abs(z), rank, axis=0, method="higher") / Z
    clipped = np.clip(z / widening, -FARTHEST_Z, FARTHEST_Z)
    _set(network.widening, widening)
    _set(network.correlation, np.corrcoef(clipped.T))
    _set(network.norm, np.median(norm(as_complex(images))))
    network.novelty.learn(signature, squeezed(as_network_input(torch.from_numpy(images))).numpy())


def _set(buffer: torch.Tensor, values: Any) -> None:
    buffer.copy_(torch.as_tensor(np.asarray(values, np.float32)))


Floats = NDArray[np.float64]

LINED = 16_384
"""Simulated spectra that the straight parts are fitted to (ours)."""

BOUNDED = 256
"""Simulated spectra of which exact bounds are computed to scale the targets (ours)."""

STRAIGHT = 1e3
"""Softness of shifts, widths and phases in standard deviations: they are learnt as they are."""

SHARED_BOUND = 0.1
"""Bound put on shifts, widths and phases in units of their spread (ours): they serve as a start, not as results."""


@dataclass(frozen=True, kw_only=True)
class QcnnPlan(SpectralPlan):
    """A qCNN's training; the loss is Gaussian likelihood plus `bound_share` halves of the error in units of its bound.

    An error of more than `most_bounds` bounds counts in proportion.
    """

    bound_share: float = 0.01  # ours; weight in the loss of the error in units of the Cramér-Rao bound
    most_bounds: float = 3.0  # ours; error in bounds beyond which this term grows linearly


def train_qcnn(
    network: Qcnn, samples: SimulatedSamples, plan: QcnnPlan, *, folder: Path, trainer: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Fit the members in place, each on its own stream of `samples`, and calibrate; returns a summary for reports.

    No spectrum is seen twice, so the loss of training is that of spectra not seen before. Goes on in `folder` where it
    was stopped. Raises what `learn.fit` raises.
    """
    unseen = samples.other(HELD_OUT).at(np.arange(plan.held_out))
    bound = scale_targets(network.scales, unseen, model=samples.model)
    draw_lines(network, samples.other(STRAIGHT_PARTS).at(np.arange(LINED)))
    streams = [
        fresh(samples.other(number), scales=network.scales, bound=bound, count=plan.per_epoch)
        for number in range(plan.members)
    ]
    loss = likelihood_and_bound(share=plan.bound_share, most=plan.most_bounds)
    summary = plan.fit(network.members, streams, name="qCNN", folder=folder, trainer=trainer, loss=loss)
    calibrate(network, as_network_values(unseen.values), truth=unseen.truth)
    return summary | {"simulated spectra that calibrated": plan.held_out}


def draw_lines(network: Qcnn, drawn: Drawn) -> None:
    """Give every member the straight part of what it is to learn; the line is the same for all."""
    spectra = as_network_input(torch.from_numpy(as_network_values(drawn.values)))
    wanted = network.scales(torch.from_numpy(drawn.truth).float())
    members: Any = network.members
    for member in members:
        member.draw_line(spectra, wanted)


def scale_targets(scales: Scales, drawn: Drawn, *, model: SignalModel) -> Floats:
    """Set the scales by simulated spectra; returns the Cramer-Rao bounds (k,) of concentrations at a noise of 1.

    These are medians over the first BOUNDED spectra: bounds grow with the noise exactly, with all else less. A
    concentration's softness is its median bound, its standard deviation at most.
    """
    truth, noise_sd = drawn.truth[:BOUNDED], drawn.noise_sd[:BOUNDED]
    least = crlb(parameters_of(truth), model=model, noise_sd=noise_sd).sd
    spread = drawn.truth.std(axis=0)
    softness = STRAIGHT * spread
    k = least.shape[1]
    softness[:k] = np.minimum(np.median(least, axis=0), spread[:k])
    scales.learn(torch.from_numpy(drawn.truth), softness=torch.from_numpy(softness).float())
    return np.asarray(np.median(least / noise_sd[:, None], axis=0))


def parameters_of(truth: Floats) -> Floats:
    """The signal model's vectors (n, 2 k + 5) of concentrations and SHARED (n, k + 5), no component shifted alone."""
    k = truth.shape[1] - len(SHARED)
    return np.concatenate([truth[:, :k], np.zeros((len(truth), k)), truth[:, k:]], axis=1)


def fresh(samples: SimulatedSamples, *, scales: Scales, bound: Floats, count: int) -> Fresh:
    """`count` spectra an epoch with their targets."""
    return Fresh(make=partial(_made, samples=samples, scales=scales, bound=bound), count=count, name=samples.name)


def _made(
    numbers: NDArray[np.int64], *, samples: SimulatedSamples, scales: Scales, bound: Floats
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    drawn = samples.at(numbers)
    return as_network_values(drawn.values), targets(drawn, scales=scales, bound=bound)


def targets(drawn: Drawn, *, scales: Scales, bound: Floats) -> NDArray[np.float32]:
    """(n, k + 5, 2) what a network learns, and the least standard deviation it can have of it.

    That is the Cramer-Rao bound together with the prior's spread, which is 1: of a normal prior, the Bayesian bound.
    """
    k = len(bound)
    truth = torch.from_numpy(drawn.truth).float()
    least = torch.full_like(truth, SHARED_BOUND)
    sd = torch.from_numpy(bound * drawn.noise_sd[:, None]).float()
    least[:, :k] = scales.bounds(truth, torch.nn.functional.pad(sd, (0, len(SHARED))))[:, :k]
    least = least / (1 + least**2).sqrt()
    return torch.stack([scales(truth), least], dim=-1).numpy()
