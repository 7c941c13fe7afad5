"""Novelty: what lies far from the known ones, or off their directions, is novel."""

import numpy as np
import torch

from hepatica.spectroscopy.networks.novelty import DIRECTIONS, Novelty, novelty_flags, squeezed


def known(count: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Signatures of 4 numbers that go together, and spectra of 100 points within 5 directions and noise."""
    rng = np.random.default_rng(seed)
    signature = rng.normal(size=(count, 4)) @ np.array([[1, 2, 0, 0], [0, 0.1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 3.0]])
    directions = np.random.default_rng(0).normal(size=(5, 100))
    squeezed = 5 * rng.normal(size=(count, 5)) @ directions + rng.normal(size=(count, 100))
    return signature.astype(np.float32), squeezed.astype(np.float32)


def novelty(usual: Novelty, signature: np.ndarray, squeezed: np.ndarray) -> np.ndarray:
    return usual(torch.from_numpy(signature), torch.from_numpy(squeezed)).numpy()


def learnt() -> Novelty:
    usual = Novelty(signature=4, features=100)
    usual.learn(*known(2000, seed=1))
    return usual


def test_hardly_one_of_the_usual_is_strange() -> None:
    usual = learnt()
    assert 0.004 < (novelty(usual, *known(4000, seed=2)) > 1).mean() < 0.02


def test_a_signature_that_breaks_what_goes_together_is_strange() -> None:
    signature, squeezed = known(2, seed=3)
    signature[1, :2] = [2.0, -4.0]  # each within range by itself
    found = novelty(learnt(), signature, squeezed)
    assert found[0] < 1 < found[1]


def test_a_line_where_none_ever_was_is_strange() -> None:
    signature, squeezed = known(2, seed=4)
    squeezed[1, 40:44] += 8
    found = novelty(learnt(), signature, squeezed)
    assert found[0] < 1 < found[1]


def test_one_far_along_a_usual_direction_is_strange() -> None:
    signature, squeezed = known(2, seed=5)
    squeezed[1] += 60 * np.random.default_rng(0).normal(size=(5, 100))[0]
    found = novelty(learnt(), signature, squeezed)
    assert found[0] < 1 < found[1]


def test_few_features_have_as_many_directions() -> None:
    assert Novelty(signature=2, features=6).directions.shape == (6, 6)
    assert Novelty(signature=2, features=600).directions.shape == (600, DIRECTIONS)


def test_only_the_novel_are_flagged() -> None:
    assert novelty_flags([0.4, 2.345]) == [
        (),
        ("unlike the training spectra of the networks: 2.3 times as distant as nearly all of these",),
    ]


def test_squeezed_spectra_do_not_know_their_unit() -> None:
    spectra = torch.randn(2, 2, 1, 50, generator=torch.Generator().manual_seed(0))
    assert squeezed(spectra).shape == (2, 100)
    torch.testing.assert_close(squeezed(7 * spectra), squeezed(spectra))
