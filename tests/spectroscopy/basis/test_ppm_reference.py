"""Ppm reference: offsets are found to a thousandth of a ppm, whatever width, names or direction."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis
from hepatica.spectroscopy.basis.ppm_reference import align_reference, at_reference, turned_rightly
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.signal.acquisition import Acquisition

ACQUISITION = Acquisition()
BASIS = simulate_basis(ACQUISITION, names=["Cr", "Lac", "Ins", "Scyllo"])


def shifted(ppm: float, *, width_hz: float = 0.0) -> Basis:
    """Resonances `ppm` too high, as of a receiver that stands so much lower than declared."""
    turn = np.exp((2j * np.pi * ppm * ACQUISITION.f0_mhz - np.pi * width_hz) * ACQUISITION.time_s)
    return replace(BASIS, fids=BASIS.fids * turn)


@settings(max_examples=15, deadline=None)
@given(offset=st.floats(-0.45, 0.45), width=st.floats(0, 10))
def test_an_offset_is_found(offset, width):
    found = align_reference(shifted(offset, width_hz=width)).acquisition.reference_ppm
    assert found == pytest.approx(4.65 - offset, abs=2e-3)


def test_other_programs_names_are_known():
    other = Basis(names=("sIns", "mI"), fids=shifted(0.1).fids[[3, 2]], acquisition=ACQUISITION)
    assert align_reference(other).acquisition.reference_ppm == pytest.approx(4.55, abs=2e-3)


def test_the_ge_shift_of_a_posted_issue_is_found():
    """0.169 ppm, which made NAA 0: github.com/wtclarke/fsl_mrs/issues/28."""
    assert align_reference(shifted(-0.169)).acquisition.reference_ppm == pytest.approx(4.819, abs=2e-3)


@pytest.mark.parametrize(
    ("path", "reference"), [("lcmodel/3t.basis", 4.65), ("osprey/3T_PRESS_Philips_35ms_noMM.BASIS", 4.68)]
)
def test_references_of_real_files_are_found(real, path, reference):
    found = align_reference(read_lcmodel_basis(real / path)).acquisition.reference_ppm
    assert found == pytest.approx(reference, abs=1e-3)


def test_a_basis_that_does_not_fit_its_names_is_refused():
    with pytest.raises(SettingsError, match="agrees with its own names to 0"):
        align_reference(replace(BASIS, fids=BASIS.fids.conj()))
    with pytest.raises(SettingsError, match="no component of the basis is known: a, b, c, d"):
        align_reference(replace(BASIS, names=("a", "b", "c", "d")))


def test_a_basis_is_turned_round_only_where_it_turns_backwards():
    np.testing.assert_array_equal(turned_rightly(shifted(0.1)).fids, shifted(0.1).fids)
    backwards = replace(BASIS, fids=BASIS.fids.conj())
    np.testing.assert_array_equal(turned_rightly(backwards).fids, BASIS.fids)
    nameless = replace(backwards, names=("a", "b", "c", "d"))
    np.testing.assert_array_equal(turned_rightly(nameless).fids, backwards.fids)


def test_another_receiver_sees_the_same_resonances():
    there = at_reference(BASIS, ppm=3.0)
    wanted = simulate_basis(replace(ACQUISITION, reference_ppm=3.0), names=BASIS.names)
    np.testing.assert_allclose(there.fids, wanted.fids, atol=0.2)  # binned at .01 Hz
    assert there.acquisition.reference_ppm == 3.0
    np.testing.assert_allclose(at_reference(there, ppm=4.65).fids, BASIS.fids, atol=1e-9)
