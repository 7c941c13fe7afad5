"""LCModel RAW: read in the right direction, there and back, and not read where it is cut."""

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.lcmodel_raw import read_lcmodel_raw
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import to_spectrum

OVERRIDES = Header(f0_mhz=127.786142, bandwidth_hz=2000.0, te_ms=30.0)


def test_lcmodels_own_test_has_naa_at_2_ppm(real):
    """data.raw of LCModel's test_lcm, BSD-3; sha256 b5c55a2b…; with NAA, creatine and choline where they belong."""
    raw = read_lcmodel_raw(real / "lcmodel/data.raw", header_overrides=OVERRIDES)
    assert raw.fids.shape == (1, 1, 1024)
    assert raw.fids[0, 0, 0] == 1.376081e-3 + 3.446260e-5j  # first line of the file: 1.376081E-03 -3.446260E-05
    height = np.abs(to_spectrum(raw.fids[0, 0]))
    ppm = raw.acquisition.ppm
    within = (ppm > 0.5) & (ppm < 4.2)
    assert ppm[within][np.argmax(height[within])] == pytest.approx(2.01, abs=0.03)


def test_written_and_read_again_nothing_changes(tmp_path, decay, write_lcmodel_raw):
    acquisition = Acquisition(points=128, sequence="steam", te_ms=20.0)
    fid = decay(acquisition, noise=0.1)
    known = Header(f0_mhz=127.74, bandwidth_hz=2000.0, te_ms=20.0, sequence="steam")
    write_lcmodel_raw(tmp_path / "a.RAW", fid=fid, header=known)
    raw = read_lcmodel_raw(tmp_path / "a.RAW", header_overrides=Header())
    np.testing.assert_allclose(raw.fids[0, 0], fid, rtol=1e-5, atol=1e-6 * np.abs(fid).max())
    assert (raw.acquisition.f0_mhz, raw.acquisition.te_ms) == (127.74, 20.0)
    assert raw.acquisition.sequence == "steam"
    assert raw.acquisition.bandwidth_hz == pytest.approx(2000)


def test_tramp_and_volume_scale_the_decay(tmp_path):
    (tmp_path / "a.RAW").write_text(" $NMID\n ID='x', TRAMP= 3.0 VOLUME=2.0\n $END\n 1.0 2.0\n 4.0D0-6.0D+00\n")
    raw = read_lcmodel_raw(tmp_path / "a.RAW", header_overrides=OVERRIDES)
    np.testing.assert_allclose(raw.fids[0, 0], [1.5 - 3j, 6 + 9j])


def test_what_the_file_does_not_tell_is_asked_for(tmp_path):
    (tmp_path / "a.RAW").write_text(" $NMID ID='x' $END\n 1.0 2.0\n")
    with pytest.raises(SpecimenError, match="has no f0_mhz; give it, such as f0_mhz = 127"):
        read_lcmodel_raw(tmp_path / "a.RAW", header_overrides=Header())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1.0 2.0\n", r"no \$NMID"),
        (" $NMID $END\n", "got 0 numbers, wanted pairs"),
        (" $NMID $END\n 1.0 2.0\n 3.0\n", "got 3 numbers, wanted pairs"),
        (" $NMID $END\n 1.0 2.0 rubbish\n", "and other text"),
        (" $NMID TRAMP = much $END\n 1.0 2.0\n", "got TRAMP = 'much'"),
        (" $NMID $END\n NaN 2.0\n", "1 points that are not numbers"),
        (" $NMID $END\n 0.0 0.0\n", "all points of the spectrum are zero"),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, message):
    (tmp_path / "a.RAW").write_text(content)
    with pytest.raises(SpecimenError, match=message):
        read_lcmodel_raw(tmp_path / "a.RAW", header_overrides=OVERRIDES)
