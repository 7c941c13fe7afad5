"""Patches: a number has one patch, image and classes stay together, centres are where they are wanted."""

from dataclasses import replace

import numpy as np

from hepatica.radiology.segmentation.patches import as_classes, patches
from hepatica.radiology.segmentation.room import prepare

NUMBERS = np.arange(40)


def test_a_number_has_one_patch_in_any_batch(store, settings) -> None:
    turned = replace(settings, turn=True, zoom=0.3, noise=0.1, gain=0.1).patching
    images, labels = patches(store, ["S1", "S2"], NUMBERS[:6], patching=turned, seed=1)
    again = patches(store, ["S1", "S2"], NUMBERS[4:6], patching=turned, seed=1)
    assert images.shape == (6, 16, 16, 3)
    assert labels.shape == (6, 16, 16)
    np.testing.assert_array_equal(images[4:6], again[0])
    np.testing.assert_array_equal(labels[4:6], again[1])


def test_classes_move_with_their_pixels(store, settings) -> None:
    """Air is 0 in the window and never liver, however patches are turned; all that is not air is."""
    for change in ({"turn": True}, {"zoom": 0.3}):
        images, labels = patches(
            store, ["S1"], NUMBERS, patching=replace(settings, shares=(0.2, 0.2), **change).patching, seed=2
        )
        assert ((images[..., 1] > 0.2) == (labels > 0)).mean() > 0.98


def test_as_many_are_centred_on_a_class_as_its_share(store, settings) -> None:
    """Lesions are few: patches anywhere of two balls of 20 and 10 mm seldom have one."""
    for share, low, high in ((1.0, 40, 40), (0.0, 0, 25)):
        chosen = replace(settings, shares=(0.0, share)).patching
        _, labels = patches(store, ["S1"], NUMBERS, patching=chosen, seed=3)
        assert low <= (labels == 2).any(axis=(1, 2)).sum() <= high


def test_solid_patches_and_those_larger_than_the_volume(outlined_cohort, settings, tmp_path) -> None:
    solid = replace(settings, voxels=(24, 64, 16), depth=1)
    images, labels = patches(
        prepare(outlined_cohort, solid, tmp_path), ["S1"], NUMBERS[:2], patching=solid.patching, seed=0
    )
    assert images.shape == (2, 24, 64, 16, 1)
    assert labels.shape == (2, 24, 64, 16)
    assert not images[:, :, 48:].any()
    assert not labels[:, 16:].any()


def test_classes_of_labels_by_hand() -> None:
    mask = np.array([0, 1, 2, 1])
    assert as_classes(mask, classes=("liver", "lesions")).tolist() == [0, 1, 2, 1]
    assert as_classes(mask, classes=("lesions",)).tolist() == [0, 0, 1, 0]
    assert as_classes(mask, classes=("liver",)).tolist() == [0, 1, 1, 1]
