"""Quality: a pathologist sees on one sheet what was taken for tissue and what for ink, folds and blur."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from hepatica.pathology.quality import EDGES, check_slides


@pytest.fixture
def looked_at(slides, tmp_path):
    """A good slide, one out of focus, one with a blue line beside the tissue, and one that is not readable."""
    good = slides.picture()
    blurred = gaussian_filter(good, (3, 3, 0))
    marked = good.copy()
    marked[20:60] = (40, 70, 190)
    paths = [slides.tiff(each, name=f"{n}.tif") for n, each in enumerate((good, blurred, marked))]
    (slides.folder / "lost.tif").touch()
    specimens = [slides.specimen(path, row=row) for row, path in enumerate([*paths, slides.folder / "lost.tif"], 2)]
    return check_slides(specimens, out=tmp_path / "check")


def test_what_is_wrong_with_each_slide_is_measured(looked_at):
    table, _ = looked_at
    assert table["row"].tolist() == [2, 3, 4, 5]
    assert table["tissue_share"][:3].to_numpy() == pytest.approx(np.pi / 9, rel=0.05)
    assert table["blur_share"][:3].tolist() == [0, 1, 0]
    assert table["ink_share"][:2].max() == 0
    assert table["ink_share"][2] == pytest.approx(40 / 512, rel=0.15)
    assert table["fold_share"][:3].max() < 0.01
    assert (table["reason"] == "").tolist() == [True, True, True, False]
    assert np.isnan(table["tissue_share"][3])


def test_tissue_and_ink_are_outlined_on_the_sheet(looked_at):
    _, (sheet,) = looked_at
    pixels = np.asarray(Image.open(sheet).convert("RGB")).astype(int)
    for name, least in (("tissue", 500), ("ink", 100)):
        colour = np.array([int(EDGES[name][k : k + 2], 16) for k in (1, 3, 5)])
        assert (np.abs(pixels - colour).max(axis=-1) < 12).sum() > least
