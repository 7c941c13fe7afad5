import numpy as np
import pytest

from hepatica.pathology.phantom.nuclei import AGGRESSIVE, LYMPHOCYTE, MILD, SPINDLE, Look, bank, between, stamp


@pytest.mark.parametrize("look", [MILD, AGGRESSIVE, LYMPHOCYTE, SPINDLE])
@pytest.mark.parametrize("diameter", [12, 22])
def test_a_nucleus_covers_the_area_of_its_diameter(look: Look, diameter: int) -> None:
    areas = [(patch > 0.4 * look.body).sum() for patch in bank(look, diameter)]
    assert np.mean(areas) == pytest.approx(np.pi * diameter**2 / 4, rel=0.15)


def test_aggressive_nuclei_show_a_nucleolus() -> None:
    def middle(look: Look) -> float:
        return float(np.mean([patch[10:-10, 10:-10].max() for patch in bank(look, 22)]))

    assert middle(AGGRESSIVE) > 1.5 * middle(MILD)


def test_between_ends_at_both_looks() -> None:
    assert between(MILD, AGGRESSIVE, 0.0) == MILD
    assert between(MILD, AGGRESSIVE, 1.0).nucleolus == pytest.approx(AGGRESSIVE.nucleolus)
    assert MILD.body < between(MILD, AGGRESSIVE, 0.5).body < AGGRESSIVE.body


def test_stamping_puts_the_nucleus_where_asked_and_never_lightens() -> None:
    canvas = np.full((60, 60), 0.2, dtype=np.float32)
    rng = np.random.default_rng(0)
    stamp(canvas, positions=np.array([[20.0, 40.0]]), diameters=np.array([10.0]), looks=[LYMPHOCYTE], rng=rng)
    rows, columns = np.nonzero(canvas > 0.5)
    assert (rows.mean(), columns.mean()) == pytest.approx((20, 40), abs=1)
    assert canvas.min() == pytest.approx(0.2)


def test_nuclei_over_the_edge_are_left_out() -> None:
    canvas = np.zeros((40, 40), dtype=np.float32)
    corner = np.array([[1.0, 1.0], [39.0, 20.0]])
    stamp(canvas, positions=corner, diameters=np.array([12, 12]), looks=[MILD] * 2, rng=np.random.default_rng(0))
    assert not canvas.any()
