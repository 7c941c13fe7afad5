"""Basis file: the ending decides."""

import numpy as np
import pytest

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis_file import read_basis, write_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.signal.acquisition import Acquisition

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
