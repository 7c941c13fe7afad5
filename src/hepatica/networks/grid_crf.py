"""Grid CRF: neighbouring patches that look alike are given like labels, by a fully connected conditional random field.

NCRF: Li and Ping, MIDL 2018, arXiv 1806.07064, whose patches are the nine of a 3 x 3 grid.
"""

import torch
from einops import rearrange
from torch import Tensor, nn


class GridCrf(nn.Module):
    """Mean field: a patch's log-odds are its own plus, over all patches of the grid j (itself included, as in NCRF),
    w_ij cos(f_i, f_j) (2 p_j - 1), where p_j is the probability of j by the log-odds of the round before. The weights
    w are symmetric, learnt, and 0 at first. Patches that are absent say nothing (ours).
    """

    def __init__(self, patches: int = 9, *, rounds: int = 10) -> None:
        super().__init__()
        self.rounds = rounds
        self.weight = nn.Parameter(torch.zeros(patches, patches))

    def forward(self, features: Tensor, own: Tensor, there: Tensor) -> Tensor:
        """Features (b, n, d), log-odds (b, n) of each patch alone, and which are there (b, n) to log-odds (b, n)."""
        unit = nn.functional.normalize(features, dim=2)
        likeness = torch.einsum("bid,bjd->bij", unit, unit)
        potential = likeness * (self.weight + self.weight.T) / 2 * there[:, None]
        logits = own
        for _ in range(self.rounds):
            logits = own + torch.einsum("bij,bj->bi", potential, 2 * logits.sigmoid() - 1)
        return logits


class GridNetwork(nn.Module):
    """Grids {rows: (b, n, c, h, w), mask: (b, n)} to log-odds (b, n): `alone` gives each patch's `Reading` of one
    logit, `crf` sees the grid.
    """

    def __init__(self, alone: nn.Module, crf: GridCrf) -> None:
        super().__init__()
        self.alone, self.crf = alone, crf

    def forward(self, grid: dict[str, Tensor]) -> Tensor:
        """Classify the patches of a batch of grids; an absent patch gets log-odds without meaning."""
        read = self.alone(rearrange(grid["rows"], "b n ... -> (b n) ..."))
        own, seen = (
            rearrange(each, "(b n) d -> b n d", n=grid["mask"].shape[1]) for each in (read.logits, read.signature)
        )
        answer: Tensor = self.crf(seen, own[..., 0], grid["mask"])
        return answer
