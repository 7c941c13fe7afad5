import numpy as np
import pytest

from hepatica.cohort.phantom import Lesion
from hepatica.radiology.phantom.anatomy import Anatomy, draw_anatomy
from hepatica.radiology.phantom.lesions import FIRST_LABEL, LOOKS, ct_palette, paint, place
from hepatica.radiology.phantom.scanner import PhantomSettings
from hepatica.radiology.phantom.shapes import Grid, grid_of

SIZES = (4.0, 2.5, 2.0, 1.0)


@pytest.fixture(scope="module")
def grid() -> Grid:
    return grid_of(PhantomSettings(matrix=96, slices=24))


@pytest.fixture(scope="module")
def anatomy(grid: Grid) -> Anatomy:
    return draw_anatomy(np.random.default_rng(1), grid, fibrosis=0, invasion=False, flat_table=True)


def depth(anatomy: Anatomy) -> np.ndarray:
    return np.where(anatomy.liver, anatomy.liver_depth, -np.inf)


def lesions(kind: str) -> list[Lesion]:
    return [Lesion(kind=kind, diameter_cm=size) for size in SIZES]


def test_lesions_keep_apart(anatomy: Anatomy, grid: Grid) -> None:
    for seed in range(5):
        found = lesions("metastasis")
        centres = np.array(place(np.random.default_rng(seed), found, depth=depth(anatomy), grid=grid))
        apart = np.linalg.norm(centres[:, np.newaxis] - centres, axis=2)
        radii = np.array([lesion.radius for lesion in found])
        assert (apart + 1e3 * np.eye(len(SIZES)) > radii + radii[:, np.newaxis] - 1).all()


@pytest.mark.parametrize("kind", sorted(LOOKS))
def test_a_lesion_changes_its_own_voxels_of_the_liver_only(kind: str, anatomy: Anatomy, grid: Grid) -> None:
    rng = np.random.default_rng(0)
    first = lesions(kind)[0]
    centre = place(rng, [first], depth=depth(anatomy), grid=grid)[0]
    attenuation, mask = np.zeros((4, *grid.shape), np.float32), anatomy.liver.astype(np.uint8)
    paint(
        rng, attenuation, mask, first,
        label=FIRST_LABEL, centre=centre, liver=anatomy.liver, grid=grid, effect=1, palette=ct_palette(),
    )  # fmt: skip
    assert not attenuation[:, ~anatomy.liver].any()
    assert attenuation[:, mask == FIRST_LABEL].any(axis=0).all()
    assert not attenuation[:, grid.z.ravel() > centre[2] + 40].any()


def test_without_effect_a_lesion_has_the_level_of_the_liver(anatomy: Anatomy, grid: Grid) -> None:
    rng = np.random.default_rng(0)
    first = lesions("hcc")[0]
    centre = place(rng, [first], depth=depth(anatomy), grid=grid)[0]
    level = np.array([57, 72, 110, 97], dtype=np.float32)
    attenuation = np.broadcast_to(level[:, None, None, None], (4, *grid.shape)).copy()
    mask = anatomy.liver.astype(np.uint8)
    paint(
        rng, attenuation, mask, first,
        label=FIRST_LABEL, centre=centre, liver=anatomy.liver, grid=grid, effect=0, palette=ct_palette(),
    )  # fmt: skip
    deep = attenuation[:, mask == FIRST_LABEL]
    assert np.median(deep, axis=1) == pytest.approx(level, abs=3)
