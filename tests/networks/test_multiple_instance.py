"""Multiple instance: each pooling counted by hand, and what no bag may change: padding, and the order of its rows."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hepatica.networks import Attention, BagNetwork, Chowder, Instances, NoisyAnd, TransMil, masked_mean, masked_top
from hepatica.networks.multiple_instance import NystromAttention, Scaled, masked_max, scorer

WIDTH = 6

JUDGES: dict[str, Callable[[], nn.Module]] = {
    "mean": lambda: Instances(WIDTH),
    "max": lambda: Instances(WIDTH, pool="max"),
    "top": lambda: Instances(WIDTH, pool="top", count=3),
    "attention": lambda: Attention(WIDTH, hidden=4),
    "gated attention": lambda: Attention(WIDTH, hidden=4, gated=True),
    "noisy-and": lambda: NoisyAnd(WIDTH, concepts=3),
    "chowder": lambda: Chowder(WIDTH, top=3, bottom=2, score=(4,), judge=(3,)),
    "transmil": lambda: TransMil(WIDTH, hidden=8, heads=2, landmarks=4),
}


def whole(*bags: list) -> tuple[Tensor, Tensor]:
    """Bags of one size without padding."""
    rows = torch.tensor(bags, dtype=torch.float32)
    return rows, torch.ones(rows.shape[:2])


def linear(layer: nn.Linear, weight: list[list[float]], bias: list[float] | None = None) -> None:
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias or [0.0] * len(weight)))


@settings(deadline=None, max_examples=12)
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=3), seed=st.integers(0, 99), data=st.data())
@pytest.mark.parametrize("name", JUDGES)
def test_padding_and_order_change_nothing(name: str, sizes: list[int], seed: int, data: st.DataObject) -> None:
    torch.manual_seed(seed)
    judge, most = JUDGES[name]().eval(), max(sizes) + data.draw(st.integers(0, 4))
    bags = [torch.randn(size, WIDTH) for size in sizes]
    rows, mask = torch.full((len(sizes), most, WIDTH), 9.0), torch.zeros(len(sizes), most)
    for place, there, own in zip(rows, mask, bags, strict=True):
        place[: len(own)], there[: len(own)] = own, 1
    padded = judge(rows, mask)
    assert padded.scores.shape == mask.shape
    assert (padded.scores[mask == 0] == 0).all()
    assert padded.scores.min() >= 0
    assert padded.scores.max() <= 1
    for number, own in enumerate(bags):
        alone = judge(own[None], torch.ones(1, len(own)))
        torch.testing.assert_close(padded.logits[number], alone.logits[0], atol=1e-5, rtol=1e-5)
        order = torch.randperm(len(own))
        turned = judge(own[order][None], torch.ones(1, len(own)))
        if name != "transmil":
            torch.testing.assert_close(turned.logits, alone.logits, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(turned.scores[0], alone.scores[0, order], atol=1e-5, rtol=1e-5)


def test_transmil_depends_on_the_order_of_rows() -> None:
    torch.manual_seed(0)
    judge, rows = JUDGES["transmil"]().eval(), torch.randn(1, 12, WIDTH)
    one, other = (judge(each, torch.ones(1, 12)).logits for each in (rows, rows.flip(1)))
    assert not torch.allclose(one, other, atol=1e-4)


def test_pools_by_hand() -> None:
    rows, mask = torch.tensor([[[1.0, 8], [5, 2], [3, 2], [7, 7]]]), torch.tensor([[1.0, 1, 1, 0]])
    assert masked_mean(rows, mask).tolist() == [[3, 4]]
    assert masked_max(rows, mask).tolist() == [[5, 8]]
    assert masked_top(rows, mask, count=2).tolist() == [[4, 5]]
    assert masked_top(rows, mask, count=9).tolist() == [[3, 4]]
    maps = torch.arange(12.0).reshape(1, 3, 2, 2)
    assert masked_max(maps, torch.tensor([[1.0, 1, 0]])).tolist() == [[[4, 5], [6, 7]]]


def test_instances_by_hand() -> None:
    """Logits of the rows are (0, x): their mean, highest, and mean of the two highest."""
    for pool, wanted in (("mean", 2.0), ("max", 4.0), ("top", 3.0)):
        judge = Instances(1, pool=pool, count=2)
        linear(judge.classify, [[0], [1]])
        read = judge(*whole([[0], [2], [4]]))
        assert read.logits.tolist() == [[0, wanted]]
        np.testing.assert_allclose(read.scores.detach()[0], 1 / (1 + np.exp([0, -2, -4.0])), rtol=1e-6)
        assert read.signature.tolist() == [[2]]


def test_attention_by_hand() -> None:
    """Rows 0 and 1, w V chosen so that attention is softmax(0, log 3) = 1/4, 3/4; gated at the half, by its root."""
    judge = Attention(1, outputs=1, hidden=1)
    linear(judge.look[0], [[math.atanh(0.5)]])
    linear(judge.weigh, [[2 * math.log(3)]])
    linear(judge.classify, [[8]], [1])
    read = judge(*whole([[0], [1]]))
    assert read.signature.item() == pytest.approx(3 / 4)
    assert read.logits.item() == pytest.approx(7)
    assert read.scores[0].tolist() == pytest.approx([1 / 3, 1])
    gated = Attention(1, outputs=1, hidden=1, gated=True)
    gated.load_state_dict(judge.state_dict(), strict=False)
    linear(gated.gate[0], [[0]])  # sigmoid(0) = 1/2 of log 3
    share = math.sqrt(3) / (1 + math.sqrt(3))
    assert gated(*whole([[0], [1]])).signature.item() == pytest.approx(share)


def test_noisy_and_by_hand() -> None:
    judge = NoisyAnd(1, outputs=1, slope=4)
    s = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    shares = torch.tensor([[0.0], [0.25], [0.5], [1.0]])
    wanted = [0, (s(-1) - s(-2)) / (s(2) - s(-2)), 0.5, 1]
    assert judge.pool(shares)[:, 0].tolist() == pytest.approx(wanted, abs=1e-6)
    linear(judge.detect, [[1]])
    linear(judge.classify, [[2]], [-1])
    # Logistic of 0 and log 3: 1/2 and 3/4, mean 5/8; s(4 / 8) etc.
    read = judge(*whole([[0], [math.log(3)]]))
    pooled = (s(0.5) - s(-2)) / (s(2) - s(-2))
    assert read.logits.item() == pytest.approx(2 * pooled - 1, abs=1e-6)
    alone = (s(1) - s(-2)) / (s(2) - s(-2))  # a bag of the second row, whose share is 3/4
    assert read.scores[0].tolist() == pytest.approx([1 / 2, s(2 * alone - 1)])
    linear(judge.classify, [[-2]], [1])  # a concept that speaks against the answer
    assert judge(*whole([[0], [math.log(3)]])).scores[0].tolist() == pytest.approx([1 / 2, s(1 - 2 * alone)])


def test_chowder_by_hand() -> None:
    """The two highest and two lowest of five scores, both in falling order; of two rows, the rest is 0."""
    judge = Chowder(1, top=2, bottom=2, score=(), judge=())
    linear(judge.score[0], [[2]])
    linear(judge.judge[0], [[1000, 100, 10, 1]])
    read = judge(*whole([[1], [-1], [4], [2], [3]]))
    assert read.signature.tolist() == [[8, 6, 2, -2]]
    assert read.logits.tolist() == [[8000 + 600 + 20 - 2]]
    np.testing.assert_allclose(read.scores[0].detach(), 1 / (1 + np.exp([-2, 2, -8, -4, -6.0])), rtol=1e-5)
    linear(judge.judge[0], [[-1, 0, 0, -1]])  # high scores now lower the answer
    turned = judge(*whole([[1], [-1], [4], [2], [3]]))
    np.testing.assert_allclose(turned.scores[0].detach(), 1 / (1 + np.exp([2, -2, 8, 4, 6.0])), rtol=1e-5)
    few = Chowder(1, top=3, bottom=3, score=(), judge=())
    few.score.load_state_dict(judge.score.state_dict())
    # The lowest are the places 4 to 6; two rows leave the first of each three beyond them 0.
    assert few(*whole([[1], [3]])).signature.tolist() == [[6, 2, 0, 0, 6, 2]]
    assert few(torch.tensor([[[3.0], [1], [5]]]), torch.tensor([[1.0, 1, 0]])).signature.tolist() == [
        [6, 2, 0, 0, 6, 2]
    ]


def test_scaled_by_hand() -> None:
    layer = Scaled(2)
    assert layer(torch.tensor([[4.0, 3.0]])).tolist() == [[4, 3]]
    layer.fit(torch.tensor([2.0, 3.0]), torch.tensor([4.0, 0.0]))
    assert layer(torch.tensor([[4.0, 3.0], [6.0, 5.0]])).tolist() == [[0.5, 0], [1, 2]]


def test_scorer_is_that_of_the_reference() -> None:
    layers = scorer((4, 3, 1))
    assert [type(each).__name__ for each in layers] == ["Linear", "Sigmoid", "Linear"]
    assert layers[0].bias.abs().max() == 0
    assert layers[0].weight.abs().max() <= math.sqrt(6 / 7)


def count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_parameters_by_hand() -> None:
    with torch.device("meta"):
        assert count(Instances(2048)) == 2 * 2048 + 2
        # V and w, classifier; U besides.
        assert count(Attention(1024)) == (1024 * 128 + 128) + (128 + 1) + (2 * 1024 + 2)
        assert count(Attention(1024, gated=True)) == 2 * (1024 * 128 + 128) + (128 + 1) + (2 * 1024 + 2)
        # Scores 2048-128-1, judge 20-128-64-1.
        chowder = (2048 * 128 + 128) + (128 + 1) + (20 * 128 + 128) + (128 * 64 + 64) + (64 + 1)
        assert count(Chowder(2048)) == chowder == 273_410
        # Detector, thresholds and slope, classifier.
        assert count(NoisyAnd(1280)) == (1280 * 2 + 2) + 2 + 1 + (2 * 2 + 2)
        # TransMIL: reduction, token, two attentions, three norms, three depthwise convolutions, classifier.
        attention = 512 * 1536 + (512 * 512 + 512) + 8 * 33
        mixing = 512 * (49 + 25 + 9) + 3 * 512
        transmil = (1024 * 512 + 512) + 512 + 2 * attention + 3 * 1024 + mixing + (512 * 2 + 2)
        assert count(TransMil(1024)) == transmil == 2_672_146


def test_a_network_reads_only_what_is_there() -> None:
    """Two images and one, embedded all three at once; several parts come as a mapping."""
    seen = []

    class Embed(nn.Module):
        def forward(self, parts: dict[str, Tensor]) -> Tensor:
            seen.append(len(parts["a"]))
            return parts["a"].mean(dim=(1, 2, 3))[:, None] + parts["b"]

    network = BagNetwork(Instances(1, outputs=1), embed=Embed())
    linear(network.judge.classify, [[1]])
    images = torch.arange(6.0).reshape(2, 3, 1, 1, 1).expand(2, 3, 3, 4, 4)
    bag = {"a": images, "b": torch.full((2, 3, 1), 10.0), "mask": torch.tensor([[1.0, 1, 0], [1, 0, 0]])}
    read = network(bag)
    assert seen == [3]
    assert read.logits.tolist() == [[10.5], [13]]


def test_landmarks_approach_exact_attention() -> None:
    """Of tokens in runs of equal ones, whose landmarks lose nothing."""
    torch.manual_seed(0)
    few = NystromAttention(16, heads=2, landmarks=4, dropout=0.0)
    exact = NystromAttention(16, heads=2, landmarks=99, dropout=0.0)
    with torch.no_grad():
        few.to_qkv.weight[:32] = 1.5 * torch.eye(16).repeat(2, 1)  # each token is most like itself
    exact.load_state_dict(few.state_dict())
    tokens = torch.randn(1, 4, 16).repeat_interleave(5, dim=1)
    for one, other in zip(few(tokens), exact(tokens), strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=1e-2)
