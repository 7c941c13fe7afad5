from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.priors.concentrations import Range
from hepatica.spectroscopy.priors.priors import NUISANCES, read_priors
from hepatica.spectroscopy.signal.targets import LCM5, LIVER20

TEXT = files("hepatica.spectroscopy.priors").joinpath("priors.toml").read_text(encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    path = folder / "priors.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_hepaticas_own_are_those_of_the_file(tmp_path: Path) -> None:
    own, copied = read_priors(), read_priors(written(tmp_path, TEXT))
    assert own.names == LIVER20
    assert set(own.nuisance) == set(NUISANCES)
    assert own.digest == copied.digest
    assert own.select(LCM5).names == LCM5


def test_the_digest_is_of_the_numbers_only(tmp_path: Path) -> None:
    told_elsewhere = read_priors(written(tmp_path, TEXT.replace('"ours', '"also ours')))
    changed = read_priors(
        written(tmp_path, TEXT.replace("Cho = { low = 0.0, high = 2.0", "Cho = { low = 0.0, high = 2.1"))
    )
    assert told_elsewhere.digest == read_priors().digest != changed.digest


def test_logarithms_of_a_uniform_concentration() -> None:
    priors = read_priors()
    choline = priors.names.index("Cho")
    assert priors.log_mean[choline] == pytest.approx(np.log(2) - 1, abs=1e-3)
    assert priors.log_covariance[choline, choline] == pytest.approx(1, abs=5e-3)


def test_moments_of_the_signal_models_parameters() -> None:
    moments = read_priors().nonlinear
    assert set(moments) == {"common_hz", "shift_hz", "lorentz_hz", "gauss_hz", "phase0", "phase1"}
    assert moments["lorentz_hz"] == pytest.approx((8, 8 / np.sqrt(12)), abs=1e-4)
    assert moments["phase0"] == pytest.approx((0, np.deg2rad(40) / np.sqrt(12)), abs=1e-4)


def test_a_nuisance_is_held_or_replaced() -> None:
    priors = read_priors().having(snr=20, gauss_hz=Range(low=30, high=40))
    assert priors.nuisance["snr"] == Range(low=20, high=20)
    assert priors.nuisance["gauss_hz"] == Range(low=30, high=40)
    assert priors.digest != read_priors().digest
    with pytest.raises(SettingsError, match="nuisance warmth"):
        priors.having(warmth=1)


FAULTS = [
    ("Ala = { low = 0.0, high = 3.0", "Ala = { low = 4.0, high = 3.0", "concentrations_mm.Ala: got low 4 above high 3"),
    ("Bet = { low = 0.0,", 'Bet = { low = "none",', "concentrations_mm.Bet.low: got 'none'"),
    ("Cho = { low = 0.0, high = 2.0", "Cho = { low = 0.0, high = 0.0", "concentrations_mm.Cho: got 0 throughout"),
    ("Cr = {", "Lip13 = {", "concentrations_mm.Lip13: a lipid"),
    ("low = 0.3, high = 30.0", "low = 0.3, high = 130.0", "fat.pdff_percent.high: got 130.0"),
    ("ratio_log_sd = { value = 0.15", "ratio_log_sd = { value = true", "fat.ratio_log_sd.value: got True"),
    ("lorentz_hz = { low = 4.0", "lorentz_hz = { low = nan", "nuisance.lorentz_hz.low: got nan"),
    ("gauss_hz =", "gaus_hz =", "nuisance.gaus_hz: unknown"),
    ("gauss_hz =", "gaus_hz =", "nuisance.gauss_hz: missing"),
    (
        "snr = { low = 5.0, high = 80.0, log = true",
        "snr = { low = 5.0, high = 80.0, log = 1",
        "nuisance.snr.log: got 1",
    ),
    ('source = "ours; all components together"', 'source = ""', "nuisance.common_hz.source: missing"),
    ('value = "tCho"', 'value = "water"', "snr_peak.value: got 'water'"),
    ("title =", "titel =", "titel: unknown"),
]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = TEXT
    for old, new in {old: new for old, new, _ in FAULTS}.items():
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(SettingsError) as caught:
        read_priors(written(tmp_path, text))
    for _, _, message in FAULTS:
        assert message in str(caught.value)


def test_no_logarithm_of_zero(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="wanted above 0 where log = true"):
        read_priors(written(tmp_path, TEXT.replace("water_height = { low = 0.05", "water_height = { low = 0.0")))


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_priors(written(tmp_path, "Cho: 1"))
    with pytest.raises(SettingsError, match="cannot be read"):
        read_priors(tmp_path / "none.toml")
