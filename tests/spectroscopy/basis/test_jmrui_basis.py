"""JMRUI basis: there and back, as spec2nii reads it, and turned whichever way."""

from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.jmrui_basis import read_jmrui_basis, write_jmrui_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.signal.acquisition import Acquisition

ACQUISITION = Acquisition(points=256, te_ms=30.0, tr_ms=None)


@pytest.fixture
def basis():
    return simulate_basis(ACQUISITION, names=["Lac", "Cr", "Lip13"])


def test_there_and_back(tmp_path, basis):
    write_jmrui_basis(basis, path=tmp_path / "a.txt")
    again = read_jmrui_basis(tmp_path / "a.txt", te_ms=30.0)
    assert (again.names, again.acquisition) == (basis.names, basis.acquisition)
    np.testing.assert_allclose(again.fids, basis.fids, atol=1e-7)


def test_a_file_that_turns_backwards_is_turned_round(tmp_path, basis):
    write_jmrui_basis(replace(basis, fids=basis.fids.conj()), path=tmp_path / "a.txt")
    np.testing.assert_allclose(read_jmrui_basis(tmp_path / "a.txt").fids, basis.fids, atol=1e-7)


def test_names_nobody_knows_are_left_as_they_turn(tmp_path, basis):
    strange = Basis(names=("a", "b", "c"), fids=basis.fids, acquisition=ACQUISITION)
    write_jmrui_basis(strange, path=tmp_path / "a.txt")
    np.testing.assert_allclose(read_jmrui_basis(tmp_path / "a.txt").fids, basis.fids, atol=1e-7)


def test_another_receiver_is_turned_to_4_65(tmp_path, basis):
    other = simulate_basis(replace(ACQUISITION, reference_ppm=3.0), names=["Lac", "Cr", "Lip13"])
    write_jmrui_basis(other, path=tmp_path / "a.txt")
    np.testing.assert_allclose(read_jmrui_basis(tmp_path / "a.txt").fids, basis.fids, atol=0.05)


def test_spec2nii_reads_the_same(tmp_path, basis):
    from spec2nii.jmrui import jmrui_txt

    write_jmrui_basis(basis, path=tmp_path / "a.txt")
    (image,), _ = jmrui_txt(Namespace(file=tmp_path / "a.txt", affine=None, fileout=None))
    np.testing.assert_allclose(np.asarray(image[:])[0, 0, 0].T, basis.fids, atol=1e-5)
    assert image.spectrometer_frequency[0] == pytest.approx(127.74)
    assert image.dwelltime == pytest.approx(0.0005)


def test_frequency_in_mhz_and_columns_of_a_spectrum_are_understood(tmp_path, basis):
    write_jmrui_basis(basis, path=tmp_path / "a.txt")
    text = (tmp_path / "a.txt").read_text().replace("127740000", "127.74")
    lines = [line + "\t0.0\t0.0" if line[:2].strip("-")[:1].isdigit() else line for line in text.splitlines()]
    (tmp_path / "b.txt").write_text("\n".join(lines))
    found = read_jmrui_basis(tmp_path / "b.txt", te_ms=30.0)
    assert found.acquisition == ACQUISITION
    np.testing.assert_allclose(found.fids, basis.fids, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("SignalNames: Lac;Cr;Lip13", ""), "names 0 signals and has 3"),
        (lambda text: text[: len(text) // 2], "names 3 signals and has 2"),
        (lambda text: text[: text.rindex("\n", 0, -2000)], "truncated"),
        (lambda text: text.replace("SamplingInterval", "Interval"), "has no Points"),
        (lambda text: text.replace("E+00", "E+zz"), "not a number"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, basis, change, message):
    write_jmrui_basis(basis, path=tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text(change((tmp_path / "a.txt").read_text()))
    with pytest.raises(SpecimenError, match=message):
        read_jmrui_basis(tmp_path / "a.txt")
