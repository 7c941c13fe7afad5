"""Feature file: field by field as TRIDENT and CLAM write it, and theirs read; half a file is none."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.pathology.features.feature_file import (
    ELSEWHERE,
    distribution,
    open_features,
    read_features,
    writing,
)

CORNERS = np.array([[0, 0], [448, 0], [0, 448]])
FEATURES = np.arange(12, dtype=np.float32).reshape(3, 4)
ABOUT = {"mpp": 0.25, "extent": 448.0, "width": 2000, "height": 1000, "saturation": 0.5}


def write(path: Path, *, parts=(2, 1)) -> Path:
    with writing(path, corners=CORNERS, width=4, side=224, mpp=0.5, encoder="abc", about=ABOUT) as append:
        for part in np.split(FEATURES, np.cumsum(parts)[:-1]):
            append(part)
    return path


def test_our_file_has_the_fields_of_tridents(tmp_path: Path) -> None:
    """As trident/IO.py (`save_h5`, `coords_to_h5`) and WSI.py (`extract_patch_features`) write them (2026)."""
    with h5py.File(write(tmp_path / "key.h5")) as file:
        assert set(file) == {"features", "coords"}
        features, coords = file["features"], file["coords"]
        assert (features.shape, features.dtype, features.maxshape) == ((3, 4), np.float32, (None, 4))
        assert (coords.shape, coords.dtype, coords.maxshape) == ((3, 2), np.int64, (None, 2))
        assert np.array_equal(features[:], FEATURES)
        assert np.array_equal(coords[:], CORNERS)
        assert dict(features.attrs) == {"name": "key", "savetodir": ""}
        assert dict(coords.attrs) == {
            "patch_size": 224,
            "patch_size_level0": 448,
            "level0_magnification": 40,
            "target_magnification": 20,
            "overlap": 0,
            "name": "key",
            "savetodir": "",
            "level0_width": 2000,
            "level0_height": 1000,
        }


def test_our_file_comes_back(tmp_path: Path) -> None:
    found = open_features(write(tmp_path / "key.h5"))
    assert found is not None
    assert (found.width, found.extent, found.encoder, dict(found.about)) == (4, 448, "abc", ABOUT)
    assert found.tile == (224, 0.5)
    assert np.array_equal(found.corners, CORNERS)
    assert found.read(np.array([2, 0, 0])).tolist() == FEATURES[[2, 0, 0]].tolist()
    assert found.read(np.array([], int)).shape == (0, 4)


def trident(path: Path, *, batched=False) -> Path:
    """What TRIDENT writes; older tools put an axis before it."""
    with h5py.File(path, "w") as file:
        features = FEATURES[None] if batched else FEATURES
        file.create_dataset("features", data=features, maxshape=(None, *features.shape[1:]), chunks=features.shape)
        coords = file.create_dataset("coords", data=CORNERS)
        coords.attrs.update({"patch_size": 256, "patch_size_level0": 512, "level0_magnification": 40, "overlap": 0})
        coords.attrs["target_magnification"] = 20
    return path


def clam(path: Path) -> Path:
    """What CLAM's extract_features_fp.py writes into h5_files: no attributes, int32."""
    with h5py.File(path, "w") as file:
        file.create_dataset("features", data=FEATURES, chunks=(1, 4), maxshape=(None, 4))
        file.create_dataset("coords", data=CORNERS.astype(np.int32), chunks=(1, 2), maxshape=(None, 2))
    return path


@pytest.mark.parametrize(("make", "extent", "tile"), [(trident, 512, (256, 0.5)), (clam, 448, None)])
def test_theirs_are_read(tmp_path: Path, make, extent: float, tile) -> None:
    found = read_features(make(tmp_path / "their.h5"))
    assert (found.width, found.extent, found.encoder, found.tile) == (4, extent, ELSEWHERE, tile)
    assert found.read(np.arange(3)).tolist() == FEATURES.tolist()


