from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hepatica.cohort import CohortError
from hepatica.pathology.nuclei.pictures import Picture, appearances, read_pictures, set_apart

LABELS = np.zeros((24, 30), np.uint16)
LABELS[4:12, 4:12] = 7
LABELS[14:20, 15:25] = 900


def coloured(background: tuple[int, int, int], *, seed: int = 0) -> np.ndarray:
    image = np.where((LABELS > 0)[..., None], (90, 60, 140), background)
    return (image + np.random.default_rng(seed).integers(-4, 5, image.shape)).astype(np.uint8)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize(
    "names",
    [("a.png", "a_label.png"), ("images/a.tif", "masks/a.tif"), ("x/images/a.png", "x/labels/a_cp_masks.tif")],
)
def test_images_are_paired_with_their_label_maps(names: tuple[str, str], tmp_path: Path) -> None:
    save(tmp_path / names[0], coloured((220, 150, 190)))
    save(tmp_path / names[1], LABELS)
    (found,) = read_pictures(tmp_path)
    assert found.name == "a"
    assert np.unique(found.labels).tolist() == [0, 1, 2]
    assert ((found.labels > 0) == (LABELS > 0)).all()


def test_a_mask_of_one_value_has_a_nucleus_for_each_piece(tmp_path: Path) -> None:
    save(tmp_path / "a.png", coloured((220, 150, 190)))
    save(tmp_path / "a_mask.png", ((LABELS > 0) * 255).astype(np.uint8))
    assert read_pictures(tmp_path)[0].labels.max() == 2


def test_a_folder_without_pairs_and_pairs_of_unequal_size_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", coloured((220, 150, 190)))
    with pytest.raises(CohortError, match=r"NAME_label\.png"):
        read_pictures(tmp_path)
    save(tmp_path / "a_label.png", LABELS[:9])
    with pytest.raises(CohortError, match="wanted the same"):
        read_pictures(tmp_path)


def pictures(*backgrounds: tuple[int, int, int]) -> list[Picture]:
    return [
        Picture(name=str(seed), image=coloured(each, seed=seed), labels=LABELS.astype(np.int32))
        for seed, each in enumerate(backgrounds)
    ]


PINK, GREY, LILAC = (226, 150, 190), (205, 203, 210), (170, 145, 205)


def test_pictures_are_grouped_by_the_colour_of_their_background() -> None:
    slightly = (224, 152, 192)
    groups = appearances(pictures(PINK, GREY, slightly, LILAC, GREY, PINK))
    assert groups[0] == groups[2] == groups[5]
    assert groups[1] == groups[4]
    assert len(set(groups)) == 3


def test_whole_groups_are_set_apart_and_the_largest_is_kept() -> None:
    groups = np.array([0] * 6 + [1] * 3 + [2])
    for seed in range(5):
        test = set_apart(groups, share=0.2, seed=seed)
        assert test.mean() >= 0.2
        assert not set(groups[test]) & set(groups[~test])
        assert 0 not in groups[test]


def test_pictures_that_look_alike_are_parted_one_by_one() -> None:
    test = set_apart(np.zeros(10, int), share=0.3, seed=1)
    assert test.sum() == 3
