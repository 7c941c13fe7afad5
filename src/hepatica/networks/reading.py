"""Reading: what a classifier says of each image, and its own description of it."""

from typing import NamedTuple

from torch import Tensor


class Reading(NamedTuple):
    """(b, classes) logits and the (b, d) signature that they were computed from."""

    logits: Tensor
    signature: Tensor
