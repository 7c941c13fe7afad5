"""Read: every format by its ending, with its water reference, to a spectrum that looks right."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.nifti_mrs import write_nifti_mrs
from hepatica.spectroscopy.reading.read import READERS, read_raw, read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.peaks import tallest

LIVER = Acquisition(points=512)
OVERRIDES = Header(f0_mhz=127.786142, bandwidth_hz=2000.0, te_ms=30.0)


@pytest.mark.parametrize(
    ("name", "water", "overrides"),
    [
        ("osprey/sub-01_PRESS_35_act.sdat", "osprey/sub-01_PRESS_35_ref.sdat", Header()),
        ("osprey/sub-01_PRESS_35_act.spar", None, Header()),
        ("siemens/SVS_30.rda", None, Header()),
        ("siemens/SVS_30.IMA", None, Header()),
        ("lcmodel/data.raw", None, OVERRIDES),
    ],
)
def test_real_brains_stand_upright_with_their_lines_in_place(real, name, water, overrides):
    """NAA 2.01, creatine 3.03, choline 3.20 ppm (Govindaraju et al. 2000, doi:10.1002/1099-1492(200005)13:3)."""
    spectrum = read_spectrum(real / name, water=water and real / water, header_overrides=overrides)
    assert (spectrum.water is None) == (water is None)
    for place in (2.01, 3.03, 3.20):
        peak = tallest(spectrum.fid, place - 0.08, place + 0.08, acquisition=spectrum.acquisition, part=np.real)
        assert peak.ppm == pytest.approx(place, abs=0.03)
        assert peak.height > 0


def test_spectrum_and_reference_may_be_of_two_formats(tmp_path, decay, write_lcmodel_raw):
    write_nifti_mrs(tmp_path / "a.nii.gz", fids=decay(LIVER), acquisition=LIVER)
    known = Header(f0_mhz=127.74, bandwidth_hz=2000.0, te_ms=35.0)
    write_lcmodel_raw(tmp_path / "A.H2O", fid=decay(LIVER, {4.65: 1e4})[:400], header=known)
    raw = read_raw(tmp_path / "a.nii.gz", water=tmp_path / "A.H2O")
    assert raw.water.shape == (1, 1, 512)
    assert not raw.water[..., 400:].any()


def test_what_the_user_tells_reaches_the_reader(tmp_path, decay):
    write_nifti_mrs(tmp_path / "a.nii", fids=decay(LIVER), acquisition=LIVER)
    assert read_raw(tmp_path / "a.nii", header_overrides=Header(te_ms=20.0)).acquisition.te_ms == 20


def test_a_reference_of_another_sampling_is_refused(tmp_path, decay):
    other = Acquisition(points=512, bandwidth_hz=4000.0)
    write_nifti_mrs(tmp_path / "a.nii", fids=decay(LIVER), acquisition=LIVER)
    write_nifti_mrs(tmp_path / "w.nii", fids=decay(other), acquisition=other)
    with pytest.raises(SpecimenError, match=r"sampled at 4000 Hz and 127\.74 MHz, the spectrum at 2000 Hz"):
        read_raw(tmp_path / "a.nii", water=tmp_path / "w.nii")


def test_unknown_endings_and_lost_files_are_refused(tmp_path, decay):
    write_nifti_mrs(tmp_path / "a.nii", fids=decay(LIVER), acquisition=LIVER)
    shutil.copy(tmp_path / "a.nii", tmp_path / "secret.txt")
    with pytest.raises(SpecimenError, match=r"ends in '\.txt', wanted \.nii, .*\.dat") as caught:
        read_raw(tmp_path / "secret.txt")
    assert "secret" not in str(caught.value)
    for ending in READERS:
        with pytest.raises(SpecimenError, match="there is no such file"):
            read_raw(tmp_path / f"lost{ending}")


def test_folders_and_faults_of_the_reference_are_told(tmp_path, decay):
    (tmp_path / "a.rda").mkdir()
    with pytest.raises(SpecimenError, match="got a folder, wanted the file of one spectrum"):
        read_raw(tmp_path / "a.rda")
    write_nifti_mrs(tmp_path / "a.nii", fids=decay(LIVER), acquisition=LIVER)
    with pytest.raises(SpecimenError, match=r"^water reference: got a folder"):
        read_raw(tmp_path / "a.nii", water=tmp_path / "a.rda")


def test_the_reference_keeps_its_own_times(tmp_path, decay):
    """Unless they are those of the spectrum, with which the user corrects them."""
    own = replace(LIVER, te_ms=20.0, tr_ms=10_000.0)
    for name, fid, acquisition in (("a", decay(LIVER), LIVER), ("w", decay(LIVER, {4.65: 1e4}), own)):
        write_nifti_mrs(tmp_path / f"{name}.nii", fids=fid, acquisition=acquisition)
    pair = {"path": tmp_path / "a.nii", "water": tmp_path / "w.nii"}
    for overrides in (Header(), Header(te_ms=30.0, tr_ms=1500.0)):
        times = read_raw(**pair, header_overrides=overrides).water_acquisition
        assert (times.te_ms, times.tr_ms) == (20.0, 10_000.0)
    same = {"path": tmp_path / "a.nii", "water": tmp_path / "a.nii"}
    assert read_raw(**same, header_overrides=Header(te_ms=30.0)).water_acquisition.te_ms == 30.0
    assert read_spectrum(**pair).water_acquisition.te_ms == 20.0
    swapped = read_spectrum(tmp_path / "w.nii", water=tmp_path / "a.nii")
    assert (swapped.acquisition.te_ms, swapped.water_acquisition.te_ms) == (35.0, 20.0)
