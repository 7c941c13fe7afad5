"""Multiple instance: one answer for a bag of rows, such as the tiles of a patient, from rows whose own is unknown.

A judge takes rows (b, n, d) and a mask (b, n), 1 where there is a row and 0 where there is padding, and gives a
`BagReading`. Padding changes no answer, and neither does the order of rows, except TransMIL's.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn.functional import pad

Pool = Callable[[Tensor, Tensor], Tensor]
"""Rows (b, n, …) and mask (b, n) to one of each bag, (b, …)."""


class BagReading(NamedTuple):
    """(b, outputs) logits or estimates, the (b, d) signature they come from, and the (b, n) score of each row in 0..1:
    how strongly it speaks for a high answer, or its attention beside the largest of its bag; 0 in padding.
    """

    logits: Tensor
    signature: Tensor
    scores: Tensor


class BagNetwork(nn.Module):
    """Bags {rows: (b, n, …), mask: (b, n)} to a `BagReading`: `embed` makes each row a vector, or any tensor, and
    `judge` answers for a bag of such. Of inputs with several parts, `embed` gets a mapping of them. Rows alone, without
    bags, (b, …), are each a bag of their own.
    """

    def __init__(self, judge: nn.Module, *, embed: nn.Module | None = None) -> None:
        super().__init__()
        self.embed = embed or nn.Identity()
        self.judge = judge

    def forward(self, bag: dict[str, Tensor] | Tensor) -> BagReading:
        """Embed all rows of a batch at once, then judge each bag."""
        if isinstance(bag, Tensor):
            bag = {"rows": bag[:, None], "mask": bag.new_ones(len(bag), 1)}
        there = bag["mask"] > 0
        parts = {name: part[there] for name, part in bag.items() if name != "mask"}
        embedded = self.embed(parts["rows"] if parts.keys() == {"rows"} else parts)
        rows = embedded.new_zeros(*there.shape, *embedded.shape[1:])
        rows[there] = embedded
        reading: BagReading = self.judge(rows, bag["mask"])
        return reading


class Scaled(nn.Module):
    """(n, d) vectors, each number less its mean and over its SD in the training patients, which are locked with it."""

    mean: Tensor
    sd: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("sd", torch.ones(width))

    def fit(self, mean: Tensor, sd: Tensor) -> None:
        """Fix them; a number that never varies is left at its scale."""
        self.mean.copy_(mean)
        self.sd.copy_(torch.where(sd > 1e-6, sd, 1.0))

    def forward(self, rows: Tensor) -> Tensor:
        """Scale a batch."""
        return (rows - self.mean) / self.sd


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
        pools: dict[str, Pool] = {"mean": masked_mean, "max": masked_max, "top": partial(masked_top, count=count)}
        self.pool = pools[pool]
        self.classify = nn.Linear(width, outputs)

    def forward(self, rows: Tensor, mask: Tensor) -> BagReading:
        """Judge a batch of bags; the signature is the mean row."""
        own = self.classify(rows)
        return BagReading(self.pool(own, mask), masked_mean(rows, mask), row_score(own, mask))


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


class NoisyAnd(nn.Module):
    """A bag is positive where the share of positive rows passes a threshold: with p the mean over the rows of the
    logistic of a linear layer, (s(a (p - b)) - s(-a b)) / (s(a (1 - b)) - s(-a b)), s the logistic; then a linear layer
    on these. One threshold b in 0..1 of each of `concepts`, and the slope a, are learnt; both are held in range.

    Kraus, Ba and Frey, Bioinformatics 2016;32:i52, doi 10.1093/bioinformatics/btw252, equation 6 (there a is fixed).
    """

    def __init__(self, width: int, *, outputs: int = 2, concepts: int | None = None, slope: float = 10.0) -> None:
        super().__init__()
        concepts = concepts or outputs
        self.detect = nn.Linear(width, concepts)
        self.threshold = nn.Parameter(torch.full((concepts,), 0.5))
        self.slope = nn.Parameter(torch.tensor(float(slope)))
        self.classify = nn.Linear(concepts, outputs)

    def pool(self, shares: Tensor) -> Tensor:
        """Shares of positive rows (b, concepts) to how positive the bag is, 0 where none is, 1 where all are."""
        threshold, slope = self.threshold.clamp(0, 1), self.slope.clamp(min=1)
        low = torch.sigmoid(-slope * threshold)
        high = torch.sigmoid(slope * (1 - threshold))
        return (torch.sigmoid(slope * (shares - threshold)) - low) / (high - low)

    def forward(self, rows: Tensor, mask: Tensor) -> BagReading:
        """Judge a batch of bags; the signature is how positive a bag is for each concept, and a row's score that of a
        bag of it alone.
        """
        own = self.detect(rows).sigmoid()
        signature = self.pool(masked_mean(own, mask))
        return BagReading(self.classify(signature), signature, row_score(self.classify(self.pool(own)), mask))


def scorer(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with a logistic between, as CHOWDER has them: weights by Xavier, biases 0."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(sizes):
        linear = nn.Linear(wide, narrow)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Sigmoid()]
    return nn.Sequential(*layers[:-1])


class Chowder(nn.Module):
    """Each row gets one number, from a perceptron with hidden layers `score`; the `top` highest and `bottom` lowest of
    a bag, each in falling order, go through a perceptron with hidden layers `judge`. Of a bag with fewer rows the
    places left over are 0.

    Courtiol et al., arXiv 1802.02212; sizes and initial weights as in owkin/HistoSSLscaling (2023).
    """

    def __init__(
        self,
        width: int,
        *,
        outputs: int = 1,
        top: int = 10,
        bottom: int = 10,
        score: Sequence[int] = (128,),
        judge: Sequence[int] = (128, 64),
    ) -> None:
        super().__init__()
        self.top, self.bottom = top, bottom
        self.score = scorer((width, *score, 1))
        self.judge = scorer((top + bottom, *judge, outputs))

    def extremes(self, scores: Tensor, mask: Tensor) -> Tensor:
        """Scores of rows (b, n) to the extreme ones (b, top + bottom)."""
        most = max(self.top, self.bottom)
        scores, there = pad(scores, (0, most)), pad(mask, (0, most)) > 0
        high, low = (scores.masked_fill(~there, sign * math.inf).sort(dim=1).values for sign in (-1, 1))
        high, low = high.flip(1)[:, : self.top], low[:, : self.bottom].flip(1)
        return torch.cat([each.masked_fill(each.isinf(), 0) for each in (high, low)], dim=1)

    def forward(self, rows: Tensor, mask: Tensor) -> BagReading:
        """Judge a batch of bags; the signature is the extreme scores. Rows are scored so that 1 speaks for a high
        answer, whichever way the judge takes them: by whether it rises from scores of -1 throughout to 1.
        """
        own = self.score(rows)[..., 0]
        signature = self.extremes(own, mask)
        ends = signature.new_ones(2, self.top + self.bottom) * signature.new_tensor([[-1.0], [1.0]])
        low, high = row_score(self.judge(ends)[:, None], ends.new_ones(2, 1))[:, 0]
        return BagReading(self.judge(signature), signature, torch.where(high < low, -own, own).sigmoid() * mask)


class NystromAttention(nn.Module):
    """Self-attention of tokens (1, n, d) in time and memory of n times `landmarks`, means of equal runs of tokens, and
    a convolution over 33 neighbours of the values. With no more tokens than landmarks it is exact (ours).

    Xiong et al., AAAI 2021, arXiv 2102.03902, equation 13; the inverse by six of its iterations (equation 11).
    """

    def __init__(self, width: int, *, heads: int, landmarks: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.landmarks, self.scale = heads, landmarks, (width // heads) ** -0.5
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.neighbours = nn.Conv2d(heads, heads, (33, 1), padding=(16, 0), groups=heads, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Dropout(dropout))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Attended tokens, and the share (heads, n) of its attention that the first token gives each."""
        query, key, value = rearrange(self.to_qkv(tokens), "1 n (three h d) -> three h n d", three=3, h=self.heads)
        query = query * self.scale
        if tokens.shape[1] <= self.landmarks:
            weights = (query @ key.mT).softmax(dim=-1)
            attended, first = weights @ value, weights[:, 0]
        else:
            few_queries, few_keys = self._runs(query), self._runs(key)
            left = (query @ few_keys.mT).softmax(dim=-1) @ _inverse((few_queries @ few_keys.mT).softmax(dim=-1))
            right = (few_queries @ key.mT).softmax(dim=-1)
            attended, first = left @ (right @ value), (left[:, :1] @ right)[:, 0]
        attended = attended + self.neighbours(value[None])[0]
        return self.to_out(rearrange(attended, "h n d -> 1 n (h d)")), first

    def _runs(self, tokens: Tensor) -> Tensor:
        front = -tokens.shape[1] % self.landmarks
        return reduce(pad(tokens, (0, 0, front, 0)), "h (m run) d -> h m d", "mean", m=self.landmarks)


