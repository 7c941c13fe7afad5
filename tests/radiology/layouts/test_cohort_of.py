"""Cohort of: tiny imitations of each download, made as its layout says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK
from PIL import Image
from pydicom.dataset import Dataset

from hepatica.cohort import CohortError, SettingsError, SpecimenError, load_cohort
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.nifti import write_nifti
from hepatica.radiology.layouts import LAYOUTS, cohort_of, read_layout
from hepatica.radiology.masks.mask import outlined, read_mask

GRID = Geometry(shape=(6, 40, 48), spacing=(5.0, 0.8, 0.7), origin=(-10.0, -12.0, 0.0))


def nifti(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(path, values=np.zeros(GRID.shape, np.int16), geometry=GRID)


def nrrd(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((2, 3, 4), np.uint8)), path)


@pytest.fixture
def download(tmp_path: Path) -> Path:
    folder = tmp_path / "download"
    folder.mkdir()
    return folder


def made(download: Path, layout: str):
    result = cohort_of(download, download.with_name("cohort"), layout=layout)
    return result, load_cohort(result.folder), pd.read_csv(result.folder / "specimens.csv", dtype=str)


def waw(download: Path) -> None:
    for phase in (1, 2, 3):
        nifti(download / f"ct_scans_1/12/12_{phase}_scan.nii.gz")
    nifti(download / "ct_scans_1/30/30_1_scan.nii.gz")
    nrrd(download / "tumor_masks_wawtace_v1_08_05_2024/12/12_1_1_tumor_seg.nrrd")
    nrrd(download / "tumor_masks_wawtace_v1_08_05_2024/12/12_1_2_tumor_seg.nrrd")


WAW_TABLE = "PATPRI;age;gender_woman;lab_afp;lab_bilirubin;lab_inr;survival_time;death\n"


def test_waw_tace_takes_the_phase_with_masks_first_and_survival_in_months(download):
    waw(download)
    (download / "clinical_data_wawtace_v2.csv").write_text(WAW_TABLE + "12;66;0;12,5;1,1;1,2;365;1\n30;70;1;;;;;\n")
    result, cohort, specimens = made(download, "waw-tace")
    assert (result.patients, result.specimens, result.lesions) == (1, 1, 2)
    assert result.notes == ("1 patients without outcomes are left out",)
    row = specimens.iloc[0]
    assert (row["path"], row["phase"]) == ("data/ct_scans_1/12/12_1_scan.nii.gz", "arterial")
    assert row["portal_venous"] == "data/ct_scans_1/12/12_2_scan.nii.gz"
    assert set(cohort.specimens[0].attachments) == {"portal_venous", "delayed"}
    assert cohort.lesions["label"].tolist() == ["hcc", "hcc"]
    assert cohort.patients.loc["12", "overall_survival_months"] == pytest.approx(12 / 365.25 * 365, abs=1e-3)
    assert cohort.patients.loc["12", "afp_ng_ml"] == 12.5
    assert "CC BY 4.0" in cohort.notes


def test_without_the_table_there_are_patients_but_no_outcomes(download):
    waw(download)
    result, cohort, _ = made(download, "waw-tace")
    assert result.patients == 2
    assert not cohort.endpoints
    assert "save the set's workbook as CSV UTF-8" in result.notes[0]


def test_a_table_without_its_columns_is_refused(download):
    waw(download)
    (download / "clinical_data_wawtace_v2.csv").write_text("PATPRI,age\n12,60\n")
    with pytest.raises(CohortError, match="has no column survival_time"):
        made(download, "waw-tace")
    assert not download.with_name("cohort").exists()


def test_hcc_tace_seg_takes_the_segmented_study_alone(download, ct):
    before = download / "HCC-TACE-Seg/HCC_001/11-30-1999-NA-CT-CAP-00377"
    ct.folder = before / "4.000000-LIVER-1"
    ct.write(Modality="CT")
    ct.folder = download / "HCC-TACE-Seg/HCC_001/02-30-2000-NA-CT-00378/4.000000-LIVER-2"
    ct.write(Modality="CT")
    seg = ct.dataset(np.zeros((40, 48), np.uint16), Modality="SEG")
    segments = []
    for number, name in enumerate(["Liver", "Mass", "Portal vein"], start=1):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel = number, name
        segments.append(segment)
    seg.SegmentSequence = segments
    (before / "300.000000-Segmentation-9").mkdir()
    pydicom.dcmwrite(before / "300.000000-Segmentation-9/1-1.dcm", seg, enforce_file_format=True)
    (download / "HCC-TACE-Seg_clinical_data-V2.csv").write_text(
        "TCIA_ID,age,TTP,Censored_0_progressed_1,OS,Death_1_StillAliveorLostToFU_0\nHCC_001,60,14,1,52,0\n"
    )
    result, cohort, specimens = made(download, "hcc-tace-seg")
    assert result.notes == ("1 examinations without a lesion are left out",)
    assert specimens["path"].tolist() == ["data/HCC-TACE-Seg/HCC_001/11-30-1999-NA-CT-CAP-00377"]
    assert cohort.lesions["segment"].tolist() == [2]
    assert cohort.specimens[0].attachments["liver_mask"].name == "1-1.dcm"
    assert cohort.patients["time_to_progression_months"].item() == pytest.approx(14 * 84 / 365.25, abs=1e-3)
    assert cohort.survival("overall_survival").event == "overall_survival_event"


def lld(download: Path) -> dict:
    box = {f"{axis}_{end}": value for axis, low, high in (("x", 10, 19), ("y", 4, 7), ("z", 2, 3))
           for end, value in (("min", low), ("max", high))}  # fmt: skip
    entries = []
    for series, phase in (("a", "C+A"), ("v", "C+V"), ("d", "DWI")):
        nifti(download / f"images/MR1/study/{series}.nii.gz")
        lesion = {
            "0": {"category": "Hepatic_cyst", "bbox": {"3D_box": box}},
            "1": {"category": 6, "bbox": {"3D_box": box}},
        }
        entries.append({"studyUID": "study", "seriesUID": series, "phase": phase, "annotation": {"lesion": lesion}})
    (download / "labels").mkdir()
    return {"Annotation_info": {"MR1": entries}}


def test_lld_mmri_boxes_become_places_in_the_patient(download):
    (download / "labels/Annotation.json").write_text(json.dumps(lld(download)))
    _, cohort, specimens = made(download, "lld-mmri")
    row = specimens.iloc[0]
    assert (row["path"], row["phase"], row["modality"]) == ("data/images/MR1/study/v.nii.gz", "portal venous", "mr")
    assert (row["arterial"], row["dwi"]) == ("data/images/MR1/study/a.nii.gz", "data/images/MR1/study/d.nii.gz")
    assert cohort.endpoint("lesion_type").classes == ("cyst", "hcc")
    lesion = cohort.lesions.iloc[0]
    # middle of voxels 10 to 19, 4 to 7 and 2 to 3: 14.5, 5.5 and 2.5 on a grid of 0.7, 0.8 and 5 mm
    place = lesion[["x_mm", "y_mm", "z_mm"]].astype(float).tolist()
    assert place == pytest.approx([-10 + 14.5 * 0.7, -12 + 5.5 * 0.8, 2.5 * 5], abs=0.01)
    assert lesion["diameter_mm"] == pytest.approx(10.0)  # two slices of 5 mm, more than 10 voxels of 0.7


def test_another_json_is_no_annotation(download):
    lld(download)
    (download / "labels/Annotation.json").write_text('{"Annotation_info": {"MR1": [{"phase": "C+V"}]}}')
    with pytest.raises(SpecimenError, match="not as LLD-MMRI writes it"):
        made(download, "lld-mmri")


def test_liverhccseg_has_both_readers(download):
    folder = download / "nifti_and_segms/TCGA-AA-0001/1999-01-01"
    for name in (
        "art",
        "art_pre",
        "art_pv",
        "art_del",
        "pv",
        "rater1_liver",
        "rater2_liver",
        "rater1_tumor1",
        "rater2_tumor1",
    ):
        nifti(folder / f"{name}.nii.gz")
    _, cohort, specimens = made(download, "liverhccseg")
    attached = {name: path.name for name, path in cohort.specimens[0].attachments.items()}
    assert specimens["phase"].item() == "arterial"
    assert attached == {
        "pre": "art_pre.nii.gz", "portal_venous": "art_pv.nii.gz", "delayed": "art_del.nii.gz",
        "liver_mask": "rater1_liver.nii.gz", "liver_mask_rater2": "rater2_liver.nii.gz",
        "tumor_mask_rater2": "rater2_tumor1.nii.gz",
    }  # fmt: skip
    assert cohort.lesions["mask"].item().name == "rater1_tumor1.nii.gz"


def dicom_slices(ct, folder: Path, values: np.ndarray, **tags) -> None:
    """image_0 ... of slices 5 mm apart, from the head down, so that names and heights run against each other."""
    folder.mkdir(parents=True)
    for k, plane in enumerate(values[::-1]):
        height = 5.0 * (len(values) - 1 - k)
        dataset = ct.dataset(plane.astype(np.uint16), ImagePositionPatient=[-10.0, -12.0, height], **tags)
        pydicom.dcmwrite(folder / f"image_{k}", dataset, enforce_file_format=True)


def test_3d_ircadb_masks_of_slices_lie_where_their_series_does(download, ct):
    marked = np.zeros((12, 40, 48))
    marked[3:5, 10:20, 5:9] = 255
    patient = download / "3Dircadb1/3Dircadb1.1"
    dicom_slices(ct, patient / "PATIENT_DICOM", np.zeros_like(marked))
    dicom_slices(ct, patient / "MASKS_DICOM/liver", np.full_like(marked, 255))
    dicom_slices(ct, patient / "MASKS_DICOM/livertumor01", marked)
    dicom_slices(ct, patient / "MASKS_DICOM/livertumor02", marked[:3])
    result, cohort, _ = made(download, "3d-ircadb")
    assert cohort.lesions["lesion_id"].tolist() == ["1"]
    assert "livertumor02: not converted: got 3 slices of the mask for 12 of the series" in result.notes[0]
    grid = Geometry(shape=marked.shape, spacing=(5.0, 0.8, 0.7), origin=(-10.0, -12.0, 0.0))
    assert np.array_equal(read_mask(cohort.lesions["mask"].item(), geometry=grid), marked > 0)
    assert read_mask(cohort.specimens[0].attachments["liver_mask"], geometry=grid).all()


def test_chaos_pictures_become_masks_of_ct_and_mr(download, ct):
    values = np.zeros((4, 40, 48))
    values[1, 5:9, 3:7], values[2, 5:9, 3:7] = 63, 126  # liver and right kidney of MR
    for name, images in (("CT/1", "DICOM_anon"), ("MR/1/T2SPIR", "DICOM_anon"), ("MR/1/T1DUAL", "DICOM_anon/InPhase")):
        dicom_slices(ct, download / "Train_Sets" / name / images, np.zeros_like(values))
        (download / "Train_Sets" / name / "Ground").mkdir()
        for k, plane in enumerate(values[::-1]):
            Image.fromarray(plane.astype(np.uint8)).save(download / "Train_Sets" / name / f"Ground/{k:03}.png")
    _, cohort, specimens = made(download, "chaos")
    assert specimens["modality"].tolist() == ["ct", "mr"]
    grid = Geometry(shape=values.shape, spacing=(5.0, 0.8, 0.7), origin=(-10.0, -12.0, 0.0))
    of_ct, of_mr = (each.attachments["liver_mask"] for each in cohort.specimens)
    assert np.array_equal(read_mask(of_ct, geometry=grid), values > 0)
    assert np.array_equal(read_mask(of_mr, geometry=grid), values == 63)
    assert cohort.specimens[1].attachments["t1_in"].name == "InPhase"


def labelled(path: Path) -> np.ndarray:
    """Write a mask of 1 with a part of 2."""
    values = np.zeros(GRID.shape, np.uint8)
    values[1:5, 8:30, 9:30], values[2:4, 10:16, 12:18] = 1, 2
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(path, values=values, geometry=GRID)
    return values


@pytest.mark.parametrize(
    ("layout", "image", "mask", "left"),
    [
        ("lits", "Training Batch 1/volume-3.nii", "Training Batch 1/segmentation-3.nii", "Test/volume-9.nii"),
        ("msd", "Task03_Liver/imagesTr/liver_3.nii.gz", "Task03_Liver/labelsTr/liver_3.nii.gz",
         "Task03_Liver/imagesTs/liver_9.nii.gz"),
    ],
)  # fmt: skip
def test_lits_and_the_decathlon_have_liver_and_tumours_outlined(download, layout, image, mask, left):
    nifti(download / image)
    nifti(download / left)
    values = labelled(download / mask)
    result, cohort, specimens = made(download, layout)
    assert (result.patients, specimens["path"].tolist()) == (1, [f"data/{image}"])
    column = cohort.endpoint("outlines").declared["mask"]
    assert np.array_equal(outlined(cohort.specimens[0].attachments[column], geometry=GRID), values)


def test_the_decathlons_vessels_are_no_liver_and_its_tumours_a_lesion(download):
    nifti(download / "Task08_HepaticVessel/imagesTr/hepaticvessel_001.nii.gz")
    values = labelled(download / "Task08_HepaticVessel/labelsTr/hepaticvessel_001.nii.gz")
    _, cohort, specimens = made(download, "msd")
    assert "mask" not in specimens
    assert "outlines" not in cohort.endpoints
    (lesion,) = cohort.lesions.to_dict("records")
    only = [int(lesion["segment"])]
    assert np.array_equal(read_mask(lesion["mask"], geometry=GRID, only=only), values == 2)


def test_faults(download):
    with pytest.raises(SettingsError, match="wanted one of 3d-ircadb, aul, chaos"):
        made(download, "atlas")
    for layout in LAYOUTS:
        with pytest.raises(CohortError, match="wanted files such as"):
            made(download, layout)
    nifti(download.with_name("cohort") / "a.nii.gz")
    with pytest.raises(CohortError, match="is not empty"):
        made(download, "chaos")


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_says_where_it_is_known_from(name):
    layout = read_layout(name)
    assert layout.source
    assert layout.unverified
    assert "CC BY" in layout.licence or "to be read" in layout.licence


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((40, 60), 90, np.uint8)).save(path)


def test_aul_has_classes_of_images_and_masks_of_polygons(download):
    for name, count in (("Normal", 1), ("Benign", 2), ("Malignant", 1)):
        for number in range(1, count + 1):
            picture(download / f"AUL/{name}/image/{number}.jpg")
    outline = download / "AUL/Malignant/segmentation/mass/1.json"
    outline.parent.mkdir(parents=True)
    outline.write_text("[[10, 10], [29, 10], [29, 19], [10, 19]]")
    result, cohort, specimens = made(download, "aul")
    assert (result.patients, result.specimens) == (4, 4)
    assert cohort.patients["mass"].to_dict() == {
        "Benign_1": "benign", "Benign_2": "benign", "Malignant_1": "malignant", "Normal_1": "normal",
    }  # fmt: skip
    assert set(specimens["modality"]) == {"ultrasound"}
    (drawn,) = (each for each in cohort.specimens if "mask" in each.attachments)
    with Image.open(drawn.attachments["mask"]) as mask:
        marked = np.asarray(mask)
    assert marked.shape == (40, 60)
    assert (marked == 2).sum() == 20 * 10
    assert set(np.unique(marked)) == {0, 2}


def test_smc_lud_has_a_folder_a_patient_and_hcc_against_hemangioma(download):
    for path in ("HCC/P1/001.png", "HCC/P1/002.png", "Hemangioma/P2/001.png"):
        picture(download / path)
    result, cohort, specimens = made(download, "smc-lud")
    assert (result.patients, result.specimens) == (2, 2)
    assert cohort.patients["hcc"].to_dict() == {"P1": 1, "P2": 0}
    assert set(specimens["path"]) == {"data/HCC/P1", "data/Hemangioma/P2"}
