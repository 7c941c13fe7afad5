import io
import subprocess
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hepatica.cohort import load_cohort
from hepatica.cohort.phantom import AT_RISK, MVI, SUSPECTED, Features, Lesion, draw_patients
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.phantom import MR, PhantomSettings, phantom_mr
from hepatica.radiology.phantom import lesions as ct
from hepatica.radiology.phantom.enhancement import Tissue
from hepatica.radiology.phantom.mr import LOOKS, PICTURES, SCANNERS, SERIES, SIGNAL, mr_palette, weighted
from hepatica.radiology.phantom.study import Study

SMALL = PhantomSettings(matrix=64, slices=6)


@pytest.fixture(scope="module", params=["A", "B"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mr") / request.param
    return phantom_mr(made, patients=2, seed=2, hospital=request.param, population=AT_RISK, settings=SMALL)


@pytest.fixture(scope="module")
def headers(folder: Path) -> list[pydicom.Dataset]:
    with zipfile.ZipFile(folder / "mr" / "0001.zip") as archive:
        return [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]


@cache
def study(kind: str, *, hospital: str = "A", infiltration: float = 0.0) -> Study:
    patient = draw_patients(1, population=replace(SUSPECTED, hcc_share=0))[0]
    lesion = Lesion(kind=kind, diameter_cm=5, infiltration=infiltration)
    patient = replace(patient, tumour=replace(patient.tumour, lesions=(lesion,)))
    return MR(settings=SMALL).study(generator(3, "study"), patient, hospital=hospital, difficulty=0)


def level(found: Study, name: str, label: int) -> float:
    return float(np.median(found.values[SERIES.index(name)][found.mask == label]))


def test_each_sequence_is_a_series_that_says_what_it_is(headers: list[pydicom.Dataset]) -> None:
    first = headers[:: SMALL.slices]
    assert len({each.SeriesInstanceUID for each in headers}) == len(first) == len(SERIES)
    assert [each.get("DiffusionBValue") for each in first] == [None] * 6 + [0, 100, 600]
    assert ["ContrastBolusAgent" in each for each in first] == [False, True, True, True, True, *[False] * 4]
    assert [each.ScanningSequence for each in first[:6]] == ["GR"] * 5 + ["SE"]
    assert min(each.EchoTime for each in first[5:]) > 10 * max(each.EchoTime for each in first[:5])
    times = [each.AcquisitionTime for each in first[:5]]
    assert times == sorted(times)


def test_slices_lie_where_the_masks_lie(folder: Path, headers: list[pydicom.Dataset]) -> None:
    mask, geometry = read_nifti(folder / "masks_mr" / "0001.nii.gz")
    lowest, highest = headers[SMALL.slices - 1], headers[0]
    assert lowest.ImagePositionPatient == pytest.approx(geometry.origin, abs=1e-3)
    assert highest.ImagePositionPatient == pytest.approx((geometry.lps @ [0, 0, len(mask) - 1, 1])[:3], abs=1e-3)
    assert lowest.ImageOrientationPatient == pytest.approx([*geometry.directions[2], *geometry.directions[1]], abs=1e-4)
    tilted = lowest.ImageOrientationPatient != [1, 0, 0, 0, 1, 0]
    assert tilted == any(SCANNERS[folder.name].tilt)


def test_the_cohort_has_outlines_and_categories(folder: Path) -> None:
    cohort = load_cohort(folder)
    assert {each.modality for each in cohort.specimens} == {"mr"}
    group = cohort.lesions.lirads.map(lambda each: each if each == "LR-3" else "LR-4/5")
    assert group.tolist() == cohort.lesions.lirads_group.tolist()
    for lesion, specimen in zip(cohort.lesions.itertuples(), cohort.specimens, strict=True):
        values, geometry = read_nifti(specimen.attachments["mask"])
        x, y, z = (np.linalg.inv(geometry.lps) @ [lesion.x_mm, lesion.y_mm, lesion.z_mm, 1])[:3].round().astype(int)
        assert values[z, y, x] == lesion.segment == 2


@pytest.mark.usefixtures("dciodvfy")
def test_an_independent_validator_finds_no_error(headers: list[pydicom.Dataset], tmp_path: Path) -> None:
    for number in (1, 5, 8):
        headers[SMALL.slices * number].save_as(tmp_path / "slice.dcm")
        said = subprocess.run(["dciodvfy", tmp_path / "slice.dcm"], capture_output=True, text=True, check=False)
        assert "MRImage" in said.stderr
        assert "Error" not in said.stderr


@pytest.mark.parametrize("hospital", ["A", "B"])
def test_lesions_look_as_their_kind_does(hospital: str) -> None:
    hcc, cyst = study("hcc", hospital=hospital), study("cyst", hospital=hospital)
    assert level(hcc, "arterial", 2) > 1.25 * level(hcc, "arterial", 1)
    assert level(hcc, "hepatobiliary", 2) < 0.7 * level(hcc, "hepatobiliary", 1)
    assert level(cyst, "t2", 2) > 3 * level(cyst, "t2", 1)
    assert level(cyst, "dwi_b600", 2) / level(cyst, "dwi_b0", 2) < 0.3


def test_invasion_lowers_the_measured_adc() -> None:
    def adc(infiltration: float) -> float:
        found = study("hcc", infiltration=infiltration)
        return float(np.log(level(found, "dwi_b0", 2) / level(found, "dwi_b600", 2)) / 600)

    assert adc(0) == pytest.approx(0.92e-3, rel=0.3)
    assert adc(1) < adc(0) - 0.1e-3


def test_noise_is_rician_and_scanners_differ_in_gain() -> None:
    first, second = study("cyst"), study("cyst", hospital="B")
    for hospital, found in (("A", first), ("B", second)):
        air = found.values[0, :, :3, :3] / SCANNERS[hospital].gain / SCANNERS[hospital].noise
        assert air.mean() == pytest.approx(np.sqrt(np.pi / 2), rel=0.3)
    assert level(first, "pre", 1) > 1.4 * level(second, "pre", 1)


def test_any_population_can_be_shown(tmp_path: Path) -> None:
    cohort = load_cohort(phantom_mr(tmp_path / "mvi", patients=2, population=MVI, settings=SMALL))
    assert set(cohort.endpoints) == {"mvi", "recurrence_free_survival", "outlines"}


LIVER = dict(zip(PICTURES, SIGNAL[Tissue.LIVER], strict=True))
MALIGNANT = ("hcc", "cholangiocarcinoma", "metastasis", "sarcoma", "neuroendocrine")


def body(kind: str) -> dict[str, float]:
    return dict(zip(PICTURES, LOOKS[kind].body, strict=True))


def test_mr_shows_what_ct_shows() -> None:
    assert set(LOOKS) == {*ct.LOOKS, ct.TREATED}
    assert set(SIGNAL) == set(Tissue)
    assert {len(each) for each in SIGNAL.values()} == {len(PICTURES)}


@pytest.mark.parametrize("kind", MALIGNANT)
def test_malignant_tumours_take_no_gadoxetate_up_and_are_bright_on_t2(kind: str) -> None:
    assert body(kind)["hepatobiliary"] < 0.5 * LIVER["hepatobiliary"]
    assert body("hemangioma")["t2"] > body(kind)["t2"] > 1.5 * LIVER["t2"]


def test_hcc_enhances_washes_out_and_hinders_diffusion() -> None:
    assert body("hcc")["arterial"] > 1.5 * LIVER["arterial"]
    assert body("hcc")["portal venous"] < LIVER["portal venous"]
    assert body("hcc")["adc"] < LIVER["adc"] < body("hemangioma")["adc"] < body("cyst")["adc"]


def test_invasion_lowers_the_adc() -> None:
    adc = [mr_palette().look(Lesion(kind="hcc", diameter_cm=3, infiltration=share)).body[-1] for share in (0, 0.5, 1)]
    assert np.diff(adc) == pytest.approx([-12.5, -12.5])


def test_features_are_shown_one_by_one() -> None:
    def look(**seen: bool) -> ct.Look:
        features = Features(**{"hyperenhancing": False, "washout": False, "capsule": False} | seen)
        return mr_palette().look(Lesion(kind="dysplastic nodule", diameter_cm=2, features=features))

    arterial, portal = PICTURES.index("arterial"), PICTURES.index("portal venous")
    assert look().body[arterial] == LIVER["arterial"] < look(hyperenhancing=True).body[arterial]
    assert look().body[portal] == LIVER["portal venous"] > look(washout=True).body[portal]
    assert look().rim_share == 0 < look(capsule=True).rim_share


def test_diffusion_weighting_decays_by_the_adc() -> None:
    pictures = np.zeros((len(PICTURES), 1, 1, 2), np.float32)
    pictures[PICTURES.index("t2")], pictures[PICTURES.index("adc")] = 100, [[[100, 300]]]
    seen = weighted(pictures)
    decay = np.log(seen["dwi_b0"] / seen["dwi_b600"]) / 600
    assert decay.ravel() == pytest.approx([1.0e-3, 3.0e-3], rel=1e-4)
    assert list(seen) == [*PICTURES[:-1], "dwi_b0", "dwi_b100", "dwi_b600"]
