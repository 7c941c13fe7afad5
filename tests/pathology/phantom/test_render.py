import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import openslide
import pytest

from hepatica.cohort import SettingsError, SlidePixels, load_cohort
from hepatica.pathology.phantom import PhantomSettings, phantom_slides

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
    assert len({path.read_bytes() for path in (folder / "slides").iterdir()}) == 8


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
