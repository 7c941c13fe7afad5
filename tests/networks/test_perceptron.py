"""Perceptron: the second stage of paper 001 is one of them."""

import torch

from hepatica.networks import perceptron


def test_prognostic_network_of_paper_001_has_66_946_parameters() -> None:
    network = perceptron((128, 256, 128, 2), dropout=0.5)
    assert sum(each.numel() for each in network.parameters()) == 66_946


def test_ends_in_logits_of_any_sign() -> None:
    torch.manual_seed(0)
    logits = perceptron((8, 16, 2), dropout=0.5).eval()(torch.randn(100, 8))
    assert logits.shape == (100, 2)
    assert logits.min() < 0 < logits.max()
