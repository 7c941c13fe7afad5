"""Scales: from quantities of any size and range to numbers of a spread near 1, and from what a network says of these
back to means and variances of the quantities.
"""

import torch
from torch import Tensor, nn

LARGEST_VARIANCE = 2.0
"""Of a squeezed quantity (ours): a network that knows nothing says no more than this, so that moments are finite."""

FARTHEST = 5.0
"""Spreads from the centre beyond which nothing is believed (ours): a strange spectrum must not give infinity."""


class Scales(nn.Module):
    """u = (asinh(x / softness) - centre) / spread, for each of k quantities x.

    asinh is straight below `softness` and a logarithm above it: with a softness near its Cramer-Rao bound, a quantity
    is learnt in absolute terms where it drowns in noise and in relative terms where it does not.
    """

    softness: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, quantities: int) -> None:
        super().__init__()
        self.register_buffer("softness", torch.ones(quantities))
        self.register_buffer("centre", torch.zeros(quantities))
        self.register_buffer("spread", torch.ones(quantities))

    def learn(self, values: Tensor, *, softness: Tensor) -> None:
        """Take the softness (k,) as given, centre and spread from values (n, k)."""
        squeezed = torch.asinh(values.double() / softness.double())
        self.softness.copy_(softness)
        self.centre.copy_(squeezed.mean(dim=0))
        self.spread.copy_(squeezed.std(dim=0).clamp(min=torch.finfo(torch.float32).eps))

    def forward(self, values: Tensor) -> Tensor:
        """(…, k) quantities to what a network learns."""
        return (torch.asinh(values / self.softness) - self.centre) / self.spread

    def bounds(self, values: Tensor, sd: Tensor) -> Tensor:
        """(…, k) standard deviations of what a network learns, of small ones `sd` of quantities (…, k)."""
        return sd / (self.spread * (values**2 + self.softness**2).sqrt())

    def moments(self, estimates: Tensor) -> tuple[Tensor, Tensor]:
        """Means and variances (…, k) of quantities, of means and log variances (…, k, 2) of what a network learns.

        Exact for a normal distribution there: E sinh(m + z s) = sinh(m) e^(s²/2), and Var likewise in a form without
        differences of large numbers.
        """
        mean = self.centre + self.spread * estimates[..., 0].clamp(-FARTHEST, FARTHEST)
        variance = (self.spread**2 * estimates[..., 1].exp()).clamp(max=LARGEST_VARIANCE)
        sinh, grown = torch.sinh(mean), variance.exp()
        spread = torch.expm1(2 * variance) / 2 + grown * torch.expm1(variance) * sinh**2
        return self.softness * sinh * (variance / 2).exp(), self.softness**2 * spread
