from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.cohort.phantom import SUSPECTED, Lesion, draw_patients
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import Volume, read_volume
from hepatica.radiology.masks.mask import read_mask
from hepatica.radiology.phantom.enhancement import PHASES
from hepatica.radiology.phantom.insert import insert_lesions, scan_blur, scan_noise
from hepatica.radiology.phantom.scanner import HOSPITALS, PhantomSettings, scanner_noise
from hepatica.radiology.phantom.study import draw_study

NOBODY_ILL = replace(SUSPECTED, hcc_share=0, controls_have_lesions=False, metavir_control=(1.0, 0.0, 0.0, 0.0, 0.0))
ARRIVED = {"plain": -9, "arterial": 50, "portal venous": -20, "delayed": -23}
"""HU of the phantom's HCC less those of its liver."""


@cache
def healthy(phase: str) -> tuple[Volume, np.ndarray]:
    """A scan of a phantom without lesion stands for a real one; and its liver."""
    patient = draw_patients(1, population=NOBODY_ILL)[0]
    settings = PhantomSettings(matrix=160, slices=20)
    study = draw_study(generator(3, "study"), patient, hospital=HOSPITALS["A"], difficulty=0, settings=settings)
    values = study.values[PHASES.index(phase)].astype(np.float32)
    geometry = replace(study.geometry, origin=(0.0, 0.0, 0.0))
    volume = Volume(values=values, geometry=geometry, units="HU", measured=np.ones(len(values), dtype=bool))
    return volume, study.mask > 0


def lesion(kind: str = "hcc", diameter_cm: float = 4) -> Lesion:
    return Lesion(kind=kind, diameter_cm=diameter_cm)


@cache
def inserted(kind: str = "hcc", *, phase: str = "arterial", difficulty: float = 0, seed: int = 0) -> Any:
    volume, liver = healthy(phase)
    return insert_lesions(volume, liver=liver, phase=phase, lesions=[lesion(kind)], seed=seed, difficulty=difficulty)


def contrast(values: np.ndarray, mask: np.ndarray) -> float:
    """Median HU of the inner lesion less those of the liver around it."""
    inner = ndimage.binary_erosion(mask == 2, np.ones((1, 3, 3)), iterations=2)
    around = ndimage.binary_dilation(mask == 2, np.ones((1, 3, 3)), iterations=8) & (mask == 1)
    return float(np.median(values[inner]) - np.median(values[around]))


@pytest.mark.parametrize("phase", PHASES)
def test_contrast_to_the_liver_is_that_of_the_phase(phase: str) -> None:
    assert contrast(*inserted(phase=phase)) == pytest.approx(ARRIVED[phase], abs=8)


def test_difficulty_takes_contrast_away() -> None:
    easy, hard = (contrast(*inserted(difficulty=difficulty)) for difficulty in (0, 1))
    assert hard == pytest.approx(0.4 * easy, abs=6)


@pytest.mark.parametrize("fat", [0, 50])
def test_water_is_water_in_any_liver(fat: float) -> None:
    """A fatty liver is darker."""
    volume, liver = healthy("portal venous")
    fatty = replace(volume, values=np.where(liver, volume.values - fat, volume.values))
    values, mask = insert_lesions(fatty, liver=liver, phase="portal venous", lesions=[lesion("cyst")], seed=0)
    inner = ndimage.binary_erosion(mask == 2, np.ones((1, 3, 3)), iterations=2)
    assert np.median(values[inner]) == pytest.approx(5, abs=5)


def test_noise_inside_is_that_of_the_liver_around() -> None:
    values, mask = inserted("cyst", phase="delayed")
    inner = ndimage.binary_erosion(mask == 2, np.ones((1, 3, 3)), iterations=2)
    steps = np.diff(values, axis=2)
    quiet = ndimage.binary_erosion(mask == 1, iterations=2)
    assert steps[inner[..., 1:]].std() == pytest.approx(steps[quiet[..., 1:]].std(), rel=0.2)


def test_what_no_lesion_reaches_stays_as_it_is() -> None:
    volume, liver = healthy("arterial")
    values, mask = inserted()
    changed = values != volume.values
    reach = ndimage.binary_dilation(mask == 2, iterations=8)
    assert changed[mask == 2].all()
    assert not changed[~reach].any()
    assert not changed[~ndimage.binary_dilation(liver, np.ones((1, 3, 3)), iterations=6)].any()
    assert np.array_equal(mask > 0, liver)


