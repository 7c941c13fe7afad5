"""Cases: small studies that were once read wrongly, each as its README says; skipped where they are absent."""

import os
from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.radiology.deidentify.deidentify import deidentify
from hepatica.radiology.dicom.scans import find_scans


@pytest.fixture
def case():
    """The path of the case of a number."""
    folder = Path(os.environ.get("HEPATICA_DATA", ""), "../cases/radiology")
    if "HEPATICA_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("no folder of cases beside HEPATICA_DATA")

    def of(number: str) -> Path:
        (path,) = folder.glob(f"{number}_*")
        return path

    return of


def volumes(path):
    return [scan.read(regular=False) for scan in find_scans(path).scans]


def test_two_phases_told_apart_by_time_alone(case):
    assert [each.values.shape for each in volumes(case("041"))] == [(20, 128, 128)] * 2


def test_one_slice_scanned_again(case):
    (volume,) = volumes(case("045"))
    assert len(volume.values) == 20
    assert "scanned again" in str(volume.notes)


def test_bolus_tracking(case):
    found = find_scans(case("046"))
    assert len(found.scans) == 1
    assert [(each.files, each.reason[:25]) for each in found.refused] == [(8, "8 images at 1 positions (")]


def test_a_patient_on_the_side(case):
    """Turned, it is the same scan as that of the case before it was turned."""
    (turned,), (usual,) = volumes(case("051")), volumes(case("046"))
    assert np.array_equal(turned.values, usual.values)
    assert turned.geometry.agrees(usual.geometry)


def test_two_distances(case):
    (scan,) = find_scans(case("064")).scans
    assert scan.read(regular=False).measured.sum() == 11
    with pytest.raises(SpecimenError, match="of the regular grid are missing"):
        scan.read()


def test_positions_rounded_to_a_tenth(case):
    (volume,) = volumes(case("072"))
    assert volume.measured.all()
    assert len(volume.values) == 20
    assert volume.geometry.spacing[0] == pytest.approx(1.25, abs=0.002)


def test_padding_of_a_high_value(case):
    """The body alone is above -200 HU; the same scan without padding is in another case."""
    (padded,), (usual,) = volumes(case("106")), volumes(case("046"))
    assert (padded.values > -200).mean() <= (usual.values > -200).mean()
    assert padded.values.max() == usual.values.max()


def test_a_birth_date_blank_in_one(case):
    found = find_scans(case("131"))
    assert len(found.scans) == 2
    assert all("one patient" in str(each.series.notes) for each in found.scans)


@pytest.mark.parametrize("number", ["151", "181"])
def test_deflated_files_and_signed_jpeg_2000_are_read_and_cleaned_alike(case, tmp_path, number):
    done = deidentify(case(number), out=tmp_path / "out")
    assert (done.files, dict(done.refused)) == (20, {})
    (before,), (after,), (usual,) = volumes(case(number)), volumes(tmp_path / "out"), volumes(case("046"))
    assert np.array_equal(before.values, after.values)
    assert np.array_equal(before.values, usual.values)
