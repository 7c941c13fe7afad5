"""Multiple instance: one answer for a bag of rows, such as the tiles of a patient, from rows whose own is unknown.

A judge takes rows (b, n, d) and a mask (b, n), 1 where there is a row and 0 where there is padding, and gives a
`BagReading`. Padding changes no answer, and neither does the order of rows, except TransMIL's.
"""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn


class BagReading(NamedTuple):
    """(b, outputs) logits or estimates, the (b, d) signature they come from, and the (b, n) score of each row in 0..1:
    how strongly it speaks for a high answer, or its attention beside the largest of its bag; 0 in padding.
    """

    logits: Tensor
    signature: Tensor
    scores: Tensor


class BagNetwork(nn.Module):
    """Bags {rows: (b, n, …), mask: (b, n)} to a `BagReading`: `embed` makes each row a vector, or any tensor, and
    `judge` answers for a bag of such. Of inputs with several parts, `embed` gets a mapping of them.
    """

    def __init__(self, judge: nn.Module, *, embed: nn.Module | None = None) -> None:
        super().__init__()
        self.embed = embed or nn.Identity()
        self.judge = judge

    def forward(self, bag: dict[str, Tensor]) -> BagReading:
        """Embed all rows of a batch at once, then judge each bag."""
        there = bag["mask"] > 0
        parts = {name: part[there] for name, part in bag.items() if name != "mask"}
        embedded = self.embed(parts["rows"] if parts.keys() == {"rows"} else parts)
        rows = embedded.new_zeros(*there.shape, *embedded.shape[1:])
        rows[there] = embedded
        reading: BagReading = self.judge(rows, bag["mask"])
        return reading


def masked_mean(rows: Tensor, mask: Tensor) -> Tensor:
    """(b, n, …) to (b, …): the mean over a bag's rows."""
    total = (rows * _like(mask, rows)).sum(dim=1)
    return total / mask.sum(dim=1).clamp(min=1).reshape(-1, *[1] * (total.dim() - 1))


def masked_max(rows: Tensor, mask: Tensor) -> Tensor:
    """(b, n, …) to (b, …): the highest of a bag's rows, element by element."""
    return rows.masked_fill(_like(mask, rows) == 0, -math.inf).amax(dim=1)


def masked_top(rows: Tensor, mask: Tensor, *, count: int) -> Tensor:
    """(b, n, …) to (b, …): the mean of the `count` highest of a bag's rows, element by element; of fewer, of all."""
    order = rows.masked_fill(_like(mask, rows) == 0, -math.inf).sort(dim=1, descending=True).values[:, :count]
    there = order > -math.inf
    return order.masked_fill(~there, 0).sum(dim=1) / there.sum(dim=1).clamp(min=1)


def _like(mask: Tensor, rows: Tensor) -> Tensor:
    return mask.reshape(*mask.shape, *[1] * (rows.dim() - 2))


def row_score(logits: Tensor, mask: Tensor) -> Tensor:
    """One number (b, n) in 0..1 of each row's logits (b, n, outputs): the logistic of the log-odds of the second of
    two, or of the highest of several.
    """
    score = logits[..., 1] - logits[..., 0] if logits.shape[-1] == 2 else logits.amax(dim=-1)
    return score.sigmoid() * mask


class Instances(nn.Module):
    """A linear layer answers for each row; a bag has the mean, the highest, or the mean of the `count` highest of each
    output. With "mean" the same as a linear layer on the mean row.
    """

    def __init__(
        self, width: int, *, outputs: int = 2, pool: Literal["mean", "max", "top"] = "mean", count: int = 10
    ) -> None:
        super().__init__()
        self.pool, self.count = pool, count
        self.classify = nn.Linear(width, outputs)

    def forward(self, rows: Tensor, mask: Tensor) -> BagReading:
        """Judge a batch of bags; the signature is the mean row."""
        own = self.classify(rows)
        pooled = {
            "mean": masked_mean,
            "max": masked_max,
            "top": lambda logits, mask: masked_top(logits, mask, count=self.count),
        }[self.pool](own, mask)
        return BagReading(pooled, masked_mean(rows, mask), row_score(own, mask))


class Attention(nn.Module):
    """The mean of a bag's rows, weighted by attention: softmax over the bag of w · tanh(V h), gated with sigmoid(U h)
    if asked; then a linear layer. Ilse, Tomczak and Welling, ICML 2018, arXiv 1802.04712, equations 8 and 9.
    """

    def __init__(self, width: int, *, outputs: int = 2, hidden: int = 128, gated: bool = False) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.Linear(width, hidden), nn.Tanh())
        self.gate = nn.Sequential(nn.Linear(width, hidden), nn.Sigmoid()) if gated else None
        self.weigh = nn.Linear(hidden, 1)
        self.classify = nn.Linear(width, outputs)

    def forward(self, rows: Tensor, mask: Tensor) -> BagReading:
        """Judge a batch of bags; the signature is the weighted mean."""
        looked = self.look(rows) if self.gate is None else self.look(rows) * self.gate(rows)
        weights = self.weigh(looked)[..., 0].masked_fill(mask == 0, -math.inf).softmax(dim=1)
        signature = torch.einsum("bn,bnd->bd", weights, rows)
        return BagReading(self.classify(signature), signature, weights / weights.amax(dim=1, keepdim=True))
