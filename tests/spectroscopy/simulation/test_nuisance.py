from typing import get_args

import numpy as np
import pytest

from hepatica.spectroscopy.priors.priors import Priors, read_priors
from hepatica.spectroscopy.simulation.nuisance import (
    FAMILIES,
    OF_MODEL,
    STANDARD,
    Effects,
    Family,
    Nuisance,
    draw_nuisance,
)

LIPIDS = np.array([False, True])


def drawn(effects: Effects = STANDARD, *, priors: Priors | None = None, n: int = 4000) -> Nuisance:
    rng = np.random.default_rng(0)
    return draw_nuisance(rng, priors or read_priors(), n=n, effects=effects, is_lipid=LIPIDS, te_ms=35)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("common_hz", -10, 10),
        ("shift_hz", -1, 1),
        ("lorentz_hz", 4, 12),
        ("gauss_hz", 6, 25),
        ("phase0", -np.pi / 9, np.pi / 9),
        ("phase1", -np.pi / 60, np.pi / 60),
        ("snr", 5, 80),
        ("baseline_height", 0.02, 0.5),
        ("transients", 8, 128),
        ("water_ppm", 4.4, 4.9),
        ("eddy_s", 0.02, 0.15),
    ],
)
def test_numbers_fill_their_ranges(name: str, low: float, high: float) -> None:
    values = getattr(drawn(), name)
    reach = 0.01 * (high - low)
    assert low - 1e-9 <= values.min() < low + 3 * reach
    assert high - 3 * reach < values.max() <= high + 1e-9


def test_an_effect_never_changes_what_else_is_drawn() -> None:
    every, none = drawn(), drawn(OF_MODEL)
    for name in ("common_hz", "shift_hz", "lorentz_hz", "gauss_hz", "phase0", "snr", "water_ppm", "transients"):
        assert np.array_equal(getattr(every, name), getattr(none, name))


@pytest.mark.parametrize(
    ("effect", "names"),
    [
        ("shifts", ["common_hz", "shift_hz"]),
        ("phases", ["phase0", "phase1"]),
        ("lipid_width", ["lipid_width_hz"]),
        ("water", ["water_height"]),
        ("ghost", ["ghost_height"]),
        ("eddy_current", ["eddy_hz"]),
        ("respiration", ["respiration_hz", "offsets_hz"]),
    ],
)
def test_each_effect_has_its_switch(effect: str, names: list[str]) -> None:
    off = drawn(Effects(**{effect: False}))
    for name in names:
        assert not getattr(off, name).any()
        assert getattr(drawn(), name).any()


def test_relaxation_is_about_the_middle_of_its_range() -> None:
    weight = drawn().weight
    ends = np.exp(-35 / np.array([60, 80])) / np.exp(-35 / 70)
    assert weight[:, 1].min() == pytest.approx(ends[0], abs=2e-3)
    assert weight[:, 1].max() == pytest.approx(ends[1], abs=2e-3)
    assert (drawn(Effects(relaxation=False)).weight == 1).all()


def test_a_tenth_of_spectra_has_an_echo_and_a_tenth_is_cut() -> None:
    nuisance = drawn()
    assert (nuisance.ghost_height > 0).mean() == pytest.approx(0.1, abs=0.02)
    assert np.isfinite(nuisance.cut_s).mean() == pytest.approx(0.1, abs=0.02)
    assert np.isinf(drawn(Effects(truncation=False)).cut_s).all()


@pytest.mark.parametrize("family", get_args(Family))
def test_baselines_have_their_family_and_size(family: Family) -> None:
    nuisance = drawn(Effects(baseline=family), n=300)
    size = np.sqrt((np.abs(nuisance.coefficients) ** 2).sum(axis=1) / nuisance.splines)
    named = set(nuisance.per_spectrum["baseline"])
    assert named == ({family} if family != "mixed" else {"splines", "gaussians", "walk"})
    assert size == pytest.approx(0 if family == "none" else 1)


def test_a_walk_goes_in_steps_and_gaussians_are_smooth() -> None:
    def roughness(family: Family) -> float:
        steps = np.abs(np.diff(drawn(Effects(baseline=family), n=300).coefficients, axis=1))
        return float(steps.mean())

    assert roughness("gaussians") < roughness("walk") < 0.6
    assert FAMILIES[0] == "none"


def test_water_shares_one_height() -> None:
    nuisance = drawn()
    lines = (nuisance.water_height > 0).sum(axis=1)
    assert set(lines) == {1, 2, 3, 4}
    assert nuisance.per_spectrum["water_height"].max() <= 50
