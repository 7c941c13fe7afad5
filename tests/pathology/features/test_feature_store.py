"""Feature store: what the encoder says of each tile, whichever way it was read, once a slide and after any kill."""

import pickle
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.preparation import Ledger
from hepatica.networks.multiple_instance import Scaled
from hepatica.pathology.features import feature_store
from hepatica.pathology.features.feature_store import describe, prepare
from hepatica.pathology.features.room import measure as measure_features
from hepatica.pathology.measures import TOLERANCES, measure
from hepatica.pathology.stain import StainSettings
from hepatica.pathology.store import prepare as prepare_tiles
from hepatica.pathology.tiles import Tiling

TILING = Tiling(side=64)


class Colours(nn.Module):
    """Mean red, green and blue, and how many tiles it got at once at most."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(255.0))
        self.most = 0

    def forward(self, images: Tensor) -> Tensor:
        self.most = max(self.most, len(images))
        return self.scale * images.mean(dim=(2, 3))


@pytest.fixture
def specimens(slides):
    paths = [slides.pyramid(slides.picture(seed=1), name="Jane_Doe.tif"), slides.tiff(slides.picture(seed=2))]
    return [slides.specimen(path, row=row) for row, path in enumerate(paths, start=2)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features"


def store_of(specimens, folder, *, encoder=Colours, tiling=TILING, stain=None, batch=7, made_by="colours", width=3):
    settings = {"made_by": made_by, "width": width, "batch": batch, "progress": False}
    return prepare(specimens, tiling=tiling, stain=stain, encoder=encoder, folder=folder, **settings)


@pytest.mark.parametrize("stain", [None, StainSettings()])
def test_features_are_those_of_the_tiles(specimens, folder, tmp_path, stain) -> None:
    network = Colours()
    found = store_of(specimens, folder, encoder=lambda: network, stain=stain)
    tiles = prepare_tiles(specimens, tiling=TILING, stain=stain, folder=tmp_path / "tiles", progress=False)
    pd.testing.assert_frame_equal(found.index, tiles.index)
    wanted = tiles.read(np.arange(len(tiles))).mean(axis=(1, 2))
    np.testing.assert_allclose(found.read(np.arange(len(found))), wanted, rtol=1e-5)
    some = np.array([5, 0, len(found) - 1, 5])
    np.testing.assert_allclose(found.read(some), wanted[some], rtol=1e-5)
    assert network.most == 7
    assert not list(folder.glob("*.safetensors"))  # no tile is stored


def test_slides_are_measured_as_those_cut_into_tiles(specimens, folder, tmp_path) -> None:

    own = measure_features(store_of(specimens, folder))
    tiles = measure(prepare_tiles(specimens, tiling=TILING, folder=tmp_path / "tiles", progress=False))
    assert set(TOLERANCES) <= set(own)
    pd.testing.assert_frame_equal(own[[*TOLERANCES]], tiles[[*TOLERANCES]], check_exact=False, rtol=1e-5)


def test_a_slide_is_described_once(specimens, folder) -> None:
    first = store_of(specimens, folder)
    again = store_of(specimens, folder, encoder=lambda: pytest.fail("the encoder was built again"))
    pd.testing.assert_frame_equal(first.specimens, again.specimens)
    assert not any("Doe" in each.name for each in folder.rglob("*"))
    other = store_of(specimens, folder, made_by="another")
    assert set(other.specimens["key"]).isdisjoint(first.specimens["key"])


def test_a_kill_in_between_leaves_what_was_done(specimens, folder, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def killed(*args, **kwargs) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(describe(*args, **kwargs))

    monkeypatch.setattr(feature_store, "describe", killed)
    with pytest.raises(KeyboardInterrupt):
        store_of(specimens, folder)
    assert len(list(folder.glob("*.h5"))) == 1
    monkeypatch.undo()
    assert store_of(specimens, folder).specimens["specimen_id"].tolist() == ["s2", "s3"]


def test_the_same_whether_killed_or_batched_otherwise(specimens, folder, tmp_path) -> None:
    one, other = store_of(specimens, folder), store_of(specimens, tmp_path / "other", batch=1000)
    everything = np.arange(len(one))
    np.testing.assert_allclose(one.read(everything), other.read(everything), rtol=1e-6)


def test_it_travels_to_another_process_and_is_selected(specimens, folder) -> None:
    found = store_of(specimens, folder)
    moved = pickle.loads(pickle.dumps(found))
    assert np.array_equal(moved.read(np.arange(3)), found.read(np.arange(3)))
    own = found.select(patient_ids=["p3"])
    rows = np.flatnonzero(found.index["patient_id"] == "p3")
    assert np.array_equal(own.read(np.arange(len(own))), found.read(rows))


def test_layers_are_scaled_by_the_training_patients(specimens, folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_store, "_PART", 5)
    found, network = store_of(specimens, folder), nn.Sequential(Scaled(3), nn.Linear(3, 1))
    found.standardise(network, patients=["p3"])
    own = found.select(patient_ids=["p3"])
    scaled = network[0](torch.from_numpy(own.read(np.arange(len(own)))))
    torch.testing.assert_close(scaled.mean(dim=0), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(dim=0, correction=0), torch.ones(3), atol=1e-3, rtol=0)


def brought(specimen, path: Path, *, width=3, encoder: str | None = None):
    """The specimen with a file of features as CLAM writes it, or one that says its encoder."""
    with h5py.File(path, "w") as file:
        file["features"] = np.arange(2 * width, dtype=np.float32).reshape(2, width)
        file["coords"] = np.array([[0, 0], [128, 0]], np.int32)
        file.attrs.update({"encoder": encoder} if encoder else {})
    return replace(specimen, attachments={"features": path})


def test_features_that_come_with_a_slide_are_taken(specimens, folder, tmp_path) -> None:
    given = [brought(each, tmp_path / f"{number}.h5") for number, each in enumerate(specimens)]
    found = store_of(given, folder, made_by="elsewhere", encoder=lambda: pytest.fail("the encoder was built"))
    assert found.read(np.array([1])).tolist() == [[3, 4, 5]]
    assert found.index["extent"].tolist() == [128] * 4
    assert found.specimens["features_mean"].tolist() == [2.5, 2.5]
    assert not list(folder.glob("*.h5"))  # they stay where they are
    bare = replace(specimens[0], path=given[0].attachments["features"])
    assert store_of([bare], folder, made_by="elsewhere").read(np.array([0])).tolist() == [[0, 1, 2]]


def test_features_of_another_encoder_or_width_are_refused(specimens, folder, tmp_path) -> None:
    right = brought(specimens[0], tmp_path / "right.h5", encoder="x" * 32)
    wrong = [
        brought(specimens[1], tmp_path / "wrong.h5", encoder="y" * 32),
        brought(specimens[1], tmp_path / "wide.h5", width=4, encoder="x" * 32),
    ]
    for each in wrong:
        found = store_of([right, each], folder, made_by="x" * 32)
        assert "wanted 3 of xxxxxxxxxxxx" in found.failures["error"].item()
        assert found.specimens["specimen_id"].tolist() == ["s2"]


def test_features_that_come_with_a_region_are_refused(specimens, folder, tmp_path) -> None:
    """Nothing would restrict them to it."""
    given = [brought(each, tmp_path / f"{number}.h5") for number, each in enumerate(specimens)]
    store_of(given, folder, made_by="elsewhere")
    part = replace(given[1], attachments={**given[1].attachments, "region": tmp_path / "a.geojson"})
    found = store_of([given[0], part], folder, made_by="elsewhere")
    assert "column region" in found.failures["error"].item()


def test_features_of_another_slide_are_refused(specimens, folder, tmp_path) -> None:
    """One corner lies beyond the slide, which another or a finer level has."""
    given = [brought(each, tmp_path / f"{number}.h5") for number, each in enumerate(specimens)]
    with h5py.File(tmp_path / "1.h5", "r+") as file:
        file["coords"][-1] = 100_000
    found = store_of(given, folder, made_by="elsewhere")
    assert found.failures["row"].tolist() == [3]
    assert "of another slide" in found.failures["error"].iloc[0]


def test_a_slide_that_gives_nothing_is_a_failure_with_its_reason(slides, specimens, folder) -> None:
    blank = slides.specimen(slides.tiff(np.full((512, 640, 3), 244, np.uint8), name="blank.tif"), row=9)
    found = store_of([*specimens, blank], folder)
    assert found.failures["error"].str.contains("no tissue").tolist() == [True]
    assert "no tissue" in (Ledger(folder / "ledger").error(next(iter(_keys(folder, 9)))) or "")
    with pytest.raises(SpecimenError, match="none of 1 slides gave features"):
        store_of([blank], folder)


def _keys(folder: Path, row: int) -> list[str]:
    ledger = Ledger(folder / "ledger")
    return [each.stem for each in ledger.folder.glob("*.json") if ledger.read(each.stem)["row"] == row]
