import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pandas as pd
import pytest

from hepatica.cohort import CohortError, SettingsError, SlidePixels, load_cohort
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
    assert (cohort.name, cohort.hospital, cohort.phantom) == ("phantom_A", "A", True)
    assert set(cohort.endpoints) == {"recurrence", "overall_survival"}
    assert list(cohort.patients.index) == ["A-0001", "A-0002", "A-0003", "A-0004"]
    assert [specimen.patient_id for specimen in cohort.specimens] == list(np.repeat(cohort.patients.index, 2))
    assert {specimen.modality for specimen in cohort.specimens} == {"slide"}


def test_openslide_opens_every_slide(folder: Path) -> None:
    for specimen in load_cohort(folder).specimens:
        with openslide.OpenSlide(specimen.path) as slide:
            assert slide.dimensions == (256, 256)
            assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)


def test_file_names_say_nothing_of_patients_or_their_order(folder: Path) -> None:
    names = pd.read_csv(folder / "specimens.csv", dtype=str).path
    assert sorted(names) == [f"{number:04d}.tif" for number in range(1, 9)]
    assert list(names) != sorted(names)


def test_the_truth_stays_out_of_the_tables(folder: Path) -> None:
    known = set(pd.read_csv(folder / "patients.csv").columns)
    truth = pd.read_csv(folder / "truth.csv")
    assert {"aggressiveness", "corrupted", "recurrence_months_uncorrupted"} <= set(truth.columns) - known
    made = json.loads((folder / "truth.json").read_text())
    assert made["settings"]["sorafenib_interaction"] == SMALL.sorafenib_interaction
    assert (made["seed"], made["difficulty"], made["patients"]) == (5, 0.5, 4)


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


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 6}, "seed"),
        ({"difficulty": 0.25}, "difficulty"),
        ({"patients": 5}, "patients"),
        ({"settings": replace(SMALL, images=1)}, "settings"),
    ],
)
def test_another_cohort_in_the_same_folder_is_refused(folder: Path, change: dict[str, Any], named: str) -> None:
    before = digests(folder)
    with pytest.raises(CohortError, match=f"made with another {named}"):
        phantom_slides(folder, **({"patients": 4, "seed": 5, "settings": SMALL} | change))
    assert digests(folder) == before


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("patient_id\nreal\n")
    with pytest.raises(CohortError, match="not empty"):
        phantom_slides(tmp_path, patients=1, settings=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["patients.csv"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "1 or more"),
        ({"difficulty": 1.5}, "0 \\(easy\\) to 1"),
        ({"hospital": "C"}, "one of A, B"),
        ({"settings": replace(SMALL, side=SlidePixels(101))}, "even number"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        phantom_slides(tmp_path / "new", **({"patients": 1} | wrong))
    assert not (tmp_path / "new").exists()


def test_hospital_b_has_other_patients_and_another_white(folder: Path, tmp_path: Path) -> None:
    other = phantom_slides(tmp_path / "B", patients=1, seed=5, hospital="B", settings=SMALL)
    assert list(load_cohort(other).patients.index) == ["B-0001"]

    def glass(cohort: Path) -> np.ndarray:
        with openslide.OpenSlide(cohort / "slides" / "0001.tif") as slide:
            return np.asarray(slide.read_region((0, 0), 0, (16, 16)).convert("RGB")).mean(axis=(0, 1))

    assert (glass(folder) > glass(other) + 4).all()
