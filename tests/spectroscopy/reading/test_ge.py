"""GE: what spec2nii makes of a P-file becomes a spectrum with its water. No real P-file is at hand."""

import numpy as np
import pytest
from spec2nii.GE import ge_pfile

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import opened, write_nifti_mrs
from hepatica.spectroscopy.reading.read import read_raw
from hepatica.spectroscopy.signal.acquisition import Acquisition

ACQUISITION = Acquisition(points=64)


@pytest.fixture
def image(tmp_path):
    """A NIfTI-MRS of one decay times a factor, as spec2nii gives it."""

    def made(factor):
        path = tmp_path / f"{factor}.nii.gz"
        write_nifti_mrs(path, fids=factor * np.exp(0.3j * np.arange(64)), acquisition=ACQUISITION)
        return opened(path)

    return made


def test_spectrum_and_water_come_from_one_file(tmp_path, monkeypatch, image):
    (tmp_path / "P1.7").write_bytes(b"P")
    monkeypatch.setattr(ge_pfile, "read_pfile", lambda path, name: ([image(1), image(5)], ["", "_ref"]))
    raw = read_raw(tmp_path / "P1.7")
    np.testing.assert_allclose(raw.water, 5 * raw.fids, rtol=1e-6)
    assert raw.acquisition.f0_mhz == ACQUISITION.f0_mhz


def test_several_voxels_are_refused(tmp_path, monkeypatch, image):
    class Grid:
        shape = (8, 8, 1, 64)

    (tmp_path / "P1.7").write_bytes(b"P")
    monkeypatch.setattr(ge_pfile, "read_pfile", lambda path, name: ([Grid()], [""]))
    with pytest.raises(SpecimenError, match="several voxels"):
        read_raw(tmp_path / "P1.7")
