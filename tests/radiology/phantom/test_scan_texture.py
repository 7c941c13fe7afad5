import numpy as np
import pytest
from scipy import ndimage

from hepatica.cohort import SpecimenError
from hepatica.radiology.phantom.noise import scanner_noise
from hepatica.radiology.phantom.scan_texture import scan_blur, scan_noise


def scan(*, blur: float, grain: float, strength: float = 15, shape: tuple[int, int, int] = (6, 160, 160)) -> np.ndarray:
    """A body of 60 HU in air as a scanner of known blur (pixels) and noise shows it."""
    rng = np.random.default_rng(0)
    y, x = np.ogrid[-1 : 1 : shape[1] * 1j, -1 : 1 : shape[2] * 1j]
    body = np.where((x / 0.8) ** 2 + (y / 0.7) ** 2 < 1, 60.0, -1000.0)
    seen = np.broadcast_to(ndimage.gaussian_filter(body, blur), shape)
    return np.asarray(seen + strength * scanner_noise(rng, shape=(1, *shape), grain=grain)[0], dtype=np.float32)


def middle(shape: tuple[int, ...]) -> np.ndarray:
    """A liver where no edge is near."""
    liver = np.zeros(shape, dtype=bool)
    liver[:, 40:120, 40:120] = True
    return liver


def neighbours(noise: np.ndarray) -> list[float]:
    """Correlation of voxels one apart down, one apart across, and three apart across."""
    pairs = (noise[:, 1:], noise[:, :-1]), (noise[..., 1:], noise[..., :-1]), (noise[..., 3:], noise[..., :-3])
    return [float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) for one, other in pairs]


@pytest.mark.parametrize("blur", [0.5, 0.8, 1.2])
def test_the_blur_is_found(blur: float) -> None:
    assert scan_blur(scan(blur=blur, grain=0.7)) == pytest.approx(blur, rel=0.1)


def test_without_edges_a_usual_blur_is_taken() -> None:
    assert scan_blur(np.full((2, 32, 32), 60, dtype=np.float32)) == 0.8


@pytest.mark.parametrize(("grain", "strength"), [(0.6, 10), (1.2, 25)])
def test_noise_has_the_strength_and_the_texture_of_the_scan(grain: float, strength: float) -> None:
    values = scan(blur=0.8, grain=grain, strength=strength)
    liver = middle(values.shape)
    noise = scan_noise(np.random.default_rng(1), values, liver=liver, shape=(5, 90, 70))
    assert noise.shape == (5, 90, 70)
    assert noise.std() == pytest.approx(strength, rel=0.12)
    assert neighbours(noise) == pytest.approx(neighbours(values[:, 40:120, 40:120]), abs=0.08)


def test_slices_that_share_noise_share_it_again() -> None:
    values = scan(blur=0.8, grain=0.7, shape=(12, 160, 160))
    thick = ndimage.uniform_filter(values, (3, 0, 0))
    noise = scan_noise(np.random.default_rng(1), thick, liver=middle(thick.shape), shape=(10, 80, 80))
    shared = np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1]
    assert shared > 0.35  # two thirds of it, less what patches of four slices cannot tell


def test_noise_of_a_shape_smaller_than_its_grain_is_drawn() -> None:
    values = scan(blur=0.8, grain=1.5)
    assert np.isfinite(scan_noise(np.random.default_rng(1), values, liver=middle(values.shape), shape=(1, 3, 5))).all()


def test_a_liver_too_small_to_measure_is_refused() -> None:
    values = scan(blur=0.8, grain=0.7)
    liver = np.zeros(values.shape, dtype=bool)
    liver[:, 80:90, 80:90] = True
    with pytest.raises(SpecimenError, match="mask of a whole liver"):
        scan_noise(np.random.default_rng(1), values, liver=liver, shape=(5, 9, 9))