def _inverse(matrix: Tensor) -> Tensor:
    """Moore-Penrose inverse (h, m, m) of row-stochastic matrices, by iterations of third order."""
    norms = matrix.abs().sum(dim=-1).amax() * matrix.abs().sum(dim=-2).amax()
    inverse, identity = matrix.mT / norms, torch.eye(matrix.shape[-1], device=matrix.device)
    for _ in range(6):
        product = matrix @ inverse
        inverse = 0.25 * inverse @ (13 * identity - product @ (15 * identity - product @ (7 * identity - product)))
    return inverse


class TransMil(nn.Module):
    """A class token attends to the rows of a bag twice, between which convolutions mix rows that lie near each other in
    a square of rows. Unlike the others it depends on the order of rows, which should be that of the slide; bags are
    judged one by one, so that padding changes nothing. Rows are repeated from the first on to fill the square.

    Shao et al., NeurIPS 2021, arXiv 2106.00908.
    """

    def __init__(
        self, width: int, *, outputs: int = 2, hidden: int = 512, heads: int = 8, landmarks: int = 256
    ) -> None:
        super().__init__()
        self.reduce = nn.Sequential(nn.Linear(width, hidden), nn.ReLU())
        self.token = nn.Parameter(torch.randn(1, 1, hidden))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(3))
        layer = partial(NystromAttention, hidden, heads=heads, landmarks=landmarks, dropout=0.1)
        self.attention = nn.ModuleList(layer() for _ in range(2))
        self.mix = nn.ModuleList(nn.Conv2d(hidden, hidden, k, padding=k // 2, groups=hidden) for k in (7, 5, 3))
        self.classify = nn.Linear(hidden, outputs)

    def forward(self, rows: Tensor, mask: Tensor) -> BagReading:
        """Judge a batch of bags; the signature is the class token's, the scores are by the attention it gives last."""
        bags = [own[there > 0] if there.any() else own[:1] for own, there in zip(rows, mask, strict=True)]
        read = [self._judge(own) for own in bags]
        signature = torch.cat([token for token, _ in read])
        scores = torch.stack([pad(score, (0, rows.shape[1] - len(score))) for _, score in read])
        return BagReading(self.classify(signature), signature, scores)

    def _judge(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        count, side = len(rows), math.ceil(math.sqrt(len(rows)))
        filled = rows[torch.arange(side * side, device=rows.device) % count]
        tokens = torch.cat([self.token, self.reduce(filled)[None]], dim=1)
        tokens = tokens + self.attention[0](self.norms[0](tokens))[0]
        square = rearrange(tokens[:, 1:], "1 (y x) d -> 1 d y x", y=side)
        mixed = square + sum(each(square) for each in self.mix)
        tokens = torch.cat([tokens[:, :1], rearrange(mixed, "1 d y x -> 1 (y x) d")], dim=1)
        attended, shares = self.attention[1](self.norms[1](tokens))
        seen = shares.mean(dim=0)[1 : count + 1].clamp(min=0)
        return self.norms[2](tokens + attended)[:, 0], seen / seen.amax().clamp(min=1e-12)
