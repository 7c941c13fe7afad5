"""Study: every step of Bae 2025 is done once, in the order of its paper, and nothing is done twice."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from hepatica.cohort import CohortError, RunError, Split
from hepatica.cohort.atomic import read_json
from hepatica.studies import Work, run_study
from hepatica.studies.bae_2025_qcnn import study as module
from hepatica.studies.bae_2025_qcnn.settings import QUANTIFIER
from hepatica.studies.bae_2025_qcnn.simulated_test import METHODS, conditions
from hepatica.studies.bae_2025_qcnn.study import TESTED


def test_everything_a_report_needs_is_there(studied_spectra) -> None:
    for folder in (studied_spectra.folder, studied_spectra.folder / "external" / "b"):
        assert (folder / "metrics.json").is_file()
        assert (folder / "explained" / "explained.json").is_file()
        assert len(read_json(folder / "fits" / "fits.json")) == module.EXPLAINED
    assert (studied_spectra.folder / QUANTIFIER / "external" / "b" / "metrics.json").is_file()


def test_every_method_quantified_every_spectrum_of_both_kinds(studied_spectra) -> None:
    table = pd.read_parquet(studied_spectra.folder / "quantified.parquet")
    sizes = table.groupby(["nuisance", "method"])[["spectrum", "target"]].nunique()
    assert set(sizes.index) == {(kind, method) for kind in TESTED for method in METHODS}
    assert set(sizes["spectrum"]) == {60}
    assert set(sizes["target"]) == {20}
    truths = table.pivot(index=["spectrum", "target"], columns=["nuisance", "method"], values="truth")
    assert (truths.nunique(axis=1) == 1).all()  # the same concentrations, spoilt otherwise
    map_errors = (table["estimate"] - table["truth"]).abs()[table["method"] == "map"].groupby(table["nuisance"]).mean()
    assert map_errors["signal model"] < map_errors["everything"]


def test_robustness_has_a_row_a_condition_method_and_target(studied_spectra) -> None:
    table = pd.read_parquet(studied_spectra.folder / "robustness.parquet")
    assert len(table) == 20 * len(METHODS) * len(table[["sweep", "level"]].drop_duplicates())
    assert not table.duplicated(["sweep", "level", "method", "target"]).any()


def test_both_systems_are_tested_on_the_same_patients(studied_spectra) -> None:
    first, second = (Split.read(folder / "splits.csv") for folder in _both(studied_spectra.folder))
    assert first.test == second.test
    assert len(first.test) == 10


def test_repeated_it_does_nothing(studied_spectra) -> None:
    times = {path: path.stat().st_mtime_ns for path in studied_spectra.folder.rglob("*") if path.is_file()}
    assert studied_spectra.again() == studied_spectra.folder
    assert {path: path.stat().st_mtime_ns for path in studied_spectra.folder.rglob("*") if path.is_file()} == times


@pytest.mark.parametrize("change", [{"spectra": 70}, {"swept": 9}, {"qcnn_epochs": 3}, {"epochs": 3}])
def test_other_numbers_want_another_folder(studied_spectra, tmp_path: Path, change: dict[str, int]) -> None:
    shutil.copytree(studied_spectra.folder, tmp_path / "s")
    settings = replace(studied_spectra.settings, **change)
    with pytest.raises(RunError, match="choose a new --run folder"):
        run_study("bae_2025_qcnn", studied_spectra.cohort, run=tmp_path / "s", settings=settings)


def test_shared_patients_are_refused_before_training(studied_spectra, tmp_path: Path) -> None:
    cohort = studied_spectra.cohort
    with pytest.raises(CohortError, match="external cohort"):
        run_study("bae_2025_qcnn", cohort, run=tmp_path / "s", external=[cohort], settings=studied_spectra.settings)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("effects", ["all", "of_model"])
def test_robustness_starts_from_what_the_networks_learnt(
    studied_spectra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, effects: str
) -> None:
    settings = replace(studied_spectra.settings, qcnn_effects=effects)
    seen = []
    monkeypatch.setattr(module, "quantified", lambda drawn, **_: pd.DataFrame({"spectrum": [0]}))
    monkeypatch.setattr(
        module, "swept", lambda samples, **_: seen.append(next(conditions(samples))) or pd.DataFrame({"sweep": [""]})
    )
    work = Work(cohort=tmp_path, run=tmp_path, external={}, settings=settings)
    module._quantify(SimpleNamespace(network=SimpleNamespace(extractor=None)), work)
    assert seen[0].samples.effects == settings.quantifier.simulated


def _both(folder: Path) -> tuple[Path, Path]:
    return folder, folder / QUANTIFIER
