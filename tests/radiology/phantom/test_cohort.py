import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest

from hepatica.cohort import CohortError, SettingsError, Status, load_cohort
from hepatica.radiology.phantom import PhantomSettings, phantom_ct

SMALL = PhantomSettings(matrix=64, slices=6, expert_share=0.4)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def slices(path: Path) -> list[pydicom.Dataset]:
    with zipfile.ZipFile(path) as archive:
        return [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phantom_ct(tmp_path_factory.mktemp("phantom") / "A", patients=4, seed=5, settings=SMALL)


def test_the_cohort_loads(folder: Path) -> None:
    cohort = load_cohort(folder)
    assert (cohort.name, cohort.hospital, cohort.phantom) == ("phantom_A", "A", True)
    assert cohort.endpoints == {"hcc": Status(name="hcc", column="hcc")}
    assert list(cohort.patients.index) == ["A-0001", "A-0002", "A-0003", "A-0004"]
    assert cohort.patients.hcc.sum() == 2
    assert {specimen.modality for specimen in cohort.specimens} == {"ct"}


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert digests(phantom_ct(tmp_path / "again", patients=4, seed=5, settings=SMALL)) == digests(folder)


def test_patients_differ(folder: Path) -> None:
    pixels = {slices(path)[0].PixelData for path in (folder / "studies").glob("*.zip")}
    uids = {header.SOPInstanceUID for path in (folder / "studies").glob("*.zip") for header in slices(path)}
    assert len(pixels) == 4
    assert len(uids) == 4 * 4 * SMALL.slices


def test_the_truth_stays_out_of_the_tables(folder: Path) -> None:
    told = set(pd.read_csv(folder / "patients.csv").columns)
    assert not told & (set(pd.read_csv(folder / "truth.csv").columns) - {"patient_id", "kind"})
    made = json.loads((folder / "truth.json").read_text())
    assert (made["seed"], made["difficulty"], made["patients"]) == (5, 0.5, 4)
    assert made["settings"]["metavir_hcc"] == list(SMALL.metavir_hcc)


def test_masks_lie_where_the_slices_lie(folder: Path) -> None:
    mask = nibabel.load(folder / "masks" / "0001.nii.gz")
    lowest = slices(folder / "studies" / "0001.zip")[SMALL.slices - 1]
    right, front, height = mask.affine @ [0, 0, 0, 1] @ np.diag([-1, -1, 1, 1])[:, :3]
    assert lowest.ImagePositionPatient == pytest.approx([right, front, height])
    assert mask.shape == (lowest.Columns, lowest.Rows, SMALL.slices)
    assert (np.asarray(mask.dataobj) == 1).any()


def test_every_lesion_is_in_its_mask(folder: Path) -> None:
    path = pd.read_csv(folder / "specimens.csv", dtype=str).set_index("patient_id").path
    for patient, lesions in pd.read_csv(folder / "truth.csv").groupby("patient_id"):
        mask = np.asarray(nibabel.load(folder / "masks" / path[patient].replace("zip", "nii.gz")).dataobj)
        assert mask.max() == 1 + len(lesions)


def test_experts_outline_the_nodules_of_some(folder: Path) -> None:
    table = pd.read_csv(folder / "specimens.csv", dtype=str, keep_default_na=False)
    named = table[table.nodule_mask != ""]
    assert set(named.nodule_mask) == {f"experts/{path.name}" for path in (folder / "studies" / "experts").iterdir()}
    hcc = pd.read_csv(folder / "patients.csv", index_col="patient_id").hcc
    assert sorted(hcc[named.patient_id]) == [0, 1]
    for path, name in zip(named.path, named.nodule_mask, strict=True):
        outlined = nibabel.load(folder / "studies" / name)
        truth = nibabel.load(folder / "masks" / path.replace("zip", "nii.gz"))
        assert np.array_equal(outlined.dataobj, np.asarray(truth.dataobj) >= 2)
        assert np.array_equal(outlined.affine, truth.affine)
        assert outlined.get_data_dtype() == np.uint8


def test_an_expert_who_saw_no_nodule_says_so(tmp_path: Path) -> None:
    made = phantom_ct(tmp_path / "all", patients=6, seed=5, settings=replace(SMALL, expert_share=1))
    table = pd.read_csv(made / "specimens.csv").set_index("patient_id")
    lesions = pd.read_csv(made / "patients.csv").set_index("patient_id").tumour_number
    found = [np.asarray(nibabel.load(made / "studies" / name).dataobj).any() for name in table.nodule_mask]
    assert list(lesions[table.index] > 0) == found
    assert not all(found)


def test_a_stopped_call_goes_on_to_the_same_bytes(folder: Path) -> None:
    before = digests(folder)
    times = {path: path.stat().st_mtime_ns for path in (folder / "studies").glob("*.zip")}
    lost = folder / "studies" / "0003.zip"
    lost.unlink()
    next((folder / "studies" / "experts").iterdir()).unlink()
    (folder / "cohort.toml").unlink()
    phantom_ct(folder, patients=4, seed=5, settings=SMALL)
    assert digests(folder) == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items() if path != lost)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 6}, "seed"),
        ({"difficulty": 0.25}, "difficulty"),
        ({"patients": 5}, "patients"),
        ({"settings": replace(SMALL, slices=5)}, "settings"),
    ],
)
def test_another_cohort_in_the_same_folder_is_refused(folder: Path, change: dict[str, Any], named: str) -> None:
    before = digests(folder)
    with pytest.raises(CohortError, match=f"made with another {named}"):
        phantom_ct(folder, **({"patients": 4, "seed": 5, "settings": SMALL} | change))
    assert digests(folder) == before


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("patient_id\nreal\n")
    with pytest.raises(CohortError, match="not empty"):
        phantom_ct(tmp_path, patients=1, settings=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["patients.csv"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "1 or more"),
        ({"difficulty": 1.5}, "0 \\(easy\\) to 1"),
        ({"hospital": "C"}, "one of A, B"),
        ({"settings": replace(SMALL, matrix=32)}, "64 pixels"),
        ({"settings": replace(SMALL, expert_share=1.1)}, "share of 1.1"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        phantom_ct(tmp_path / "new", **({"patients": 1} | wrong))
    assert not (tmp_path / "new").exists()
