"""Losses: what a training makes small."""

from collections.abc import Callable
from functools import partial

from torch import Tensor
from torch.nn.functional import cross_entropy

from hepatica.cohort.errors import SettingsError

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (b, classes) and labels (b,) to one number."""


def cross_entropy_of_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy that is given probabilities for logits, so that a second softmax holds it above zero.

    A mistake made often enough to be worth a name: with two classes it lies between log(1 + 1/e) = 0.313 and
    log(1 + e) = 1.313, however sure and right the network is.
    """
    return cross_entropy(logits.softmax(dim=1), labels)


def smoothed_cross_entropy(smoothing: float) -> Loss:
    """Cross-entropy to labels of which a share `smoothing` is spread evenly over all classes (label smoothing).

    Raises SettingsError where it is not in [0, 1).
    Source: Szegedy et al., CVPR 2016, arXiv 1512.00567, section 7.
    """
    if not 0 <= smoothing < 1:
        raise SettingsError(f"label smoothing must be in [0, 1), not {smoothing}.")
    return partial(cross_entropy, label_smoothing=smoothing)
