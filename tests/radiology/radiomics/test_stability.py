import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.radiomics import Perturbation, RadiomicsSettings, stability
from hepatica.radiology.radiomics.stability import perturbed

SPACING = (2.0, 1.0, 1.0)


def lesion(radius: float, *, seed: int = 0, level: float = 60) -> tuple:
    z, y, x = np.mgrid[-8:9, -16:17, -16:17] * np.array(SPACING)[:, None, None, None]
    mask = z**2 + y**2 + x**2 < radius**2
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=mask.shape), 1.5)
    return level + 100 * noise, mask, SPACING


@pytest.fixture(scope="module")
def generator() -> np.random.Generator:
    return np.random.default_rng(1)


def test_what_is_not_changed_is_the_same(generator) -> None:
    values, mask, _ = lesion(9)
    moved, inside, _ = perturbed((values, mask, SPACING), Perturbation(), rng=generator)
    np.testing.assert_allclose(moved, values)
    np.testing.assert_array_equal(inside, mask)


def test_a_quarter_turn_is_a_quarter_turn(generator) -> None:
    values, mask, _ = lesion(9)
    mask = mask & (np.arange(33) < 20)  # not the same from all sides
    mask[:, :8] = False
    values[~mask] = 0
    turned, inside, _ = perturbed((values, mask, SPACING), Perturbation(degrees=90), rng=generator)
    assert inside.sum() == pytest.approx(mask.sum(), rel=0.03)
    assert turned.sum() == pytest.approx(values.sum(), rel=0.03)
    span, before = (np.ptp(np.argwhere(each), axis=0) for each in (inside, mask))
    assert abs(span[[2, 1]] - before[1:]).max() <= 1


@pytest.mark.parametrize(("grow", "radius"), [(1.0, 10), (-1.0, 8)])
def test_an_outline_grows_by_millimetres(generator, grow, radius) -> None:
    _, inside, _ = perturbed(lesion(9), Perturbation(grow_mm=grow), rng=generator)
    assert inside.sum() * 2 == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.1)


def test_noise_has_the_sd_it_is_given(generator) -> None:
    values, mask, spacing = lesion(9)
    noisy, _, _ = perturbed((values, mask, spacing), Perturbation(noise=7.0), rng=generator)
    assert (noisy - values).std() == pytest.approx(7, rel=0.03)


def test_size_is_stable_and_the_extremes_are_not() -> None:
    # Six lesions of unlike size and alike texture: noise decides their darkest voxel, not their volume.
    lesions = [lesion(radius, seed=radius) for radius in range(6, 12)]
    settings = RadiomicsSettings(families=("shape", "first_order"))
    found = stability(lesions, settings=settings, perturbations=(Perturbation(), *[Perturbation(noise=60.0)] * 3))
    assert found.loc["morph_volume_RNU0", "icc"] == pytest.approx(1)
    assert found.loc["morph_volume_RNU0", "stable"]
    assert not found.loc["stat_minimum_1GSF", "stable"]
    assert (found["low"] <= found["icc"])[found["icc"].notna()].all()


def test_a_lesion_that_vanishes_is_left_out() -> None:
    changes = (Perturbation(), Perturbation(grow_mm=-3))
    settings = RadiomicsSettings(families=("first_order",))
    assert len(stability([lesion(2), lesion(7), lesion(9)], settings=settings, perturbations=changes)) == 41
    with pytest.raises(SpecimenError, match="got 1 lesions that outlast"):
        stability([lesion(2), lesion(9)], settings=settings, perturbations=changes)
