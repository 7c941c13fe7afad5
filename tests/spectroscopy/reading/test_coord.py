"""COORD: LCModel's published liver spectrum, its fit and its table, number by number."""

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.reading.coord import read_coord


@pytest.fixture
def liver(real):
    """liver.COORD of suspect's test data, MIT; sha256 a6d4a84a…; LCModel 6.3-1B, sptype liver-11."""
    return read_coord(real / "coord/liver.COORD")


def test_the_table_is_the_printed_one(liver):
    assert liver.table.loc["Lip13"].tolist() == [0.125, 3, 0.878]
    assert liver.table.loc["Cho"].tolist() == [6.93e-3, 10, 4.9e-2]
    assert liver.table.loc["L16+L09+L13", "concentration"] == 0.143
    assert len(liver.table) == 11
    assert (liver.fwhm_ppm, liver.snr, liver.shift_ppm) == (0.297, 24, -0.019)
    assert (liver.phase_deg, liver.phase_deg_per_ppm) == (36, 0.3)
    assert (liver.settings["sptype"], liver.settings["hzpppm"]) == ("liver-11", "1.2323e+02")


def test_paths_that_may_carry_names_are_left_out(liver):
    assert not {"srcraw", "srch2o", "savdir", "filbas"} & liver.settings.keys()


def test_curves_rise_in_ppm_and_fit_each_other(liver):
    assert liver.ppm.shape == liver.data.shape == liver.fit.shape == liver.baseline.shape == (821,)
    assert (np.diff(liver.ppm) > 0).all()
    assert liver.ppm[[0, -1]].tolist() == pytest.approx([0.099506, 4.0])
    assert liver.ppm[np.argmax(liver.data)] == pytest.approx(1.28, abs=0.03)
    spread = np.std(liver.data - liver.fit)
    height = (liver.data - liver.baseline).max()
    assert height / (2 * spread) == pytest.approx(liver.snr, rel=0.1)  # S/N of LCModel's manual, which prints 24
    assert liver.baseline[-1] == 0.1092


def coord(tmp_path, **curves) -> str:
    blocks = {"NY phased data points": "1 2 3", "NY points of the fit to the data": "1 2 2.5-101"} | curves
    text = [" 2 lines in following concentration table = NCONC+1", " Conc. %SD /Cr Metabolite"]
    text += [" 1.0E-02  12% 0.5+GPC", " 1 lines in following misc. output table", " FWHM = 0.1 ppm S/N = 9"]
    text += [" 3 points on ppm-axis = NY", " 3.0 2.0", " 1.0"]
    text += [line for head, numbers in blocks.items() for line in (f" {head} follow", numbers)]
    path = tmp_path / "a.COORD"
    path.write_text("\n".join(text))
    return path


def test_a_short_one_without_baseline_is_read(tmp_path):
    found = read_coord(coord(tmp_path))
    assert found.ppm.tolist() == [1, 2, 3]
    assert found.data.tolist() == [3, 2, 1]
    assert found.fit[0] == 2.5e-101  # FORTRAN leaves the E out
    assert found.baseline.tolist() == [0, 0, 0]
    assert found.table.loc["GPC"].tolist() == [0.01, 12, 0.5]
    assert np.isnan(found.phase_deg)
    assert found.settings == {}


def test_a_cut_or_foreign_file_is_refused(tmp_path):
    with pytest.raises(SpecimenError, match="fewer than 3 points after 'NY phased data points follow'"):
        read_coord(coord(tmp_path, **{"NY phased data points": "1 2"}))
    (tmp_path / "b.COORD").write_text("nothing")
    with pytest.raises(SpecimenError, match="no line 'points on ppm-axis'"):
        read_coord(tmp_path / "b.COORD")
