"""IMA: the same spectrum as in RDA; pictures and foreign files refused."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.read import read_raw


def test_the_real_file_is_that_of_the_rda(real):
    """SVS_30.IMA and SVS_30.rda of suspect's test data, MIT, are one measurement."""
    ima, rda = (read_raw(real / f"siemens/SVS_30.{name}") for name in ("IMA", "rda"))
    np.testing.assert_allclose(ima.fids, rda.fids, rtol=1e-6)
    assert ima.acquisition.f0_mhz == rda.acquisition.f0_mhz
    assert (ima.acquisition.te_ms, ima.acquisition.tr_ms) == (30, 2000)
    assert ima.acquisition.bandwidth_hz == pytest.approx(rda.acquisition.bandwidth_hz, rel=1e-3)
    assert ima.water is None


@pytest.mark.parametrize(
    ("maker", "message"),
    [("SIEMENS", "the spectrum cannot be read"), ("ACME", "got a DICOM file of maker 'ACME', wanted siemens")],
)
def test_pictures_and_other_makers_are_refused(tmp_path, maker, message):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Manufacturer = maker
    dataset.PatientName = "Secret^Name"
    pydicom.dcmwrite(tmp_path / "a.dcm", dataset, enforce_file_format=True)
    with pytest.raises(SpecimenError, match=message) as caught:
        read_raw(tmp_path / "a.dcm")
    assert "Secret" not in str(caught.value)


def test_what_is_no_dicom_is_refused(tmp_path):
    (tmp_path / "a.ima").write_bytes(b"rubbish")
    with pytest.raises(SpecimenError, match=r"cannot be read \(InvalidDicomError\)"):
        read_raw(tmp_path / "a.ima")


def test_a_file_cut_short_is_refused(real, tmp_path):
    """pydicom reads what is left of the last element, here 274 of 1024 points, and says nothing."""
    (tmp_path / "a.ima").write_bytes((real / "siemens/SVS_30.IMA").read_bytes()[:-6000])
    with pytest.raises(SpecimenError, match="the DICOM file is truncated"):
        read_raw(tmp_path / "a.ima")
