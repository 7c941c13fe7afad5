import numpy as np
import pytest

from hepatica.radiology.phantom.scanner import PhantomSettings
from hepatica.radiology.phantom.shapes import Grid, ellipsoid, grid_of, tube


@pytest.fixture(scope="module")
def grid() -> Grid:
    return grid_of(PhantomSettings(matrix=100, slices=20))


def volume(grid: Grid, inside: np.ndarray) -> float:
    return float(inside.sum() * grid.pixel**2 * grid.thickness)


def test_a_sphere_has_its_volume(grid: Grid) -> None:
    sphere = ellipsoid(grid, centre=(20, -30, 5), radii=(35, 35, 35))
    assert volume(grid, sphere > 0) == pytest.approx(4 / 3 * np.pi * 35**3, rel=0.02)


def test_a_round_tube_has_its_volume_and_depth(grid: Grid) -> None:
    found = tube(grid, start=(-60, 0, 0), end=(60, 0, 0), radius=20)
    assert volume(grid, found > 0) == pytest.approx(np.pi * 20**2 * 120 + 4 / 3 * np.pi * 20**3, rel=0.03)
    assert found.max() == pytest.approx(20, abs=4)


def test_an_endless_ellipsoid_runs_through_all_slices(grid: Grid) -> None:
    through = ellipsoid(grid, centre=(0, 0, 0), radii=(30, 20, np.inf))
    assert (through == through[:1]).all()


def test_a_box_holds_its_sphere(grid: Grid) -> None:
    sphere = ellipsoid(grid, centre=(20, -30, 5), radii=(15, 15, 15)) > 0
    outside = sphere.copy()
    outside[grid.box((20, -30, 5), 15)] = False
    assert sphere.any()
    assert not outside.any()
