import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest

from hepatica.cohort import SettingsError, Status, load_cohort
from hepatica.cohort.phantom import FOCAL_LESIONS, TACE
from hepatica.radiology.dicom.nifti import read_nifti
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
    assert cohort.endpoints == {"hcc": Status(name="hcc", column="hcc")}
    assert cohort.patients.hcc.sum() == 2
    assert {specimen.modality for specimen in cohort.specimens} == {"ct"}


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert digests(phantom_ct(tmp_path / "again", patients=4, seed=5, settings=SMALL)) == digests(folder)


def test_patients_differ(folder: Path) -> None:
    pixels = {slices(path)[0].PixelData for path in (folder / "studies").glob("*.zip")}
    uids = {header.SOPInstanceUID for path in (folder / "studies").glob("*.zip") for header in slices(path)}
    assert len(pixels) == 4
    assert len(uids) == 4 * 4 * SMALL.slices


def test_masks_lie_where_the_slices_lie(folder: Path) -> None:
    mask = nibabel.load(folder / "masks" / "0001.nii.gz")
    lowest = slices(folder / "studies" / "0001.zip")[SMALL.slices - 1]
    right, front, height = mask.affine @ [0, 0, 0, 1] @ np.diag([-1, -1, 1, 1])[:, :3]
    assert lowest.ImagePositionPatient == pytest.approx([right, front, height])
    assert mask.shape == (lowest.Columns, lowest.Rows, SMALL.slices)
    assert (np.asarray(mask.dataobj) == 1).any()


def test_every_lesion_is_in_its_mask(folder: Path) -> None:
    path = pd.read_csv(folder / "specimens.csv", dtype=str).set_index("patient_id").path
    for patient, lesions in pd.read_csv(folder / "lesions_truth.csv").groupby("patient_id"):
        mask = np.asarray(nibabel.load(folder / "masks" / path[patient].replace("zip", "nii.gz")).dataobj)
        assert mask.max() == 1 + len(lesions)


def test_lesions_are_located_in_their_study(folder: Path, tmp_path: Path) -> None:
    whole = load_cohort(phantom_ct(tmp_path / "all", patients=4, seed=5, settings=SMALL, endpoints="all"))
    mask = {each.specimen_id: read_nifti(each.attachments["mask"]) for each in whole.specimens}
    usual = load_cohort(folder).lesions
    assert len(usual) == len(whole.lesions) == len(pd.read_csv(folder / "lesions_truth.csv")) > 0
    for lesion in whole.lesions.itertuples():
        values, geometry = mask[lesion.specimen_id]
        place = np.linalg.inv(geometry.lps) @ [lesion.x_mm, lesion.y_mm, lesion.z_mm, 1]
        x, y, z = place[:3].round().astype(int)
        assert values[z, y, x] == lesion.segment
    assert usual.segment.isna().all()
    assert usual.drop(columns="segment").equals(whole.lesions.drop(columns="segment"))
    assert "outlines" in whole.endpoints


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
    outlined = next((folder / "studies" / "experts").iterdir())
    outlined.unlink()
    (folder / "cohort.toml").unlink()
    phantom_ct(folder, patients=4, seed=5, settings=SMALL)
    assert digests(folder) == before
    drawn = {lost.stem, outlined.name.removesuffix(".nii.gz")}
    assert all(path.stat().st_mtime_ns == time for path, time in times.items() if path.stem not in drawn)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (replace(SMALL, matrix=32), "64 pixels"),
        (replace(SMALL, expert_share=1.1), "share of 1.1"),
    ],
)
def test_impossible_wishes_are_refused(tmp_path: Path, settings: PhantomSettings, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        phantom_ct(tmp_path / "new", patients=1, settings=settings)
    assert not (tmp_path / "new").exists()


def test_a_population_of_lesions_comes_with_outlines_and_classes(tmp_path: Path) -> None:
    cohort = load_cohort(phantom_ct(tmp_path / "new", patients=4, population=FOCAL_LESIONS, settings=SMALL))
    assert all(set(each.attachments) == {"mask"} for each in cohort.specimens)
    assert cohort.lesions.segment.notna().all()
    first = cohort.lesions.groupby("patient_id").first()
    assert first.lesion_class.to_dict() == cohort.patients.largest_lesion_class.to_dict()
    assert "lesion_class" not in cohort.patients


def test_embolisation_leaves_less_that_enhances(tmp_path: Path) -> None:
    cohort = load_cohort(
        phantom_ct(tmp_path / "new", patients=3, seed=2, population=TACE, settings=SMALL, difficulty=0)
    )
    enhanced = {}
    for specimen in cohort.specimens:
        mask, _ = read_nifti(specimen.attachments["mask"])
        found = []
        for path in (specimen.path, specimen.attachments["after"]):
            series = [each for each in slices(path) if each.SeriesNumber == 2][::-1]
            values = np.stack([each.pixel_array + float(each.RescaleIntercept) for each in series])
            found.append((values[mask == 2] > 100).mean())
        enhanced[specimen.patient_id] = found[1] / found[0]
    left = cohort.patients.viable_now_mm / cohort.patients.viable_baseline_mm
    assert pd.Series(enhanced).sort_values().index.tolist() == left.sort_values().index.tolist()
    assert max(enhanced.values()) < 0.9