def test_the_side_of_a_tile_is_found_though_each_piece_of_tissue_has_a_grid_of_its_own(tmp_path: Path) -> None:
    """CLAM's; the second grid begins 3 pixels to the right of the first one's and 1 below. One tile alone has none."""
    path = clam(tmp_path / "c.h5")
    with h5py.File(path, "a") as file:
        grid = np.argwhere(np.ones((3, 3), bool)) * 512
        del file["coords"], file["features"]
        file["coords"], file["features"] = np.concatenate([grid, grid + np.array([1027, 4097])]), np.zeros((18, 2))
    assert read_features(path).extent == 512
    with h5py.File(path, "a") as file:
        del file["coords"], file["features"]
        file["coords"], file["features"] = np.array([[50_000, 50_000]]), np.zeros((1, 2))
    assert read_features(path).extent == 256


def test_a_batch_axis_is_dropped(tmp_path: Path) -> None:
    found = read_features(trident(tmp_path / "old.h5", batched=True))
    assert found.read(np.array([1])).tolist() == [[4, 5, 6, 7]]


def test_distribution_by_hand(tmp_path: Path) -> None:
    found = distribution(read_features(clam(tmp_path / "c.h5")))
    assert found == pytest.approx({"features_mean": 5.5, "features_sd": np.arange(12).std()})


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    path = clam(tmp_path / "c.h5")
    with h5py.File(path, "a") as file:
        file["features"][1, 1] = np.nan
    with pytest.raises(SpecimenError, match="not numbers"):
        distribution(read_features(path))


def test_half_a_file_never_appears(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="every corner"),
        writing(tmp_path / "key.h5", corners=CORNERS, width=4, side=224, mpp=0.5, encoder="abc", about=ABOUT) as append,
    ):
        append(FEATURES[:1])
    assert list(tmp_path.iterdir()) == []


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other(path: Path) -> None:
    path.write_text("no HDF5")


def without(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["coords"]


def flat(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["features"]
        file["features"] = np.zeros(4)


def shorter(path: Path) -> None:
    with h5py.File(path, "a") as file:
        file["coords"].resize(2, axis=0)


@pytest.mark.parametrize("damage", [damaged, other, without, flat, shorter])
def test_files_that_are_no_features_are_said_so(tmp_path: Path, damage) -> None:
    path = write(tmp_path / "key.h5")
    damage(path)
    with pytest.raises(SpecimenError, match="features"):
        read_features(path)
    assert open_features(path) is None
    assert open_features(tmp_path / "absent.h5") is None


def empty(file: h5py.File, name: str, count: int, width: int, kind: str = "f4") -> None:
    file.create_dataset(name, (count, width), kind, chunks=(1, width))


@pytest.mark.parametrize(
    ("features", "coords", "attributes"),
    [
        ((10**15, 4, "f4"), (10**15, 2, "i8"), {}),  # declared, not there: it would not fit into memory
        ((3, 4, "S2"), (3, 2, "i8"), {}),
        ((3, 4, "c8"), (3, 2, "i8"), {}),
        ((3, 4, "f4"), (3, 2, "S2"), {}),
        ((3, 4, "f4"), (3, 2, "i8"), {"patch_size_level0": 0}),
        ((3, 4, "f4"), (3, 2, "i8"), {"patch_size_level0": np.nan}),
        ((3, 4, "f4"), (3, 2, "i8"), {"patch_size_level0": "big"}),
        ((3, 4, "f4"), (3, 2, "i8"), {"patch_size": 256, "target_magnification": 0}),
        ((3, 4, "f4"), (3, 2, "i8"), {"patch_size": -1, "target_magnification": 20}),
        ((3, 4, "f4"), (3, 2, "i8"), {"patch_size_level0": np.array([256, 256])}),
    ],
)
def test_what_no_slide_has_is_refused_in_one_line(tmp_path: Path, features, coords, attributes) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        empty(file, "features", *features)
        empty(file, "coords", *coords)
        file["coords"].attrs.update(attributes)
    with pytest.raises(SpecimenError, match="the file of features cannot be read"):
        read_features(tmp_path / "a.h5")


@pytest.mark.parametrize("places", [CORNERS * 10**15, CORNERS.astype(float) * np.nan])
def test_places_that_lie_on_no_slide_are_refused(tmp_path: Path, places: np.ndarray) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["features"], file["coords"] = FEATURES, places
    with pytest.raises(SpecimenError, match="on no slide"):
        read_features(tmp_path / "a.h5")


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["features"], file["coords"] = h5py.SoftLink("/features"), CORNERS
    with pytest.raises(SpecimenError, match="too many links"):
        read_features(tmp_path / "a.h5")
