"""Saliency: hits are counted on slices with an outlined nodule, and only there."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import RunError
from hepatica.radiology.slices import SliceStore
from hepatica.radiology.slicing import WINDOWS
from hepatica.studies.wang_2021_hccnet.study import MOST_SLICES, saliency_hits


class Outlined(SliceStore):
    """Slices whose nodule is the pixel of their own number; slice 3's is too small to be seen."""

    def read(self, indices: np.ndarray) -> np.ndarray:
        images = np.zeros((len(indices), 8, 8, 3), np.uint8)
        images[:, 0, 0, 0] = indices % 64
        return images

    def nodules(self, indices: np.ndarray) -> np.ndarray:
        marks = np.zeros((len(indices), 8, 8), bool)
        for mark, number in zip(marks, indices, strict=True):
            mark.flat[number % 64] = number != 3
        return marks


def store(nodule: list[float]) -> Outlined:
    count = len(nodule)
    index = pd.DataFrame({"patient_id": "P", "specimen_id": "S", "series": 1, "slice": range(count), "phase": "plain"})
    empty = pd.DataFrame()
    return Outlined(
        folder=None, side=8, window=WINDOWS["liver"], index=index.assign(nodule=nodule), specimens=empty, failures=empty
    )


def locked(shift: int):
    """A model whose map is brightest `shift` pixels from the nodule."""

    def saliency(network: object, images: np.ndarray) -> np.ndarray:
        assert len(images), "no network maps no images"
        maps = np.zeros(images.shape[:3])
        for each, image in zip(maps, images, strict=True):
            each.flat[(int(image[0, 0, 0]) + shift) % 64] = 1
        return maps

    return SimpleNamespace(
        system=SimpleNamespace(explain=saliency), network=None, settings=SimpleNamespace(nodule_probability=0.5)
    )


@pytest.mark.parametrize(("shift", "hit"), [(0, 1.0), (9, 0.0)])
def test_hits_are_those_of_the_brightest_place(shift: int, hit: float) -> None:
    slices = store([0, 1, 1, 1, np.nan, 1])
    regions = slices.index.assign(nodule_log_odds=[5, 5, -5, 5, 5, 0.0])
    found = saliency_hits(locked(shift), slices=slices, regions=regions)
    assert found["slice"].tolist() == [1, 2, 5]
    assert found["flagged"].tolist() == [True, False, True]
    assert found["pointing"].tolist() == [hit] * 3
    assert found["dice"].tolist() == [hit] * 3
    assert found["share"].tolist() == [1 / 64] * 3


def test_where_no_expert_saw_a_nodule_there_are_no_rows() -> None:
    slices = store([0, np.nan])
    assert saliency_hits(locked(0), slices=slices, regions=slices.index.assign(nodule_log_odds=0.0)).empty


@pytest.mark.parametrize("change", [lambda rows: rows.iloc[1:], lambda rows: rows.assign(slice=rows["slice"] + 1)])
def test_slices_other_than_those_the_model_read_are_refused(change) -> None:
    slices = store([0, 1, 1])
    regions = change(slices.index.assign(nodule_log_odds=1.0))
    with pytest.raises(RunError, match="studies or masks have changed since; do the study in a new folder"):
        saliency_hits(locked(0), slices=slices, regions=regions)


def test_many_slices_are_sampled_from_end_to_end() -> None:
    slices = store([1] * (MOST_SLICES + 200))
    found = saliency_hits(locked(0), slices=slices, regions=slices.index.assign(nodule_log_odds=1.0))
    assert MOST_SLICES - 1 <= len(found) <= MOST_SLICES  # slice 3 may be among them
    assert found["slice"].iloc[[0, -1]].tolist() == [0, MOST_SLICES + 199]
