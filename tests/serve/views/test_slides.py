"""Slides: tiles together are the slide, at every level; what lies beside it is refused; labels are never read."""

import math
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from hepatica.cohort.errors import HepaticaError, SpecimenError
from hepatica.serve.refusals import NotFoundError
from hepatica.serve.views import slides
from hepatica.serve.views.slides import OVERLAP, TILE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A smooth slide of 700 x 520 pixels with three levels, and after it a label."""
    y, x = np.mgrid[:520, :700]
    picture = np.stack([x % 256, y % 256, (x + y) // 6], axis=-1).astype(np.uint8)
    picture[..., :2] = np.stack([x * 255 // 700, y * 255 // 520], axis=-1)
    found = tmp_path / "slide.tif"
    with tifffile.TiffWriter(found) as file:
        for step in (1, 2, 4):
            more = {} if step == 1 else {"subfiletype": 1}
            file.write(picture[::step, ::step], tile=(128, 128), photometric="rgb", compression="deflate",
                       resolution=(20000 / step,) * 2, resolutionunit="CENTIMETER", **more)  # fmt: skip
        file.write(np.full((64, 64, 3), 7, np.uint8), photometric="rgb", description="label")
    return found


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)), float)


@pytest.mark.parametrize("up", [0, 1, 2, 3])
def test_tiles_together_are_the_slide(path: Path, up: int) -> None:
    about = slides.described(path)
    deepest = math.ceil(math.log2(max(about["width"], about["height"])))
    width, height = (math.ceil(about[name] / 2**up) for name in ("width", "height"))
    whole = np.zeros((height, width, 3))
    for column in range(math.ceil(width / TILE)):
        for row in range(math.ceil(height / TILE)):
            tile = pixels(slides.tile(path, level=deepest - up, column=column, row=row))
            left, top = max(column * TILE - OVERLAP, 0), max(row * TILE - OVERLAP, 0)
            assert tile.shape[0] <= TILE + 2 * OVERLAP
            whole[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    x = (np.arange(width) + 0.5) * 2**up * 255 / 700
    assert np.abs(whole[height // 2, : width - 1, 0] - x[: width - 1]).mean() < 3
    assert about["mpp"] == pytest.approx(0.5)


@pytest.mark.parametrize("place", [(99, 0, 0), (-1, 0, 0), (10, 3, 0), (10, 0, 3), (10, -1, 0)])
def test_what_lies_beside_the_slide_is_refused(path: Path, place: tuple[int, int, int]) -> None:
    level, column, row = place
    with pytest.raises(NotFoundError):
        slides.tile(path, level=level, column=column, row=row)


def test_a_place_is_shown_small(path: Path) -> None:
    assert pixels(slides.look(path, left=100, top=50, side=200)).shape == (96, 96, 3)
    for left, side in ((900, 50), (0, 0), (-60, 50), (0, 99999)):
        with pytest.raises(NotFoundError):
            slides.look(path, left=left, top=0, side=side)


def test_a_slide_without_resolution_is_shown_without_a_scale(tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 400, 3), 200, np.uint8)).save(tmp_path / "a.png")
    assert slides.described(tmp_path / "a.png")["mpp"] is None


def test_a_replaced_file_is_read_anew(path: Path, tmp_path: Path) -> None:
    before = slides.described(path)["width"]
    path.unlink()
    Image.fromarray(np.zeros((300, 400, 3), np.uint8)).save(path)
    assert (before, slides.described(path)["width"]) == (700, 400)


@pytest.mark.parametrize("content", [b"", b"no slide at all", b"II*\0\0\0"])
def test_a_damaged_file_is_refused_without_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "Meier^Anna.svs").write_bytes(content)
    with pytest.raises(SpecimenError) as caught:
        slides.tile(tmp_path / "Meier^Anna.svs", level=0, column=0, row=0)
    assert "Meier" not in str(caught.value)
    assert isinstance(caught.value, HepaticaError)
