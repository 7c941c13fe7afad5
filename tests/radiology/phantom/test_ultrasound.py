"""Ultrasound: phantom studies in DICOM say what they are, and show what is true of the patient."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

from hepatica.cohort import load_cohort
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.phantom import HEPATITIS_B, SUSPECTED, TACE, Lesion, draw_patients
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.phantom import UltrasoundSettings, phantom_ultrasound
from hepatica.radiology.phantom.sonogram import ECHO_DB, MACHINES, Plane, draw_plane, fan_of, insonify

SMALL = UltrasoundSettings(rows=180, columns=240, images=1, frames=9)


def made(folder: Path, **options: object) -> Path:
    return phantom_ultrasound(folder, **{"patients": 2, "seed": 2, "settings": SMALL} | options)


def headers(folder: Path) -> list[pydicom.Dataset]:
    with zipfile.ZipFile(folder / "ultrasound" / "0001.zip") as archive:
        return [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]


def plane(kind: str = "hcc", *, metavir: int = 4, **more: object) -> Plane:
    patient = draw_patients(1, population=replace(SUSPECTED, hcc_share=0))[0]
    lesion = Lesion(kind=kind, diameter_cm=5, **more)  # type: ignore[arg-type]
    tumour = replace(patient.tumour, lesions=(lesion,))
    patient = replace(patient, tumour=tumour, person=replace(patient.person, metavir=metavir))
    return draw_plane(generator(5, "plane"), patient, effect=1.0)


@pytest.mark.parametrize(("population", "kinds"), [(HEPATITIS_B, [1, 1]), (TACE, [1, 9])])
def test_a_study_has_its_images_by_population(tmp_path: Path, population, kinds: list[int]) -> None:
    found = headers(made(tmp_path / "a", population=population))
    assert [int(each.get("NumberOfFrames", 1)) for each in found] == kinds
    assert {each.Modality for each in found} == {"US"}
    assert all(each.BurnedInAnnotation == "YES" for each in found)
    assert len({each.SOPInstanceUID for each in found}) == len(found)
    assert len({each.SeriesInstanceUID for each in found}) == 1
    regions = found[1].SequenceOfUltrasoundRegions
    assert [each.RegionDataType for each in regions] == ([1, 1, 14] if population is HEPATITIS_B else [1, 1])


def test_hospitals_differ_and_one_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two, other = (made(tmp_path / name, hospital=hospital) for name, hospital in zip("abc", "AAB", strict=True))
    path = Path("ultrasound/0001.zip")
    assert (one / path).read_bytes() == (two / path).read_bytes()
    a, b = headers(one)[0], headers(other)[0]
    assert (a.SamplesPerPixel, b.SamplesPerPixel) == (3, 1)
    assert a.DepthOfScanField < b.DepthOfScanField
    assert a.TransducerData != b.TransducerData


def test_the_cohort_loads_and_masks_mark_its_lesions(tmp_path: Path) -> None:
    folder = made(tmp_path / "a", population=TACE)
    assert len(load_cohort(folder).specimens) == 2
    mask, _ = read_nifti(folder / "masks_ultrasound" / "0001.nii.gz")
    assert mask.shape == (2, 180, 240)
    truth = pd.read_csv(folder / "lesions_truth.csv")
    assert {1, 2} <= set(np.unique(mask[0])) <= {0, 1, *(1 + truth["number"])}
    assert len(np.unique(np.flatnonzero((mask[1] == 2).any(axis=0)) // 113)) == 2  # on both images side by side


@pytest.mark.parametrize("kind", ["hcc", "hemangioma", "cyst"])
def test_a_lesion_scatters_as_its_kind(kind: str) -> None:
    drawn = plane(kind)
    difference = np.median(drawn.decibels[drawn.labels == 2]) - np.median(drawn.decibels[drawn.labels == 1])
    assert difference == pytest.approx(ECHO_DB[kind], abs=2.5)


def test_fibrosis_makes_the_capsule_rough_and_the_liver_coarse() -> None:
    def measured(stage: int) -> tuple[float, float]:
        drawn = plane("cyst", metavir=stage)
        liver = drawn.labels == 1
        capsule = liver[:60].argmax(axis=0)[90:170]
        return float(np.diff(capsule).std()), float(drawn.decibels[liver & (drawn.decibels > -12)].std())

    (smooth, fine), (rough, coarse) = measured(0), measured(4)
    assert rough > smooth + 0.3
    assert coarse > fine + 1


def test_speckle_is_fully_developed() -> None:
    """The amplitude of fully developed speckle has a mean of 1.91 times its SD (Wagner 1983)."""
    machine = replace(MACHINES["A"], dynamic_db=120, level=0.5)
    fan = fan_of((300, 400), machine=machine)
    grey = insonify(generator(1), np.zeros((190, 260), np.float32), machine=machine, fan=fan, noise=0.0)
    depth, angle = fan.places
    middle = (np.abs(depth - 60) < 30) & (np.abs(angle) < 0.2)
    amplitude = 10 ** ((grey[middle] / 255.0 - 0.5) * 120 / 20)
    assert amplitude.mean() / amplitude.std() == pytest.approx(1.91, abs=0.25)


def test_too_small_screens_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="120 rows"):
        made(tmp_path / "a", settings=replace(SMALL, rows=60))
