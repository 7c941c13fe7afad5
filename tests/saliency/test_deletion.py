import numpy as np
import pytest
import torch
from torch import Tensor

from hepatica.cohort.errors import SettingsError
from hepatica.saliency import area_under, deletion


def summed(images: Tensor) -> Tensor:
    return images.sum(dim=(1, 2, 3))


IMAGE = torch.tensor([[[[4.0, 3.0], [2.0, 1.0]]]])
BLACK = torch.zeros(1)


def test_pixels_go_from_the_brightest_of_the_map() -> None:
    best = deletion(summed, IMAGE, IMAGE[0].numpy(), baseline=BLACK, steps=4)
    worst = deletion(summed, IMAGE, -IMAGE[0].numpy(), baseline=BLACK, steps=4)
    assert best.tolist() == [[10, 6, 3, 1, 0]]
    assert worst.tolist() == [[10, 9, 7, 4, 0]]
    # Trapezoids: (10 / 2 + 6 + 3 + 1) / 4 and (10 / 2 + 9 + 7 + 4) / 4.
    assert (area_under(best).item(), area_under(worst).item()) == (3.75, 6.25)


def test_with_image_and_baseline_exchanged_they_come() -> None:
    come = deletion(summed, BLACK.expand_as(IMAGE), IMAGE[0].numpy(), baseline=IMAGE, steps=4)
    assert come.tolist() == [[0, 4, 7, 9, 10]]


def test_it_starts_at_the_image_and_ends_at_the_baseline() -> None:
    torch.manual_seed(0)
    images, baseline = torch.rand(3, 2, 6, 5), torch.rand(2, 1, 1)
    curves = deletion(summed, images, np.random.default_rng(0).random((3, 6, 5)), baseline=baseline, steps=7)
    assert curves.shape == (3, 8)
    np.testing.assert_allclose(curves[:, 0], summed(images), rtol=1e-6)
    np.testing.assert_allclose(curves[:, -1], summed(baseline.expand_as(images)), rtol=1e-6)


def test_a_batch_is_its_images_one_by_one() -> None:
    torch.manual_seed(0)
    images, maps = torch.rand(3, 1, 4, 4), np.random.default_rng(0).random((3, 4, 4))
    together = deletion(summed, images, maps, baseline=BLACK, steps=5)
    singly = [deletion(summed, images[i : i + 1], maps[i : i + 1], baseline=BLACK, steps=5)[0] for i in range(3)]
    np.testing.assert_allclose(together, singly, rtol=1e-6)


def test_an_answer_that_stays_has_its_height_for_area() -> None:
    stays = deletion(lambda images: torch.full((len(images),), 0.7), IMAGE, IMAGE[0].numpy(), baseline=BLACK)
    assert area_under(stays).item() == pytest.approx(0.7)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingsError, match="maps"):
        deletion(summed, IMAGE, np.zeros((1, 3, 2)), baseline=BLACK)
    with pytest.raises(SettingsError, match="0 steps"):
        deletion(summed, IMAGE, np.zeros((1, 2, 2)), baseline=BLACK, steps=0)
