"""TWIX: what spec2nii makes of raw data is read with its reference; what is none is refused. No real file is public."""

import mapvbvd
import numpy as np
import pytest
from nifti_mrs.create_nmrs import gen_nifti_mrs
from spec2nii.Siemens import twixfunctions

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.twix import read_twix
from hepatica.spectroscopy.signal.header import Header

TOLD = Header(te_ms=30.0)


def image(value, *, coils=4):
    data = np.full((1, 1, 1, 32, coils), value, np.complex64)
    return gen_nifti_mrs(data, 5e-4, 123.25, dim_tags=["DIM_COIL", None, None])


def pretend(monkeypatch, images):
    """spec2nii's converter replaced by one that finds these images in the last measurement of a file."""
    monkeypatch.setattr(mapvbvd, "mapVBVD", lambda path, quiet: ["adjustment", "measurement"])
    found = (list(images.values()), list(images))
    monkeypatch.setattr(
        twixfunctions, "process_twix", lambda twix, *rest, quiet: found if twix == "measurement" else None
    )


def test_the_last_measurement_and_its_reference_are_read(monkeypatch, tmp_path):
    pretend(monkeypatch, {"spectrum_ref": image(9), "spectrum": image(1 + 2j)})
    raw = read_twix(tmp_path / "a.dat", told=TOLD)
    assert raw.fids.shape == raw.water.shape == (1, 4, 32)
    assert (raw.fids[0, 0, 0], raw.water[0, 0, 0], raw.averages) == (1 + 2j, 9, 1)


def test_a_reference_alone_is_refused(monkeypatch, tmp_path):
    pretend(monkeypatch, {"spectrum_ref": image(9)})
    with pytest.raises(SpecimenError, match="holds a reference scan only"):
        read_twix(tmp_path / "a.dat", told=TOLD)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pymapVBVD leaves the file open
@pytest.mark.parametrize("content", [b"", b"rubbish" * 100, bytes(20000)])
def test_what_is_no_twix_is_refused(tmp_path, content):
    (tmp_path / "a.dat").write_bytes(content)
    with pytest.raises(SpecimenError, match=r"the TWIX file cannot be read \(\w+\)"):
        read_twix(tmp_path / "a.dat", told=TOLD)
