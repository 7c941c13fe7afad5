import numpy as np
import pytest

from hepatica.radiology.phantom.anatomy import Anatomy, draw_anatomy
from hepatica.radiology.phantom.enhancement import Tissue
from hepatica.radiology.phantom.scanner import PhantomSettings
from hepatica.radiology.phantom.shapes import Grid, grid_of


@pytest.fixture(scope="module")
def grid() -> Grid:
    return grid_of(PhantomSettings(matrix=96))


def draw(grid: Grid, seed: int = 0, *, fibrosis: int = 0, invasion: bool = False) -> Anatomy:
    return draw_anatomy(np.random.default_rng(seed), grid, fibrosis=fibrosis, invasion=invasion, flat_table=False)


def middle(grid: Grid, where: np.ndarray) -> np.ndarray:
    """Millimetres to the patient's left, to the back, to the head."""
    z, y, x = np.nonzero(where)
    return np.array([grid.x.ravel()[x].mean(), grid.y.ravel()[y].mean(), grid.z.ravel()[z].mean()])


@pytest.mark.parametrize("seed", range(3))
def test_every_organ_is_there_and_tumour_in_the_vein_only_when_told(grid: Grid, seed: int) -> None:
    found = set(np.unique(draw(grid, seed).labels))
    assert set(Tissue) - found == {Tissue.TUMOUR_THROMBUS}
    assert Tissue.TUMOUR_THROMBUS in draw(grid, seed, invasion=True).labels


def test_organs_lie_on_their_side(grid: Grid) -> None:
    labels = draw(grid).labels
    place = {tissue: middle(grid, labels == tissue) for tissue in Tissue if tissue in labels}
    assert place[Tissue.LIVER][0] < -30 < 60 < place[Tissue.SPLEEN][0]
    assert place[Tissue.VENA_CAVA][0] < 0 < place[Tissue.AORTA][0]
    assert place[Tissue.BONE][1] > 20
    assert place[Tissue.KIDNEY_MEDULLA][2] < 0 < place[Tissue.LUNG][2]


def test_fibrosis_enlarges_the_spleen(grid: Grid) -> None:
    volumes = [(draw(grid, fibrosis=stage).labels == Tissue.SPLEEN).sum() for stage in (0, 2, 4)]
    assert volumes == sorted(volumes)
    assert volumes[2] > 1.3 * volumes[0]


def test_the_liver_is_one_of_human_size(grid: Grid) -> None:
    for seed in range(3):
        litres = draw(grid, seed).liver.sum() * grid.pixel**2 * grid.thickness / 1e6
        assert 0.9 < litres < 2.4
