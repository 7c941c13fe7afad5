import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import openslide
import pandas as pd
import pytest
import pyvips

from hepatica.cohort import SettingsError, SlidePixels, TilePixels, load_cohort
from hepatica.cohort.phantom import POPULATIONS
from hepatica.pathology.phantom import PhantomSettings, phantom_slides
from hepatica.pathology.phantom.histology import CLASSES
from hepatica.pathology.slide import open_slide
from hepatica.pathology.tissue import find_tissue

SMALL = PhantomSettings(side=SlidePixels(256))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phantom_slides(tmp_path_factory.mktemp("phantom") / "A", patients=4, seed=5, settings=SMALL)


def test_the_cohort_loads(folder: Path) -> None:
    cohort = load_cohort(folder)
    assert set(cohort.endpoints) == {"recurrence", "overall_survival"}
    assert [specimen.patient_id for specimen in cohort.specimens] == list(np.repeat(cohort.patients.index, 2))
    assert {specimen.modality for specimen in cohort.specimens} == {"slide"}


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert digests(phantom_slides(tmp_path / "again", patients=4, seed=5, settings=SMALL)) == digests(folder)


def test_openslide_opens_every_slide(folder: Path) -> None:
    for specimen in load_cohort(folder).specimens:
        with openslide.OpenSlide(specimen.path) as slide:
            assert slide.dimensions == (256, 256)
            assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)


def test_two_images_of_a_patient_differ(folder: Path) -> None:
    assert len({path.read_bytes() for path in (folder / "slides").glob("*.tif")}) == 8


def test_each_slide_has_outlines_of_what_is_on_it(folder: Path) -> None:
    for specimen in load_cohort(folder).specimens:
        features = json.loads(specimen.attachments["annotation"].read_text())["features"]
        assert {each["properties"]["classification"]["name"] for each in features} <= set(CLASSES)
        corners = np.array([corner for each in features for corner in each["geometry"]["coordinates"][0]])
        assert 0 <= corners.min() < corners.max() <= 256


def test_multiphoton_shows_cytoplasm_and_collagen(tmp_path: Path) -> None:
    settings = replace(SMALL, microscope="multiphoton", images=1)
    (specimen,) = load_cohort(phantom_slides(tmp_path / "new", patients=1, settings=settings)).specimens
    assert pyvips.Image.new_from_file(specimen.path).bands == 2
    with open_slide(specimen.path) as slide:
        picture = slide.read((0, 0), side=TilePixels(256), mpp=slide.mpp)
    tissue = find_tissue(picture).tissue
    assert 0.4 < tissue.mean() < 0.9
    red, green, blue = picture[tissue].T
    assert blue.max() == 0
    assert green.mean() > 20
    assert red.max() > 100


@pytest.mark.parametrize(
    ("name", "endpoint"), [("sequenced", "grade"), ("biopsied", "malignant"), ("transplanted", "recurrence")]
)
def test_slides_of_other_populations(name: str, endpoint: str, tmp_path: Path) -> None:
    settings = replace(SMALL, images=1, side=SlidePixels(128))
    cohort = load_cohort(phantom_slides(tmp_path / "new", patients=4, population=POPULATIONS[name], settings=settings))
    assert endpoint in cohort.endpoints
    assert {each.patient_id for each in cohort.specimens} == set(cohort.patients.index)
    assert ("section_giant" in pd.read_csv(tmp_path / "new" / "truth.csv")) == POPULATIONS[name].varied


def test_a_stopped_call_goes_on_to_the_same_bytes(folder: Path) -> None:
    before = digests(folder)
    times = {path: path.stat().st_mtime_ns for path in (folder / "slides").iterdir()}
    lost = folder / "slides" / "0003.tif"
    lost.unlink()
    (folder / "cohort.toml").unlink()
    phantom_slides(folder, patients=4, seed=5, settings=SMALL)
    assert digests(folder) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items() if path != lost)


def test_pictures_of_an_odd_side_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="even number"):
        phantom_slides(tmp_path / "new", patients=1, settings=replace(SMALL, side=SlidePixels(101)))
    assert not (tmp_path / "new").exists()


def test_hospital_b_has_other_patients_and_another_white(folder: Path, tmp_path: Path) -> None:
    other = phantom_slides(tmp_path / "B", patients=1, seed=5, hospital="B", settings=SMALL)
    assert list(load_cohort(other).patients.index) == ["B-0001"]

    def glass(cohort: Path) -> np.ndarray:
        with openslide.OpenSlide(cohort / "slides" / "0001.tif") as slide:
            return np.asarray(slide.read_region((0, 0), 0, (16, 16)).convert("RGB")).mean(axis=(0, 1))

    assert (glass(folder) > glass(other) + 4).all()
