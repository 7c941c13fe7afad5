import numpy as np
import pytest
from scipy import ndimage
from skimage.draw import disk

from hepatica.cohort import MicronsPerPixel
from hepatica.evaluate.segmentation.instances import measure_instances
from hepatica.pathology.nuclei.instances import Separation, baseline, part, stains, targets
from hepatica.pathology.nuclei.training import Finder


def discs(*centres: tuple[int, int], radius: int = 9, size: int = 64) -> np.ndarray:
    labels = np.zeros((size, size), np.int32)
    for number, centre in enumerate(centres, start=1):
        labels[disk(centre, radius, shape=labels.shape)] = number
    return labels


def stained(labels: np.ndarray) -> np.ndarray:
    """Purple nuclei on pink, with the scanner's noise."""
    image = np.where((labels > 0)[..., None], (95, 60, 140), (225, 150, 190))
    return (image + np.random.default_rng(0).integers(-5, 6, image.shape)).astype(np.uint8)


TOUCHING = discs((25, 20), (25, 36), (50, 50))


def test_targets_are_nuclei_and_their_borders() -> None:
    nucleus, border = targets(TOUCHING)
    assert (nucleus == (TOUCHING > 0)).all()
    assert border[25, 28] == 1
    assert border[25, 20] == border[10, 10] == 0
    assert (border <= nucleus).all()


def test_touching_nuclei_are_parted_where_the_border_is_and_filled_again() -> None:
    found = part(targets(TOUCHING))
    assert found.max() == 3
    scores = measure_instances(TOUCHING, predicted=found)
    assert (scores["dice"], scores["aji"]) == (1, pytest.approx(1, abs=0.03))


def test_without_a_border_they_are_parted_where_they_narrow() -> None:
    maps = np.stack([TOUCHING > 0, np.zeros(TOUCHING.shape)]).astype(np.float32)
    assert part(maps).max() == 3
    assert part(maps, how=Separation(least_peak=50)).max() == 2


def test_a_small_nucleus_that_is_all_border_is_kept_and_a_speck_is_not() -> None:
    labels = discs((30, 30), radius=4) + 2 * discs((10, 10), radius=2)
    maps = np.stack([labels > 0, labels > 0]).astype(np.float32)
    found = part(maps)
    assert found.max() == 1
    assert found[30, 30] == 1


def test_baseline_finds_stained_nuclei_of_any_strength() -> None:
    for strength in (0.6, 1.0, 1.5):
        image = (255 * (stained(TOUCHING) / 255) ** strength).astype(np.uint8)
        scores = measure_instances(TOUCHING, predicted=baseline(image))
        assert scores["dice"] > 0.95
        assert scores["dq"] == 1


def test_stains_tell_haematoxylin_from_eosin() -> None:
    found = stains(stained(TOUCHING))
    nuclei = ndimage.binary_erosion(TOUCHING > 0)
    assert found.shape == (64, 64, 2)
    assert np.median(found[nuclei, 0]) > 4 * np.median(found[TOUCHING == 0, 0])


def test_what_counts_as_a_nucleus_is_the_same_at_any_resolution() -> None:
    fine, coarse = (Finder(mpp=MicronsPerPixel(mpp)).how for mpp in (0.25, 1.0))
    assert Finder().how == Separation()
    assert (fine.least_area, fine.least_peak) == (120, 2.0)
    assert (coarse.least_area, coarse.least_peak) == (8, 0.5)
