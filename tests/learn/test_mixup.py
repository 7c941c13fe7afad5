import pytest
import torch
from torch.nn.functional import cross_entropy

from hepatica.learn.losses import smoothed_cross_entropy
from hepatica.learn.mixup import mixup


def test_inputs_and_labels_are_blended_in_the_same_shares() -> None:
    # Inputs are their own one-hot labels, so that a blend says which labels it has, in which shares.
    torch.manual_seed(0)
    labels = torch.arange(6) % 3
    blends, blended = mixup(torch.eye(3)[labels], alpha=1.0)
    logits = torch.randn(6, 3)
    assert blended(cross_entropy, logits, labels).item() == pytest.approx(
        cross_entropy(logits, blends).item(), abs=1e-6
    )
    assert torch.allclose(blends.sum(dim=1), torch.ones(6))
    assert ((blends > 0) & (blends < 1)).any()


def test_images_keep_their_range_and_mean_and_are_not_written_into() -> None:
    torch.manual_seed(1)
    images = torch.rand(5, 3, 4, 4)
    kept = images.clone()
    blends, _ = mixup(images, alpha=0.2)
    assert torch.equal(images, kept)
    assert ((blends >= 0) & (blends <= 1)).all()
    assert torch.allclose(blends.mean(dim=0), images.mean(dim=0), atol=1e-6)


def test_ratios_are_those_of_beta_and_follow_torchs_seed() -> None:
    def ratio(seed: int) -> float:
        torch.manual_seed(seed)
        return float(mixup(torch.ones(1, 1), alpha=0.2)[0])

    assert ratio(3) == ratio(3) == pytest.approx(1)  # a lone sample is blended with itself
    torch.manual_seed(0)
    pair = torch.tensor([[0.0], [1.0]])
    drawn = torch.stack([mixup(pair, alpha=0.2)[0][0, 0] for _ in range(2000)])
    # Beta(0.2, 0.2) has mean 1/2 and variance 1 / (4 * 1.4) = 0.1786; a half of the orders blend nothing: 0 here.
    # Mean: 1/2 * 0 + 1/2 * 1/2; four standard errors of at most 0.5 / sqrt(2000) are 0.045.
    assert drawn.mean().item() == pytest.approx(0.25, abs=0.045)


def test_smoothing_goes_with_it() -> None:
    labels = torch.tensor([0, 1])
    _, blended = mixup(torch.eye(2), alpha=0.2)
    assert blended(smoothed_cross_entropy(0.1), torch.zeros(2, 2), labels).item() == pytest.approx(0.6931472)
