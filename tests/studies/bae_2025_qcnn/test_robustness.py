"""Robustness: one thing is changed at a time, and the methods know nothing of it."""

import numpy as np
import pandas as pd
import pytest

from hepatica.spectroscopy.simulation.simulated_samples import SWEPT
from hepatica.studies.bae_2025_qcnn.simulated_test import (
    BASELINES,
    GAUSS_HZ,
    SNRS,
    TE_MS_OFF,
    Condition,
    conditions,
    swept,
)


@pytest.fixture(scope="module")
def found(few_samples) -> dict[tuple[str, str], Condition]:
    return {(each.sweep, each.level): each for each in conditions(few_samples)}


def test_every_level_of_every_sweep_is_there_once(found, few_samples) -> None:
    assert len(list(conditions(few_samples))) == len(found) == 2 + sum(map(len, (SNRS, GAUSS_HZ, BASELINES, TE_MS_OFF)))


def test_concentrations_are_the_same_in_all_and_spectra_are_not(found) -> None:
    drawn = [each.samples.at(np.arange(8)) for each in found.values()]
    for each in drawn[1:]:
        np.testing.assert_array_equal(each.truth[:, :3], drawn[0].truth[:, :3])
    spectra = [each.values.tobytes() for key, each in zip(found, drawn, strict=True) if key != ("baseline", "splines")]
    assert len(set(spectra)) == len(spectra)  # splines are what these draws have anyway


def test_levels_are_what_they_say(found) -> None:
    wide = found["Gaussian width, Hz", "32"].samples.at(np.arange(8))
    np.testing.assert_allclose(wide.truth[:, 3 + 2], 32)
    quiet, loud = (found["SNR of tCho", level].samples.at(np.arange(8)).noise_sd for level in ("80", "5"))
    np.testing.assert_allclose(loud / quiet, 16, rtol=1e-5)
    assert found["baseline", "none"].samples.effects.baseline == "none"


def test_another_echo_time_is_not_declared(found, few_samples) -> None:
    own, other = few_samples.model.basis, found["echo time off by, ms", "+5"].samples.model.basis
    assert other.acquisition == own.acquisition
    moved = dict(zip(own.names, np.abs(other.fids - own.fids).max(axis=1) / np.abs(own.fids).max(axis=1), strict=True))
    assert moved["Lac"] > 0.1
    assert moved["Lip13"] == 0  # lipids have no couplings here, and relaxation is left out


def test_shaped_pulses_refocus_couplings_otherwise(found, few_samples) -> None:
    own, other = few_samples.model.basis, found["refocusing pulses", "shaped"].samples.model.basis
    assert np.abs(other.fids[1] - own.fids[1]).max() > 0.05 * np.abs(own.fids[1]).max()


def test_nothing_was_trained_or_tested_on_these_spectra(found, few_samples) -> None:
    assert {each.samples.stream for each in found.values()} == {SWEPT} != {few_samples.stream}


def test_errors_are_means_of_each_target(few_samples, wrong) -> None:
    table = swept(few_samples, quantifier=wrong, methods=("nls", "map"), spectra=8)
    drawn = next(conditions(few_samples)).samples.at(np.arange(8))
    own = table[table["sweep"] == "as trained"].set_index(["method", "target"])["mae"]
    for off, method in ((2.0, "nls"), (1.0, "map")):
        wanted = np.abs(off * np.arange(8) - drawn.truth[:, 2]).mean()
        assert own[method, "Lip13"] == pytest.approx(wanted)
    assert len(table) == 20 * 2 * 3
    assert len(wrong.seen) == 2 * 20


def test_methods_get_the_noise_and_the_model_they_have(few_samples, wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def quantify(values, *, method, noise_sd):
        given.append(noise_sd)
        return wrong.__class__.quantify(wrong, values, method=method, noise_sd=noise_sd)

    monkeypatch.setattr(wrong, "quantify", quantify)
    swept(few_samples, quantifier=wrong, methods=("nls",), spectra=8)
    wanted = [each.samples.at(np.arange(8)).noise_sd for each in conditions(few_samples)]
    pd.testing.assert_frame_equal(pd.DataFrame(given), pd.DataFrame(wanted))
    assert wrong.model is few_samples.model
