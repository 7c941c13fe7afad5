"""Real-part fit: lines of known areas come back, and LCModel's liver result."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.fitting.coord_fit import LIVER_LINES, real_part_fit, voigt
from hepatica.spectroscopy.reading.coord import read_coord

PPM = np.linspace(0.1, 4.0, 800)
AREAS = {
    "Lip09": 0.3,
    "Lip13": 2.0,
    "Lip16": 0.2,
    "Lip21": 0.25,
    "Lip23": 0.1,
    "Lip28": 0.05,
    "Cho": 0.15,
    "Glycg": 0.1,
}


def spectrum(noise: float, *, seed: int = 0) -> np.ndarray:
    """Lorentz 0.08, Gauss 0.1 ppm, 0.02 ppm off, on a slanting baseline."""
    clean = 0.3 + 0.02 * PPM
    for name, places in LIVER_LINES.items():
        for place in places:
            line = voigt_profile(PPM - place - 0.02, 0.1 / np.sqrt(8 * np.log(2)), 0.04)
            clean = clean + AREAS[name] / len(places) * line
    return clean + noise * np.random.default_rng(seed).normal(size=PPM.size)


def test_voigt_is_scipy_s_and_its_derivatives_are_differences():
    x, widths = np.linspace(-0.5, 0.5, 41), {"lorentz": np.array(0.08), "gauss": np.array(0.1)}
    value, *slopes = voigt(x, **widths)
    assert value == pytest.approx(voigt_profile(x, 0.1 / np.sqrt(8 * np.log(2)), 0.04))
    assert slopes[0] == pytest.approx((voigt(x + 1e-6, **widths)[0] - voigt(x - 1e-6, **widths)[0]) / 2e-6, abs=1e-4)
    for slope, name in zip(slopes[1:], widths, strict=True):
        up, down = (voigt(x, **{**widths, name: widths[name] + step})[0] for step in (1e-6, -1e-6))
        assert slope == pytest.approx((up - down) / 2e-6, abs=1e-4)


def test_areas_come_back_and_the_curves_make_up_the_spectrum():
    fit = real_part_fit(spectrum(1e-5), ppm=PPM)
    assert fit.converged
    assert dict(zip(fit.names, fit.area, strict=True)) == pytest.approx(AREAS, rel=0.02)
    assert (fit.shift_ppm, fit.lorentz_ppm, fit.gauss_ppm) == pytest.approx((0.02, 0.08, 0.1), rel=0.01)
    assert fit.components.sum(axis=0) + fit.baseline == pytest.approx(spectrum(0), abs=1e-3)


def test_standard_deviations_are_those_of_repeated_noise():
    """20 spectra: the spread of Lip13 and Cho within 40 % of what each fit says; the noise within 5 %."""
    fits = [real_part_fit(spectrum(0.02, seed=seed), ppm=PPM) for seed in range(20)]
    spread = np.std([fit.area for fit in fits], axis=0)
    message = np.mean([np.sqrt(np.diag(fit.covariance)) for fit in fits], axis=0)
    for name in ("Lip13", "Cho"):
        place = fits[0].names.index(name)
        assert message[place] == pytest.approx(spread[place], rel=0.4)
    assert np.mean([fit.noise_sd for fit in fits]) == pytest.approx(0.02, rel=0.05)


def test_a_line_that_is_not_fitted_is_noted():
    """Creatine at 3.03 ppm, a third as high as the tallest lipid; the liver alone is not noted."""
    creatine = spectrum(0.0).max() / 3 * np.exp(-((PPM - 3.03) ** 2) / (2 * 0.03**2))
    (flag,) = real_part_fit(spectrum(0.01) + creatine, ppm=PPM).quantities.flags[0]
    assert "a line at 3.0" in flag
    assert real_part_fit(spectrum(0.01), ppm=PPM).quantities.flags == ((),)


def test_nothing_is_found_in_nothing():
    message = real_part_fit(np.zeros(800), ppm=PPM).quantities.to_table().reported
    assert (message == "not quantifiable: nothing found").all()


def test_lines_beyond_the_axis_are_left_out():
    inside = (PPM > 1.0) & (PPM < 2.5)
    fit = real_part_fit(spectrum(1e-3)[inside], ppm=PPM[inside])
    assert fit.names == ("Lip13", "Lip16", "Lip21", "Lip23")


def test_quantities_have_sums_and_say_what_is_unsure():
    table = real_part_fit(spectrum(1.5), ppm=PPM).quantities.with_sums().to_table().set_index("target")
    assert table.loc["Lipids", "value"] == pytest.approx(2.8, rel=0.2)
    assert table.loc["Lip28", "reported"].startswith("not quantifiable")
    assert set(table["unit"]) == {"institutional units"}


@pytest.mark.parametrize(
    ("values", "ppm", "message"),
    [
        (np.zeros(800), PPM[::-1], "rising"),
        (np.full(800, np.nan), PPM, "not numbers"),
        (np.zeros(50), PPM[:50], "or more"),
    ],
)
def test_what_cannot_be_fitted_is_refused(values, ppm, message):
    with pytest.raises(SpecimenError, match=message):
        real_part_fit(values, ppm=ppm)


def test_lcmodel_s_liver_comes_out(real):
    """Lip13 of all lipids within 10 %, Lip16 and Lip21 within 25 %, choline within 2 of LCModel's deviations (10 %).

    As shares of all lipids (L16+L09+L13 and L28+L23+L21): LCModel prints institutional units of its own scaling.
    """
    coord = read_coord(real / "coord" / "liver.COORD")
    fit = real_part_fit(coord.data, ppm=coord.ppm)
    assert fit.flags == ()
    lcmodel = coord.table.concentration
    all_lipids = lcmodel["L16+L09+L13"] + lcmodel["L28+L23+L21"]
    area = dict(zip(fit.names, fit.area, strict=True))
    ours = sum(value for name, value in area.items() if name.startswith("Lip"))
    off = {name: area[name] / ours / (lcmodel[name] / all_lipids) - 1 for name in ("Lip13", "Lip16", "Lip21", "Cho")}
    assert fit.converged
    assert abs(off["Lip13"]) < 0.10
    assert abs(off["Lip16"]) < 0.25
    assert abs(off["Lip21"]) < 0.25
    assert abs(off["Cho"]) < 2 * coord.table.sd_percent["Cho"] / 100