def test_a_lesion_has_its_volume_and_soft_edges() -> None:
    volume, _ = healthy("arterial")
    values, mask = inserted("cyst")
    assert (mask == 2).sum() * np.prod(volume.geometry.spacing) / 1000 == pytest.approx(4 / 3 * np.pi * 2**3, rel=0.35)
    middle = int((mask == 2).sum(axis=(1, 2)).argmax())
    edge = (mask[middle] == 2) ^ ndimage.binary_erosion(mask[middle] == 2)
    assert 12 < np.median(values[middle][edge]) < 70  # between 7 of the cyst and 72 of the liver


def test_a_lesion_too_large_is_cut_off_by_the_surface() -> None:
    volume, liver = healthy("arterial")
    values, mask = insert_lesions(volume, liver=liver, phase="arterial", lesions=[lesion("hcc", 12)], seed=0)
    changed = values != volume.values
    assert (mask == 2).sum() > 0.1 * liver.sum()
    assert not changed[~ndimage.binary_dilation(liver, np.ones((1, 3, 3)), iterations=6)].any()


def test_lesions_are_seen_whole() -> None:
    """However many slices there are to lie in, none is cut off by the scan's ends."""
    for seed in range(6):
        of_slice = (inserted(seed=seed)[1] == 2).any(axis=(1, 2))
        assert not of_slice[[0, -1]].any()


def test_the_seed_gives_place_and_shape() -> None:
    again = insert_lesions(*healthy("arterial")[:1], liver=healthy("arterial")[1], phase="arterial",
                           lesions=[lesion()], seed=0)  # fmt: skip
    assert all(np.array_equal(one, other) for one, other in zip(again, inserted(), strict=True))
    assert not np.array_equal(inserted(seed=1)[1], inserted()[1])


def test_several_lesions_have_labels_of_their_own() -> None:
    volume, liver = healthy("arterial")
    wanted = [lesion("hcc", 4), lesion("cyst", 2)]
    values, mask = insert_lesions(volume, liver=liver, phase="arterial", lesions=wanted, seed=0)
    assert set(np.unique(mask)) == {0, 1, 2, 3}
    assert np.median(values[mask == 3]) < np.median(values[mask == 1]) < np.median(values[mask == 2])


def test_the_scan_given_is_not_changed() -> None:
    volume, liver = healthy("arterial")
    before = volume.values.copy(), liver.copy()
    insert_lesions(volume, liver=liver, phase="arterial", lesions=[lesion()], seed=0)
    assert np.array_equal(volume.values, before[0])
    assert np.array_equal(liver, before[1])


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"phase": "late"}, "one of plain, arterial"),
        ({"difficulty": 1.1}, "0 \\(easy\\)"),
        ({"lesions": []}, "one or more"),
        ({"lesions": [lesion("lipoma")]}, "one of hcc"),
        ({"lesions": [lesion("hcc", 20)]}, "0.5 to 15.0 cm"),
    ],
)
def test_impossible_wishes_are_refused(wish: dict[str, Any], message: str) -> None:
    volume, liver = healthy("plain")
    with pytest.raises(SettingsError, match=message):
        insert_lesions(volume, **({"liver": liver, "phase": "plain", "lesions": [lesion()], "seed": 0} | wish))


def test_what_is_no_liver_is_refused() -> None:
    volume, liver = healthy("plain")
    rest = {"phase": "plain", "lesions": [lesion()], "seed": 0}
    with pytest.raises(SpecimenError, match="Hounsfield"):
        insert_lesions(replace(volume, units="grey"), liver=liver, **rest)
    with pytest.raises(SpecimenError, match="those of the volume"):
        insert_lesions(volume, liver=liver[1:], **rest)
    with pytest.raises(SpecimenError, match="no liver is marked"):
        insert_lesions(volume, liver=np.zeros_like(liver), **rest)
    with pytest.raises(SpecimenError, match="check the mask"):
        insert_lesions(volume, liver=volume.values < -900, **rest)


def test_a_real_scan_takes_a_lesion(real) -> None:
    (series,) = read_study(real / "totalsegmentator/dicom").series
    volume = read_volume(series)
    mask_file = real / "totalsegmentator/example_seg_dicom.nii.gz"
    liver = read_mask(mask_file, geometry=volume.geometry, only="liver")
    values, mask = insert_lesions(volume, liver=liver, phase="arterial", lesions=[lesion("hcc", 3)], seed=0)
    assert contrast(values, mask) == pytest.approx(50, abs=8)
    assert values[mask == 2].std() == pytest.approx(volume.values[liver].std(), rel=0.3)


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
