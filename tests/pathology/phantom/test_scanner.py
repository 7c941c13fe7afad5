from dataclasses import replace
from pathlib import Path

import numpy as np
import openslide
import pytest

from hepatica.cohort import MicronsPerPixel
from hepatica.pathology.phantom.histology import Uptake
from hepatica.pathology.phantom.scanner import HOSPITALS, Staining, photograph, stain, write_slide

PLAIN = replace(HOSPITALS["A"], blur=0.0, noise=0.0, white=(250, 250, 250))


def shot(haematoxylin: float, eosin: float) -> np.ndarray:
    field = np.ones((8, 8), dtype=np.float32)
    uptake = Uptake(haematoxylin=haematoxylin * field, eosin=eosin * field, collagen=field, outlined=field)
    staining = Staining(vectors=np.array([PLAIN.haematoxylin, PLAIN.eosin]), strength=np.array([1.0, 1.0]))
    return photograph(uptake, rng=np.random.default_rng(0), hospital=PLAIN, staining=staining)[4, 4]


def test_glass_is_white_and_optical_density_is_the_stain_vector() -> None:
    assert shot(0, 0) == pytest.approx(250)
    for uptake, vector in (((1, 0), PLAIN.haematoxylin), ((0, 1), PLAIN.eosin)):
        assert np.log(250 / shot(*uptake).astype(float)) == pytest.approx(vector, abs=0.01)


def test_optical_densities_add() -> None:
    together, apart = np.log(250 / shot(0.5, 0.7).astype(float)), np.array(PLAIN.haematoxylin) * 0.5
    assert together == pytest.approx(apart + 0.7 * np.array(PLAIN.eosin), abs=0.02)


@pytest.mark.parametrize("name", list(HOSPITALS))
def test_staining_is_physical_and_near_the_hospital_s_own(name: str) -> None:
    hospital = HOSPITALS[name]
    stainings = [stain(np.random.default_rng(seed), hospital=hospital) for seed in range(50)]
    vectors = np.stack([each.vectors for each in stainings])
    assert (vectors > 0).all()
    assert np.linalg.norm(vectors, axis=-1) == pytest.approx(1)
    own = np.array([hospital.haematoxylin, hospital.eosin])
    assert vectors.mean(axis=0) == pytest.approx(own / np.linalg.norm(own, axis=1, keepdims=True), abs=0.03)


def test_hospitals_differ_by_more_than_their_patients() -> None:
    a, b = HOSPITALS["A"], HOSPITALS["B"]
    angle = np.degrees(np.arccos(np.dot(a.eosin, b.eosin) / np.linalg.norm(a.eosin) / np.linalg.norm(b.eosin)))
    assert angle > 5


@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_openslide_opens_the_slide_with_its_resolution_and_levels(tmp_path: Path, mpp: float) -> None:
    picture = np.full((600, 1100, 3), (200, 120, 180), dtype=np.uint8)
    write_slide(tmp_path / "a.tif", picture, mpp=MicronsPerPixel(mpp), quality=90)
    with openslide.OpenSlide(tmp_path / "a.tif") as slide:
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(mpp, rel=1e-4)
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(mpp, rel=1e-4)
        assert slide.level_dimensions == ((1100, 600), (550, 300), (275, 150), (137, 75))
        assert slide.properties["openslide.level[0].tile-width"] == "256"
        read = np.asarray(slide.read_region((300, 300), 0, (64, 64)).convert("RGB"), dtype=float)
    assert read == pytest.approx(np.broadcast_to((200, 120, 180), read.shape), abs=4)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
