"""Losses: what a training makes small."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (b, classes) and labels (b,) to one number."""


def cross_entropy_of_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy that is given probabilities for logits, so that a second softmax holds it above zero.

    A mistake made often enough to be worth a name: with two classes it lies between log(1 + 1/e) = 0.313 and
    log(1 + e) = 1.313, however sure and right the network is.
    """
    return cross_entropy(logits.softmax(dim=1), labels)
