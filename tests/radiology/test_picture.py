"""Picture: the slices drawn are the highest, each from another place, and the files carry their note."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hepatica.cohort import Specimen
from hepatica.radiology.picture import APART_MM, draw_study, glowing, highest_slices
from hepatica.radiology.slices import SliceStore
from hepatica.radiology.slicing import WINDOWS


def table(count: int, *, series: int = 1, step: float = 5.0, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient_id": "P", "specimen_id": "S", "series": series, "slice": range(count),
            "z_mm": step * np.arange(count), "phase": "arterial", "score": rng.random(count),
            "nodule_log_odds": rng.normal(size=count),
        }
    )  # fmt: skip


def test_highest_come_first_and_apart() -> None:
    rows = table(40)
    chosen = highest_slices(rows)
    assert chosen[0] == rows["score"].argmax()
    assert rows["score"].to_numpy()[chosen].tolist() == sorted(rows["score"].to_numpy()[chosen], reverse=True)
    gaps = np.abs(np.subtract.outer(rows["z_mm"].to_numpy()[chosen], rows["z_mm"].to_numpy()[chosen]))
    assert gaps[np.triu_indices(len(chosen), 1)].min() >= APART_MM


def test_same_place_of_two_series_is_two_places() -> None:
    rows = pd.concat([table(1), table(1, series=2)], ignore_index=True)
    assert sorted(highest_slices(rows)) == [0, 1]


@pytest.mark.parametrize("count", [1, 2, 30])
def test_no_more_than_there_are(count: int) -> None:
    assert 1 <= len(highest_slices(table(count), count=4)) <= min(count, 4)


def test_glow_leaves_what_does_not_excite() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert (glowing(image, np.full((8, 8), 0.4)) == image).all()
    assert (glowing(image, np.ones((8, 8))) != image).any(axis=2).all()


def test_files_are_called_by_their_stem(tmp_path) -> None:
    class Store(SliceStore):
        def read(self, indices):
            return np.zeros((len(indices), 16, 16, 3), np.uint8)

        def select(self, **chosen):
            return self

    rows = pd.concat([table(12), table(9, series=2)], ignore_index=True)
    store = Store(
        folder=tmp_path, side=16, window=WINDOWS["liver"], index=rows, failures=rows[:0],
        specimens=pd.DataFrame({"units": ["HU"]}),
    )  # fmt: skip
    specimen = Specimen(patient_id="P", specimen_id="S", modality="ct", path=tmp_path, row=3)
    drawn = draw_study(
        specimen,
        material=store,
        regions=rows,
        saliency=lambda images: np.zeros(images.shape[:3]),
        stem=tmp_path / "specimen_0003",
        note="phantom",
        meaning="HCC",
    )
    assert [path.name for path in drawn] == ["specimen_0003_profile.png", "specimen_0003_saliency.png"]
    for path in drawn:
        with Image.open(path) as picture:
            assert min(picture.size) > 200
