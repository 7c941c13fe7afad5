"""NIfTI basis: one file or a folder, there and back, by the standard."""

from dataclasses import replace

import numpy as np
import pytest
from nifti_mrs.nifti_mrs import NIFTI_MRS

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.spectroscopy.basis.basis_file import read_basis, read_nifti_basis, write_basis, write_nifti_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.signal.acquisition import Acquisition

ACQUISITION = Acquisition(points=128, sequence="steam", te_ms=20.0, tm_ms=10.0, tr_ms=3000.0, reference_ppm=4.7)
NAMES = ("Lac", "Cr", "Lip13")


@pytest.fixture
def basis():
    return simulate_basis(ACQUISITION, names=NAMES)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_there_and_back_in_one_file(tmp_path, basis, ending):
    write_nifti_basis(basis, path=tmp_path / f"a{ending}")
    again = read_nifti_basis(tmp_path / f"a{ending}")
    assert (again.names, again.acquisition) == (basis.names, basis.acquisition)
    np.testing.assert_array_equal(again.fids, basis.fids.astype(np.complex64))


def test_the_file_is_nifti_mrs_with_named_components(tmp_path, basis):
    write_nifti_basis(basis, path=tmp_path / "a.nii.gz")
    image = NIFTI_MRS(tmp_path / "a.nii.gz")  # validates against the standard
    assert image.shape == (1, 1, 1, 128, 3)
    assert image.dim_tags == ["DIM_USER_0", None, None]
    assert image.hdr_ext.to_dict()["dim_5_header"]["Component"]["Value"] == list(NAMES)


def test_a_single_component_has_its_name_too(tmp_path, basis):
    write_nifti_basis(basis.select(["Cr"]), path=tmp_path / "a.nii")
    assert read_nifti_basis(tmp_path / "a.nii").names == ("Cr",)


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path, basis):
    for name, fid in zip(basis.names, basis.fids, strict=True):
        write_nifti_mrs(tmp_path / f"{name}.nii.gz", fids=fid, acquisition=ACQUISITION)
    (tmp_path / "notes.txt").write_text("not a component")
    again = read_nifti_basis(tmp_path)
    assert again.names == ("Cr", "Lac", "Lip13")
    np.testing.assert_array_equal(again.fids, basis.select(again.names).fids.astype(np.complex64))


def test_equal_bases_give_equal_files(tmp_path, basis):
    for name in ("a", "b"):
        write_nifti_basis(basis, path=tmp_path / f"{name}.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_what_is_no_basis_is_noted(tmp_path, basis):
    write_nifti_mrs(tmp_path / "a.nii", fids=basis.fids[0], acquisition=ACQUISITION)
    with pytest.raises(SpecimenError, match="a spectrum, not a basis"):
        read_nifti_basis(tmp_path / "a.nii")
    write_nifti_basis(basis, path=tmp_path / "b.nii")
    content = (tmp_path / "b.nii").read_bytes()
    (tmp_path / "b.nii").write_bytes(content.replace(b'"Lac", "Cr", "Lip13"', b'"Lac", "Cr", 0.12345'))
    with pytest.raises(SpecimenError, match="does not name the 3 components"):
        read_nifti_basis(tmp_path / "b.nii")
    (tmp_path / "b.nii").write_bytes(content[:2000])
    with pytest.raises(SpecimenError, match="less data than its header declares"):
        read_nifti_basis(tmp_path / "b.nii")
    (tmp_path / "c.nii").write_bytes(b"rubbish")
    with pytest.raises(SpecimenError, match="the basis cannot be read"):
        read_basis(tmp_path / "c.nii")


def test_a_folder_that_is_no_basis_is_noted(tmp_path, basis):
    with pytest.raises(SpecimenError, match="no NIfTI-MRS file"):
        read_nifti_basis(tmp_path)
    write_nifti_mrs(tmp_path / "Cr.nii", fids=basis.fids[1], acquisition=ACQUISITION)
    write_nifti_mrs(tmp_path / "Lac.nii", fids=basis.fids[0], acquisition=replace(ACQUISITION, bandwidth_hz=1000.0))
    with pytest.raises(SpecimenError, match="differ in sampling"):
        read_nifti_basis(tmp_path)


BASIS = simulate_basis(Acquisition(points=128), names=["Lac", "Cr"])


@pytest.mark.parametrize("ending", [".basis", ".BASIS", ".txt", ".nii", ".nii.gz"])
def test_each_ending_is_written_and_read(tmp_path, ending):
    write_basis(BASIS, path=tmp_path / f"a{ending}")
    found = read_basis(tmp_path / f"a{ending}")
    assert found.names == BASIS.names
    np.testing.assert_allclose(found.fids, BASIS.fids, atol=1e-5)


def test_formats_are_not_mistaken_for_each_other(tmp_path):
    write_basis(BASIS, path=tmp_path / "a.basis")
    write_basis(BASIS, path=tmp_path / "a.txt")
    assert (tmp_path / "a.basis").read_text().startswith(" $SEQPAR")
    assert (tmp_path / "a.txt").read_text().startswith("jMRUI")


def test_a_folder_is_read(tmp_path):
    write_nifti_mrs(tmp_path / "Cr.nii", fids=BASIS.fids[1], acquisition=BASIS.acquisition)
    assert read_basis(tmp_path).names == ("Cr",)


@pytest.mark.parametrize("name", ["a.mat", "a", "basis"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(SettingsError, match=r"wanted one of \.basis, \.txt"):
        write_basis(BASIS, path=tmp_path / name)
    with pytest.raises(SettingsError, match=r"wanted one of \.basis, \.txt"):
        read_basis(tmp_path / name)
