"""IMA: the same spectrum as in RDA; pictures and foreign files refused."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRSpectroscopyStorage, generate_uid

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


def of_the_standard(path, fids, **changes):
    """A file of MR Spectroscopy Storage as Philips writes it, without the geometry at which spec2nii fails."""
    dataset, timing = Dataset(), Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRSpectroscopyStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    timing.EffectiveEchoTime, timing.RepetitionTime = 35.0, 2000.0
    usual = {
        "Manufacturer": "Philips Medical Systems", "ResonantNucleus": "1H", "TransmitterFrequency": 127.74,
        "SpectralWidth": 2000.0, "VolumeLocalizationTechnique": "PRESS", "WaterReferencedPhaseCorrection": "YES",
        "SpectroscopyAcquisitionDataColumns": fids.shape[1], "Rows": 1, "Columns": 1,
        "MREchoSequence": Sequence([timing]),
    }  # fmt: skip
    for name, value in (usual | changes).items():
        setattr(dataset, name, value)
    dataset.SpectroscopyData = fids.astype("<c8").tobytes()
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def test_the_standard_s_spectra_are_read_with_their_water(tmp_path):
    rng = np.random.default_rng(0)
    fids = rng.normal(size=(4, 64)) + 1j * rng.normal(size=(4, 64))
    raw = read_raw(of_the_standard(tmp_path / "a.dcm", fids))
    np.testing.assert_allclose(raw.fids[:, 0], fids[:2], rtol=1e-6)
    np.testing.assert_allclose(raw.water[:, 0], fids[2:], rtol=1e-6)
    found = raw.acquisition
    assert (found.f0_mhz, found.bandwidth_hz, found.te_ms, found.tr_ms) == (127.74, 2000, 35, 2000)
    assert found.sequence == "press"
    alone = read_raw(of_the_standard(tmp_path / "b.dcm", fids, WaterReferencedPhaseCorrection="NO"))
    assert alone.water is None
    assert alone.fids.shape == (4, 1, 64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ResonantNucleus": "31P"}, "1 voxels of 31P"),
        ({"Rows": 4}, "4 voxels of 1H"),
        ({"SpectroscopyAcquisitionDataColumns": 48}, "wanted a multiple of 48"),
    ],
)
def test_what_is_no_single_voxel_of_protons_is_refused(tmp_path, changes, message):
    with pytest.raises(SpecimenError, match=message):
        read_raw(of_the_standard(tmp_path / "a.dcm", np.ones((2, 64), complex), **changes))
