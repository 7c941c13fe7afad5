"""Conformance: what every registered system must do, by being registered."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.cohort import load_cohort, read_predictions
from hepatica.learn import load_weights, save_weights
from hepatica.protocol import System, as_plain, from_plain, override
from hepatica.report import write_report
from hepatica.report.documents.system_page import system_page
from hepatica.runs import train
from hepatica.runs.inputs import of_modality
from hepatica.systems import all_systems

NAMES = tuple(all_systems())


@pytest.fixture(scope="session")
def cohorts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By the name of each system, the phantom cohort of its room."""
    rooms = {system.modality: system for system in all_systems().values()}
    made = {
        modality: system.phantom(tmp_path_factory.mktemp("phantom") / modality, patients=18, seed=3)
        for modality, system in rooms.items()
    }
    return {name: made[system.modality] for name, system in all_systems().items()}


@pytest.fixture
def cohort(cohorts: dict[str, Path], name: str) -> Path:
    """The phantom cohort of the system that is tested."""
    return cohorts[name]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, cohorts: dict[str, Path]) -> dict[str, tuple[Path, Path]]:
    """Each system trained twice with one seed, in folders of their own."""
    folder = tmp_path_factory.mktemp("runs")
    made = {}
    for name, system in all_systems().items():
        short = override(system.quick, system.shortest)
        for attempt in "12":
            train(system, cohorts[name], run=folder / f"{name}_{attempt}", settings=short)
        made[name] = (folder / f"{name}_1", folder / f"{name}_2")
    return made


def prepared(system: System, cohort: Path, run: Path):
    settings = override(system.quick, system.shortest)
    specimens = of_modality(load_cohort(cohort).specimens, system.modality)
    return system.prepare(specimens, settings, run / "prepared"), settings


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_gives_one_result(name: str, runs: dict[str, tuple[Path, Path]]) -> None:
    first, second = (read_predictions(run / "predictions.parquet") for run in runs[name])
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert first["score"].between(0, 1).all()
    assert first["score"].nunique() > len(first) / 4


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_network_predicts_the_same(
    name: str, runs: dict[str, tuple[Path, Path]], cohort: Path, tmp_path: Path
) -> None:
    system = all_systems()[name]
    material, settings = prepared(system, cohort, runs[name][0])
    network, other = (system.build(settings, pretrained=False) for _ in range(2))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.9)
    before = system.infer(other, material, settings).specimens["score"]
    save_weights(network, tmp_path / "w.safetensors")
    load_weights(other, tmp_path / "w.safetensors")
    one, two = (system.infer(each, material, settings).specimens for each in (network, other))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert not np.allclose(before, two["score"])


@pytest.mark.parametrize("name", NAMES)
def test_one_patient_and_one_specimen_are_enough_to_predict(
    name: str, runs: dict[str, tuple[Path, Path]], cohort: Path
) -> None:
    system = all_systems()[name]
    settings = override(system.quick, system.shortest)
    specimen = load_cohort(cohort).specimens[0]
    material = system.prepare([specimen], settings, runs[name][0] / "prepared")
    inference = system.infer(system.build(settings, pretrained=False), material, settings)
    assert len(inference.specimens) == len(system.targets)
    assert len(system.pool(inference.specimens)) == len(system.targets)
    assert len(inference.regions) == len(inference.signatures)
    together = prepared(system, cohort, runs[name][0])[0]
    among = system.infer(system.build(settings, pretrained=False), together, settings).specimens
    alone = inference.specimens["score"].to_numpy()
    np.testing.assert_allclose(among.loc[among["specimen_id"] == specimen.specimen_id, "score"], alone, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_saliency_has_the_size_of_its_input(name: str, runs: dict[str, tuple[Path, Path]], cohort: Path) -> None:
    system = all_systems()[name]
    material, settings = prepared(system, cohort, runs[name][0])
    images = material.read(np.arange(3))
    maps = system.saliency(system.build(settings, pretrained=False), images)
    assert maps.shape == images.shape[:3]
    assert maps.min() >= 0
    assert maps.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_settings_survive_the_settings_file(name: str) -> None:
    system = all_systems()[name]
    for settings in (system.settings, system.quick):
        assert from_plain(system.settings, as_plain(settings)) == settings


@pytest.mark.parametrize("name", NAMES)
def test_file_confesses_departures_and_unclear_points(name: str) -> None:
    module = next(
        found
        for found in list(sys.modules.values())
        if found.__name__.startswith("hepatica.systems.") and all_systems()[name] in vars(found).values()
    )
    text = importlib.import_module(module.__name__).__doc__ or ""
    assert "Departures" in text
    assert "Unclear" in text


@pytest.mark.parametrize("name", NAMES)
def test_docs_page_is_that_of_the_file(name: str) -> None:
    page = Path(__file__).parents[2] / "docs" / "systems" / f"{name}.md"
    assert page.read_text(encoding="utf-8") == system_page(all_systems()[name]), "run ./run docs"


@pytest.mark.parametrize("name", NAMES)
def test_readme_lists_it(name: str) -> None:
    assert f"`{name}`" in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_card_is_written(name: str, runs: dict[str, tuple[Path, Path]]) -> None:
    write_report(runs[name][0])
    assert name in (runs[name][0] / "card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_paper_is_cited(name: str) -> None:
    paper = all_systems()[name].paper
    assert paper.doi.startswith("10.")
    assert paper.year > 2000
    assert paper.reported
