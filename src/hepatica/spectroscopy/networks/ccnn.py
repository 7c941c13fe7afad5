"""cCNN: an ensemble that classifies spectra, trained on simulated spectra of each class alone."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn

from hepatica.cohort import EvaluationError
from hepatica.evaluate import auroc, fit_temperature
from hepatica.evaluate.binary.confusion import balanced_cutoff
from hepatica.learn import Arrays, Fresh, infer
from hepatica.learn.images import as_network_input
from hepatica.networks import SpectralClassifier
from hepatica.spectroscopy.networks.network_input import as_network_values, norm
from hepatica.spectroscopy.networks.novelty import Novelty, squeezed
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.simulation.simulated_samples import HELD_OUT, SimulatedSamples


class Classified(NamedTuple):
    """Logits (b, 2) and signature (b, d); `novelty` (b,) of the spectrum is above 1 where hardly
    one of the training spectra was as novel. Tensors, or the arrays that `learn.infer` makes of them.
    """

    logits: Any
    signature: Any
    novelty: Any


class Ccnn(nn.Module):
    """An ensemble that reads (b, 2, 1, w) spectra: the mean of its members' logits, divided by one temperature.

    `cutoff` is the probability of the second class from which on a spectrum is called so. Both are kept and locked with
    the weights.
    """

    temperature: Tensor
    cutoff: Tensor

    def __init__(self, members: Sequence[SpectralClassifier], *, signature: int, points: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.novelty = Novelty(signature=signature, features=2 * points)
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("cutoff", torch.tensor(0.5, dtype=torch.float64))

    def forward(self, spectra: Tensor) -> Classified:
        """Classify a batch; the signature is the first member's."""
        answers = [member(spectra) for member in self.members]
        logits = torch.stack([each.logits for each in answers]).mean(dim=0) / self.temperature
        signature = answers[0].signature
        return Classified(logits, signature, self.novelty(signature, squeezed(spectra)))


def build_ccnn(plan: SpectralPlan) -> Ccnn:
    """The untrained networks; the same from one seed."""
    members = [SpectralClassifier(body, signature=plan.signature) for body in plan.bodies()]
    return Ccnn(members, signature=plan.signature, points=plan.model.ppm.size)


READ_AT_ONCE = 256


def train_ccnn(
    network: Ccnn,
    classes: Sequence[SimulatedSamples],
    plan: SpectralPlan,
    *,
    folder: Path,
    trainer: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fit the members in place to separate the second of two `classes` from the first, as many spectra of each.

    Then one temperature makes the held-out simulated spectra likeliest, and the cut-off balances sensitivity and
    specificity in them; no patient's spectrum is used. Returns a summary for reports. Goes on in `folder` where it
    was stopped. Raises what `learn.fit` raises.
    """
    streams = [labelled([each.other(k) for each in classes], count=plan.per_epoch) for k in range(plan.members)]
    summary = plan.fit(network.members, streams, name="cCNN", folder=folder, trainer=trainer)
    spectra, label = made(np.arange(plan.held_out), classes=[each.other(HELD_OUT) for each in classes])
    calibrated = settle(network, spectra, label=label)
    return summary | {"simulated spectra that fixed temperature and cut-off": plan.held_out} | calibrated


def settle(network: Ccnn, spectra: NDArray[np.float32], *, label: NDArray[np.int64]) -> dict[str, Any]:
    """Set temperature, cut-off and novelty, in place, by simulated spectra (n, 1, w, 2) of known class (n,).

    The temperature stays 1 where none is best, because every spectrum is called rightly or no better than by chance.
    """
    network.temperature.fill_(1.0)
    logits, signature, _ = infer(network, Arrays(values=spectra), batch=READ_AT_ONCE, label="calibrating")
    network.novelty.learn(signature, squeezed(as_network_input(torch.from_numpy(spectra))).numpy())
    try:
        network.temperature.fill_(fit_temperature(label, logits=logits))
        stated = f"{float(network.temperature):.3f}"
    except EvaluationError as error:
        stated = f"1 ({error})"
    score = softmax(logits / float(network.temperature), axis=1)[:, 1]
    network.cutoff.copy_(torch.tensor(balanced_cutoff(label, score=score)))
    found = auroc(label, score=score)
    return {"temperature": stated, "AUROC of these spectra": f"{found.value:.3f}"}


def labelled(classes: Sequence[SimulatedSamples], *, count: int) -> Fresh:
    """`count` spectra an epoch, of the classes in turn, with the class of each."""
    return Fresh(make=partial(made, classes=classes), count=count, name=" ".join(each.name for each in classes))


def made(
    numbers: NDArray[np.int64], *, classes: Sequence[SimulatedSamples]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Spectra (n, 1, w, 2) by their numbers and the class (n,) of each: the remainder of the number by the classes.

    Each is divided by its norm, as `SpectraStore.read` does.
    """
    label = numbers % len(classes)
    images = np.empty((len(numbers), 1, classes[0].model.ppm.size, 2), np.float32)
    for place, samples in enumerate(classes):
        own = label == place
        if own.any():
            # In double precision, so that the last bit does not depend on the batch.
            values = samples.at(numbers[own] // len(classes)).values.astype(np.complex128)
            images[own] = as_network_values(values / norm(values)[:, None])
    return images, label
