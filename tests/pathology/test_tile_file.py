import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hepatica.pathology.tile_file import open_tiles, writing

CORNERS = np.array([[0, 0], [8, 0], [0, 8], [123456789012, 8], [8, 16]])
TILES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def write(path, *, pieces=(2, 4)):
    with writing(path, corners=CORNERS, side=8, about={"mpp": 0.5, "stain": [[0.1, 0.9]]}) as append:
        for piece in np.split(TILES, pieces):
            append(piece)


@pytest.mark.parametrize("pieces", [(), (2, 4), (1, 2, 3, 4)])
def test_what_is_written_is_read(tmp_path, pieces):
    write(tmp_path / "a.safetensors", pieces=pieces)
    opened = open_tiles(tmp_path / "a.safetensors")
    assert np.array_equal(np.stack([opened[k] for k in range(5)]), TILES)
    assert np.array_equal(opened.corners, CORNERS)
    assert opened.about == {"mpp": 0.5, "stain": [[0.1, 0.9]]}


def test_the_stream_is_a_safetensors_file_like_any_other(tmp_path):
    write(tmp_path / "a.safetensors")
    loaded = load_file(tmp_path / "a.safetensors")
    assert np.array_equal(loaded["tiles"], TILES)
    assert np.array_equal(loaded["corners"], CORNERS)


def test_absent_short_or_foreign_file_is_none(tmp_path):
    path = tmp_path / "a.safetensors"
    assert open_tiles(path) is None
    write(path)
    whole = path.read_bytes()
    for length in (0, 4, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert open_tiles(path) is None
    save_file({"weights": TILES}, path)
    assert open_tiles(path) is None


def test_broken_off_writing_leaves_nothing(tmp_path):
    wrong = np.zeros((2, 8, 8, 3), complex)
    writer = writing(tmp_path / "a.safetensors", corners=CORNERS, side=8, about={})
    with pytest.raises(np.exceptions.ComplexWarning), writer as append:
        append(wrong)
    assert list(tmp_path.iterdir()) == []


def test_too_few_tiles_are_refused(tmp_path):
    writer = writing(tmp_path / "a.safetensors", corners=CORNERS, side=8, about={})
    with pytest.raises(AssertionError, match="every corner"), writer as append:
        append(TILES[:2])
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_attempt_are_removed(tmp_path):
    mine, other = (tmp_path / f".{name}.4711.part.safetensors" for name in "ab")
    mine.touch()
    other.touch()
    write(tmp_path / "a.safetensors")
    assert not mine.exists()
    assert other.exists()
