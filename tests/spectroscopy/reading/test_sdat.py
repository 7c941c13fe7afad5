"""SDAT: VAX floats exactly, real files in the right direction, and cut files up to their last whole transient."""

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.sdat import read_sdat, vax_to_ieee
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import to_spectrum

SPAR = """!--- a comment: with a colon
scan_id : PRESS
samples : {points}
rows : {rows}
synthesizer_frequency : 127750896
sample_frequency : 2000
averages : 8
echo_time : {te}
repetition_time : 2000
"""


def ieee_to_vax(values) -> bytes:
    """The inverse of `vax_to_ieee`, rounded to the 24 bits a VAX float keeps."""
    fraction, exponent = np.frexp(values)
    whole = np.rint(np.abs(fraction) * 2**24).astype(np.int64)
    carried = whole == 1 << 24
    whole, exponent = np.where(carried, whole >> 1, whole), exponent + carried + 128
    bits = (np.signbit(values).astype(np.int64) << 31) | (exponent.astype(np.int64) << 23) | (whole & 0x7FFFFF)
    bits = np.where(values == 0, 0, bits).astype(np.uint32)
    return np.stack([bits >> 16, bits & 0xFFFF], axis=-1).astype("<u2").tobytes()


def write(folder, *, rows=2, points=16, written=None, te="35", **further):
    lines = "".join(f"{name} : {value}\n" for name, value in further.items())
    (folder / "a.SPAR").write_text(SPAR.format(points=points, rows=rows, te=te) + lines)
    values = np.arange(1.0, 2 * rows * points + 1)
    (folder / "a.SDAT").write_bytes(ieee_to_vax(values)[:written])
    return folder / "a.SDAT"


def test_known_vax_floats():
    """1.0 is 40 80 and -1.5 is C0 C0 in the first word (VAX Architecture Reference Manual)."""
    np.testing.assert_array_equal(vax_to_ieee(bytes.fromhex("80400000 c0c00000 00000000")), [1.0, -1.5, 0.0])


@given(st.lists(st.floats(2.0**-100, 2.0**100, width=32) | st.floats(-(2.0**100), -(2.0**-100), width=32), min_size=1))
def test_there_and_back_is_exact_for_single_precision(values):
    np.testing.assert_array_equal(vax_to_ieee(ieee_to_vax(np.array(values))), values)


def test_the_real_pair_has_naa_at_2_ppm(real):
    """sub-01_PRESS_35 of Osprey's examples, MIT; sha256 of the .sdat fd14521b…."""
    raw = read_sdat(real / "osprey/sub-01_PRESS_35_act.sdat", header_overrides=Header())
    acquisition = raw.acquisition
    assert raw.fids.shape == (1, 1, 2048)
    assert (acquisition.f0_mhz, acquisition.bandwidth_hz, acquisition.te_ms) == (127.750896, 2000, 35)
    assert (acquisition.tr_ms, acquisition.sequence, raw.averages) == (2000, "press", 64)
    within = (acquisition.ppm > 0.5) & (acquisition.ppm < 3.5)
    height = np.abs(to_spectrum(raw.fids[0, 0]))
    assert acquisition.ppm[within][np.argmax(height[within])] == pytest.approx(2.01, abs=0.03)


def test_either_file_of_a_pair_may_be_named_in_any_case(real, tmp_path):
    for kind in ("sdat", "SPAR"):
        shutil.copy(real / f"osprey/sub-01_PRESS_35_act.{kind.lower()}", tmp_path / f"x.{kind}")
    assert read_sdat(tmp_path / "x.SPAR", header_overrides=Header()).fids.shape == (1, 1, 2048)


def test_rows_are_transients(tmp_path):
    raw = read_sdat(write(tmp_path), header_overrides=Header())
    assert raw.fids.shape == (2, 1, 16)
    assert raw.fids[1, 0, 0] == 33 + 34j
    assert (raw.averages, raw.transients) == (4, 8)


def test_a_cut_file_is_read_up_to_its_last_whole_transient(tmp_path):
    raw = read_sdat(write(tmp_path, written=8 * 16 + 20), header_overrides=Header())
    assert raw.fids.shape == (1, 1, 16)
    assert raw.notes == ("the .SDAT file is truncated: 1 of 2 transients were read",)
    with pytest.raises(SpecimenError, match="has 2 of 2 x 16 points: it is truncated"):
        read_sdat(write(tmp_path, written=20), header_overrides=Header())


def test_more_than_declared_is_refused(tmp_path):
    path = write(tmp_path, rows=2)
    path.with_suffix(".SPAR").write_text(SPAR.format(points=16, rows=1, te=35))
    with pytest.raises(SpecimenError, match=r"2 decays of 16 points, the .SPAR file declares 1: .*coils"):
        read_sdat(path, header_overrides=Header())


def test_a_missing_partner_and_a_bad_parameter_are_told(tmp_path):
    with pytest.raises(SpecimenError, match=r"got echo_time = 'short' in the header"):
        read_sdat(write(tmp_path, te="short"), header_overrides=Header())
    with pytest.raises(SpecimenError, match=r"te_ms = 0\.035, wanted 1 to 500 milliseconds"):
        read_sdat(write(tmp_path, te="0.035"), header_overrides=Header())
    (tmp_path / "a.SPAR").unlink()
    with pytest.raises(SpecimenError, match=r"the .SPAR file is missing beside the other one"):
        read_sdat(tmp_path / "a.SDAT", header_overrides=Header())


@pytest.mark.parametrize(
    ("further", "message"),
    [
        ({"nucleus": "13C"}, "got a spectrum of 13C, wanted 1H"),
        ({"phase_encoding_enable": '"yes"'}, "a spectroscopic image of several voxels"),
        ({"dim3_pnts": "4"}, "a spectroscopic image of several voxels"),
        ({"scan_id": "HERMES 80"}, "got an edited spectrum"),
        ({"samples": "0"}, "declares 2 decays of 0 points"),
    ],
)
def test_what_is_no_plain_spectrum_of_a_voxel_is_refused(tmp_path, further, message):
    with pytest.raises(SpecimenError, match=message):
        read_sdat(write(tmp_path, **further), header_overrides=Header())


def test_capital_keys_and_decimal_commas_are_read(tmp_path):
    path = write(tmp_path, te="30,5")
    spar = path.with_suffix(".SPAR")
    spar.write_text(spar.read_text().upper())
    assert read_sdat(path, header_overrides=Header()).acquisition.te_ms == 30.5
