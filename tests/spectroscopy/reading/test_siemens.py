"""RDA: the real file in the right direction; cut, foreign and over-long files refused."""

from types import SimpleNamespace

import mapvbvd
import numpy as np
import pytest
from nifti_mrs.create_nmrs import gen_nifti_mrs
from spec2nii.Siemens import twixfunctions

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.read import read_raw
from hepatica.spectroscopy.reading.siemens import read_rda, read_twix
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import to_spectrum

HEAD = {
    "TR": "2000.0",
    "TE": "30.0",
    "TM": "0.0",
    "DwellTime": "500",
    "NumberOfAverages": "8.0",
    "MRFrequency": "123.25",
    "Nucleus": "1H",
    "MagneticFieldStrength": "3.0",
    "VectorSize": "16",
    "CSIMatrixSize[0]": "1",
    "SequenceName": "*svs_st",
}


def write(path, *, points=16, **changes):
    lines = [f"{name}: {value}" for name, value in (HEAD | changes).items() if value is not None]
    head = "\r\n".join([">>> Begin of header <<<", *lines, ">>> End of header <<<", ""])
    values = np.arange(1, points + 1) * (1 + 0.5j)
    path.write_bytes(head.encode("latin-1") + values.astype("<c16").tobytes())
    return path


def test_the_real_file_has_naa_at_2_ppm(real):
    """SVS_30.rda of suspect's test data, MIT; sha256 223b4920…."""
    raw = read_rda(real / "siemens/SVS_30.rda", header_overrides=Header())
    acquisition = raw.acquisition
    assert (acquisition.f0_mhz, acquisition.te_ms, acquisition.tr_ms, raw.averages) == (123.234655, 30, 2000, 64)
    assert (acquisition.sequence, acquisition.tm_ms) == ("press", None)
    assert acquisition.bandwidth_hz == pytest.approx(1 / 833e-6, rel=1e-6)
    within = (acquisition.ppm > 1.7) & (acquisition.ppm < 2.3)
    height = np.abs(to_spectrum(raw.fids[0, 0]))
    assert acquisition.ppm[within][np.argmax(height[within])] == pytest.approx(2.0, abs=0.06)
    assert height[within].max() > 1.5 * height[(acquisition.ppm > 7.0) & (acquisition.ppm < 7.6)].max()


def test_siemens_turns_the_other_way_round(tmp_path):
    raw = read_rda(write(tmp_path / "a.rda"), header_overrides=Header())
    assert raw.fids[0, 0, 1] == 2 - 1j
    assert raw.acquisition.sequence == "steam"


def test_a_comma_is_a_decimal_point_and_a_name_may_hold_a_colon(tmp_path):
    raw = read_rda(write(tmp_path / "a.rda", TE="30,5", ProtocolName="liver: svs"), header_overrides=Header())
    assert raw.acquisition.te_ms == 30.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": 15}, "got 15 points, the header declares 16: the file is truncated or coils"),
        ({"points": 64}, "got 64 points, the header declares 16: .* coils were written one by one"),
        ({"Nucleus": "31P"}, "got a spectrum of 31P"),
        ({"CSIMatrixSize[0]": "16"}, "a spectroscopic image of several voxels"),
        ({"TE": "short"}, "got TE = 'short' in the header"),
        ({"TE": None}, "got no TE in the header"),
        ({"TE": "0.03"}, "give te_ms = 30, if so"),
        ({"MagneticFieldStrength": "1.5"}, "123.25 MHz, which is protons at 2.89 T, in a magnet of 1.5 T"),
    ],
)
def test_files_that_cannot_be_right_are_refused(tmp_path, changes, message):
    with pytest.raises(SpecimenError, match=message):
        read_rda(write(tmp_path / "a.rda", **changes), header_overrides=Header())


def test_a_file_without_header_is_refused(tmp_path):
    (tmp_path / "a.rda").write_bytes(b"rubbish")
    with pytest.raises(SpecimenError, match="no RDA header"):
        read_rda(tmp_path / "a.rda", header_overrides=Header())


OVERRIDES = Header(te_ms=30.0)


def image(value, *, coils=4):
    data = np.full((1, 1, 1, 32, coils), value, np.complex64)
    return gen_nifti_mrs(data, 5e-4, 123.25, dim_tags=["DIM_COIL", None, None])


def pretend(monkeypatch, images, *, size=(32, 4)):
    """spec2nii's converter replaced by one that finds these images in the last measurement of a file."""
    measurement = SimpleNamespace(image=SimpleNamespace(dataSize=size))
    monkeypatch.setattr(mapvbvd, "mapVBVD", lambda path, quiet: ["adjustment", measurement])
    found = (list(images.values()), list(images))
    monkeypatch.setattr(
        twixfunctions, "process_twix", lambda twix, *rest, quiet: found if twix is measurement else None
    )


def test_the_last_measurement_and_its_reference_are_read(monkeypatch, tmp_path):
    (tmp_path / "a.dat").write_bytes(bytes(1024))
    pretend(monkeypatch, {"spectrum_ref": image(9), "spectrum": image(1 + 2j)})
    raw = read_twix(tmp_path / "a.dat", header_overrides=OVERRIDES)
    assert raw.fids.shape == raw.water.shape == (1, 4, 32)
    assert (raw.fids[0, 0, 0], raw.water[0, 0, 0], raw.averages) == (1 + 2j, 9, 1)


def test_a_reference_alone_is_refused(monkeypatch, tmp_path):
    (tmp_path / "a.dat").write_bytes(bytes(1024))
    pretend(monkeypatch, {"spectrum_ref": image(9)})
    with pytest.raises(SpecimenError, match="has only a reference scan"):
        read_twix(tmp_path / "a.dat", header_overrides=OVERRIDES)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pymapVBVD leaves the file open
@pytest.mark.parametrize("content", [b"", b"rubbish" * 100, bytes(20000)])
def test_what_is_no_twix_is_refused(tmp_path, content):
    (tmp_path / "a.dat").write_bytes(content)
    with pytest.raises(SpecimenError, match=r"the spectrum cannot be read \(\w+\)"):
        read_raw(tmp_path / "a.dat", header_overrides=OVERRIDES)


def test_claims_of_a_twix_cost_nothing(monkeypatch, tmp_path):
    """Data of more dimensions than bytes, and a scan without channels, which was read for ever."""
    (tmp_path / "a.dat").write_bytes(bytes(1024))
    pretend(monkeypatch, {"spectrum": image(1)}, size=(2048, 64, 10_000))
    with pytest.raises(SpecimenError, match="less data than its headers declare"):
        read_twix(tmp_path / "a.dat", header_overrides=OVERRIDES)
    scan = bytearray(128)
    scan[0] = 1
    (tmp_path / "a.dat").write_bytes((10_000).to_bytes(4, "little") + bytes(10_000 - 4) + scan)
    with pytest.raises(SpecimenError, match="a scan without channels"):
        read_twix(tmp_path / "a.dat", header_overrides=OVERRIDES)
