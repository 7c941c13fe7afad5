"""Pooled: a convolutional body with its feature map averaged and one linear layer, the plainest image classifier."""

from einops import reduce
from torch import Tensor, nn

from hepatica.networks.normalise import Normalise
from hepatica.networks.reading import Reading


class Pooled(nn.Module):
    """(b, 3, h, w) images in 0..1 to (b, classes) logits; `body` ends in `channels` feature maps of any size.

    The signature of an image is the mean of each feature map.
    """

    def __init__(self, body: nn.Module, *, channels: int, classes: int = 2) -> None:
        super().__init__()
        self.normalise = Normalise()
        self.body = body
        self.classify = nn.Linear(channels, classes)

    def forward(self, images: Tensor) -> Reading:
        """Classify a batch."""
        signature = reduce(self.body(self.normalise(images)), "b c h w -> b c", "mean")
        return Reading(self.classify(signature), signature)
