"""LCModel basis: there and back, real files of two programs, and every trap of the format."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis, write_lcmodel_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import to_spectrum

ACQUISITION = Acquisition(points=256, te_ms=30.0, tr_ms=None)


@pytest.fixture
def basis():
    return simulate_basis(ACQUISITION, names=["Lac", "Cr", "Lip13"])


@pytest.fixture
def text(basis, tmp_path):
    write_lcmodel_basis(basis, path=tmp_path / "a.basis")
    return (tmp_path / "a.basis").read_text()


def read(text, tmp_path, **message):
    (tmp_path / "b.basis").write_text(text)
    return read_lcmodel_basis(tmp_path / "b.basis", **message)


@pytest.mark.parametrize("sequence", ["press", "steam", "slaser", "spin_echo"])
def test_there_and_back(tmp_path, sequence):
    basis = simulate_basis(replace(ACQUISITION, sequence=sequence), names=["Lac", "Cr", "Lip13"])
    write_lcmodel_basis(basis, path=tmp_path / "a.basis")
    again = read_lcmodel_basis(tmp_path / "a.basis")
    assert again.names == basis.names
    assert again.acquisition == basis.acquisition
    np.testing.assert_allclose(again.fids, basis.fids, atol=1e-5)


def test_another_receiver_is_turned_to_lcmodels(tmp_path):
    basis = simulate_basis(replace(ACQUISITION, reference_ppm=3.0), names=["Cr"])
    write_lcmodel_basis(basis, path=tmp_path / "a.basis")
    again = read_lcmodel_basis(tmp_path / "a.basis")
    assert again.acquisition.reference_ppm == 4.65
    np.testing.assert_allclose(again.fids, simulate_basis(ACQUISITION, names=["Cr"]).fids, atol=0.02)


@pytest.mark.parametrize(
    ("path", "names", "points", "bandwidth"),
    [("lcmodel/3t.basis", 17, 1024, 2000), ("osprey/3T_PRESS_Philips_35ms_noMM.BASIS", 17, 8192, 4000)],
)
def test_real_files_have_their_peaks_where_they_belong(real, path, names, points, bandwidth):
    """The methyl of creatine at 3.03 ppm (3.00 in Osprey's), upright: neither mirrored nor shifted nor out of phase."""
    basis = read_lcmodel_basis(real / path)
    acquisition = basis.acquisition
    assert (len(basis.names), acquisition.points) == (names, points)
    assert acquisition.bandwidth_hz == pytest.approx(bandwidth)
    creatine = to_spectrum(basis.fids[basis.names.index("Cr")])
    peak = np.abs(creatine).argmax()
    assert acquisition.ppm[peak] == pytest.approx(3.03, abs=0.035)
    assert abs(np.angle(creatine[peak - 1 : peak + 2].sum())) < 0.2
    assert np.abs(creatine.real[: len(creatine) // 4]).max() < 0.02 * np.abs(creatine).max()  # no offset


def test_amplitudes_are_lcmodels(text, basis, tmp_path):
    """TRAMP / (VOLUME CONC) of MYBASI in LCModel.f."""
    changed = (
        text.replace("CONC = 1.", "CONC = 5.").replace("TRAMP = 1.", "TRAMP = 3").replace("VOLUME = 1.", "VOLUME=2")
    )
    np.testing.assert_allclose(read(changed, tmp_path).fids, basis.fids * 3 / 10, atol=1e-5)


def test_ishift_moves_towards_larger_ppm(text, basis, tmp_path):
    """'A positive ISHIFT shifts the spectrum ISHIFT grid points to the left, i.e., toward larger ppm' (LCModel.f)."""
    moved = read(text.replace("ISHIFT = 0", "ISHIFT = 4"), tmp_path)
    here, there = (np.abs(to_spectrum(each.fids[1])).argmax() for each in (basis, moved))
    assert there - here == 4


def test_a_first_sample_that_was_not_halved_stays(basis, text, tmp_path):
    whole = Basis(names=basis.names, fids=basis.fids * [2, *[1] * 255], acquisition=basis.acquisition)
    write_lcmodel_basis(whole, path=tmp_path / "c.basis")
    np.testing.assert_allclose(read_lcmodel_basis(tmp_path / "c.basis").fids, basis.fids, atol=1e-5)


def test_headers_of_other_programs_are_understood(text, basis, tmp_path):
    small = text.replace(" = ", "=").replace("BADELT=", "badelt=").replace("METABO=", "metabo=").replace("$END", "&END")
    fortran = small.replace("badelt=5.000000000e-04", "badelt=0.5D-03")
    assert fortran != small
    found = read(fortran, tmp_path)
    assert found.names == basis.names
    assert found.acquisition.bandwidth_hz == pytest.approx(2000)


def test_a_header_without_frequency_asks_for_it(text, tmp_path):
    without = text.replace("HZPPPM = 127.740000,", "")
    with pytest.raises(SpecimenError, match="give f0_mhz"):
        read(without, tmp_path)
    assert read(without, tmp_path, f0_mhz=123.2, te_ms=68.0).acquisition.f0_mhz == 123.2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("BADELT = ", "BADELT = -"), "encrypted"),
        (lambda text: text[: len(text) // 2], "truncated"),
        (lambda text: text.replace("NDATAB", "NDATA"), "no BADELT and NDATAB"),
        (lambda text: text[: text.index("$NMUSED") - 1], "no metabolite"),
        (lambda text: text.replace("E+00", "E+zz"), "not a number"),
        (lambda text: text.replace("E+00", "E+999"), "not a number"),
        (lambda text: "nothing", "no BADELT"),
    ],
)
def test_what_cannot_be_read_is_noted(text, tmp_path, change, message):
    with pytest.raises(SpecimenError, match=message):
        read(change(text), tmp_path)
