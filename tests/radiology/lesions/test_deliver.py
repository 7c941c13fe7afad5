"""Deliver: a study and its lesions come back as DICOM that a validator passes, each lesion at its place."""

import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pandas as pd
import pydicom
import pytest
from services import program

from hepatica.cohort import load_cohort
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.lesions import deliver
from hepatica.radiology.lesions.crops import Cropping
from hepatica.radiology.lesions.deliver import deliver_lesions, on_grid
from hepatica.radiology.lesions.store import LesionStore, Reading, Scale, prepare
from hepatica.radiology.phantom import PhantomSettings, phantom_ct
from hepatica.radiology.slicing import WINDOWS
from hepatica.systems.yasaka_2018 import SYSTEM

MODEL = ModelIdentity(system="yasaka_2018", version="0", digest="ab" * 32, doi="10.1148/radiol.2017170706", note="")
READING = Reading(
    phases=("portal venous", "arterial"), absent="refuse", cropping=Cropping(voxels=(6, 16, 16), share=0.7)
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LesionStore]:
    folder = tmp_path_factory.mktemp("lesions")
    small = PhantomSettings(matrix=96, slices=14, thickness_mm=12)
    phantom_ct(folder / "c", patients=1, seed=3, population=replace(SYSTEM.population, hcc_share=1.0), settings=small)
    cohort = load_cohort(folder / "c")
    scale = Scale(kind="window", window=WINDOWS["liver"])
    return folder / "c", prepare(
        cohort.specimens_of("ct"), cohort.lesions, reading=READING, scale=scale, folder=folder / "s"
    )


def said(store: LesionStore, score: float) -> Inference:
    keys = store.index[["patient_id", "specimen_id", "lesion_id"]]
    about = {"task": "binary", "endpoint": "mvi", "horizon_months": 0.0, "class_or_quantity": None}
    lesions = keys.assign(score=score, **about)
    specimens = lesions.drop(columns="lesion_id").drop_duplicates("specimen_id")
    return Inference(specimens=specimens, regions=keys.assign(score=score), signatures=np.zeros((len(keys), 2)),
                     lesions=lesions)  # fmt: skip


def test_a_study_is_called_by_its_first_question_and_a_survival_by_its_event() -> None:
    rows = pd.DataFrame(
        {
            "task": ["multi_class", "multi_class", "binary", "survival"],
            "endpoint": ["response_class", "response_class", "response", "overall_survival"],
            "horizon_months": [pd.NA, pd.NA, 0.0, pd.NA],
            "class_or_quantity": ["PR", "SD", pd.NA, pd.NA],
            "score": [0.2, 0.3, 0.48, 1.5],
        }
    )
    assert deliver._called(rows, {"response": 0.4}) == "SD"
    assert deliver._called(rows[2:], {"response": 0.4}) == "high"
    assert [*deliver.values_of(rows)][2:] == ["probability of response", "risk of death"]


def test_files_pass_the_validator_and_lesions_lie_where_the_table_has_them(store, tmp_path: Path) -> None:
    folder, crops = store
    cohort = load_cohort(folder)
    (specimen,) = cohort.specimens
    maps = lambda values: values[..., 0] * 0 + 0.5  # noqa: E731
    paths = deliver_lesions(
        specimen, material=crops, inference=said(crops, 0.8), settings=None, cutoffs={"mvi": 0.6}, saliency=maps,
        model=MODEL, folder=tmp_path,
    )  # fmt: skip
    assert [each.name for each in paths] == ["sr.dcm", "saliency_map_1.dcm"]
    content = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(paths[0])).content
    (study,), lesions = content.get_image_measurement_groups(), content.get_planar_roi_measurement_groups()
    assert [each.name.meaning for each in study.get_measurements()] == ["probability of mvi"]
    assert any(each.value.meaning == "high" for each in study.get_qualitative_evaluations())
    assert len(lesions) == len(cohort.lesions) == len(crops)
    for lesion, row in zip(lesions, cohort.lesions.to_dict("records"), strict=True):
        away = lesion.roi.value[0] - [row["x_mm"], row["y_mm"], row["z_mm"]]
        assert np.abs(away).max() < 12  # a box's centre is not that of mass
    validator = program("dciodvfy")  # last: without it the rest is tested all the same
    for path in paths:
        found = subprocess.run([validator, path], capture_output=True, text=True, check=False).stderr
        assert "Error" not in found, (path.name, found)


def test_no_file_of_what_is_no_dicom(store, tmp_path: Path) -> None:
    folder, crops = store
    (specimen,) = load_cohort(folder).specimens
    named = replace(crops, specimens=crops.specimens.assign(series="another"))
    given = {"settings": None, "cutoffs": {}, "saliency": None, "model": MODEL, "folder": tmp_path}
    assert deliver_lesions(specimen, material=named, inference=said(crops, 0.1), **given) == []


def test_saliency_returns_to_its_voxels() -> None:
    grid = Geometry(shape=(4, 6, 8), spacing=(5.0, 1.0, 1.0), origin=(10.0, 20.0, 30.0))
    crop = Geometry(shape=(2, 3, 4), spacing=(5.0, 1.0, 1.0), origin=(13.0, 22.0, 35.0))
    maps = np.arange(1, 49, dtype=np.float32).reshape(2, 2, 3, 4) / 48
    found = on_grid(maps, [crop] * len(maps), grid)
    expected = np.zeros((4, 6, 8), np.float32)
    expected[1:3, 2:5, 3:7] = maps[1]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_saliency_beside_the_grid_is_left_out() -> None:
    grid = Geometry(shape=(4, 6, 8), spacing=(5.0, 1.0, 1.0), origin=(10.0, 20.0, 30.0))
    crop = Geometry(shape=(1, 3, 4), spacing=(5.0, 1.0, 1.0), origin=(130.0, 22.0, 35.0))
    assert not on_grid(np.ones((1, 3, 4)), [crop], grid).any()
