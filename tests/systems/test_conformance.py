"""Conformance: what every registered system must do, by being registered.

Each system is trained once, for two epochs, on the phantom cohort of its room and population, whose specimens are
prepared once. That one seed gives one result is tested once a room and kind of task.
"""

import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w
import torch

from hepatica.cohort import load_cohort, read_predictions
from hepatica.learn import load_weights, save_weights
from hepatica.pathology.phantom import PhantomSettings as SlidePhantom
from hepatica.pathology.room import MULTIPHOTON
from hepatica.protocol import System, as_plain, from_plain
from hepatica.protocol.joined import Joined
from hepatica.protocol.settings import meanings
from hepatica.radiology.phantom import PhantomSettings, UltrasoundSettings
from hepatica.report import write_report
from hepatica.report.documents.system_page import evidence_page, system_page
from hepatica.runs import predict, train
from hepatica.runs.scores import pooled
from hepatica.systems import all_systems, listed

NAMES = tuple(listed())
ROOT = Path(__file__).parents[2]

SMALL = {
    "ct": {"settings": PhantomSettings(matrix=96, slices=14, thickness_mm=12)},
    "slide": {"settings": SlidePhantom(side=512, images=1)},
    "mr": {"settings": PhantomSettings(matrix=64, slices=8, thickness_mm=18)},
    "ultrasound": {"settings": UltrasoundSettings(rows=180, columns=240, images=1, frames=9)},
    "ultrasound_liver_states": {"settings": UltrasoundSettings(rows=180, columns=240, images=1), "patients": 24},
    "ultrasound_hepatitis_b": {"settings": UltrasoundSettings(rows=180, columns=240, images=1), "patients": 36},
    "ct_focal_lesions": {"settings": PhantomSettings(matrix=64, slices=8, thickness_mm=18), "patients": 36},
    "mr_typical_lesions": {"settings": PhantomSettings(matrix=64, slices=8, thickness_mm=18), "patients": 30},
    "mr+table_focal_lesions": {"settings": PhantomSettings(matrix=64, slices=8, thickness_mm=18), "patients": 24},
    "ct_mvi": {"settings": PhantomSettings(matrix=64, slices=8, thickness_mm=18)},
    "ct_ablated": {"settings": PhantomSettings(matrix=64, slices=20, thickness_mm=7), "patients": 12},
    "ct_tace": {"settings": PhantomSettings(matrix=64, slices=8, thickness_mm=18), "patients": 30},
    "ct_tace_sorafenib": {"settings": PhantomSettings(matrix=64, slices=8, thickness_mm=18)},
    "table": {"patients": 60},
}
"""What makes the phantom of a modality, or a population, smaller where the usual one takes long, or larger where it is
tables alone or of many classes.
"""


def phantom_of(system: System) -> str:
    """Name of the phantom cohort that a system is trained on: its modality, and its population where it has its own."""
    population = getattr(system.phantom, "keywords", {}).get("population")
    shown = "_multiphoton" if system.first is MULTIPHOTON else ""
    return f"{system.modality}{shown}_{population.name}" if population else system.modality


def kind(name: str) -> tuple[str, ...]:
    """Modality and tasks."""
    return (listed()[name].modality, *listed()[name].tasks)


ONE_OF_KIND = tuple({kind(name): name for name in NAMES}.values())
DRAWN = frozenset({kind(name)[1:]: name for name in ONE_OF_KIND}.values())
"""Whose report is drawn in full: one a set of tasks, for other modalities paint the same figures."""


class Made(dict[str, Path]):
    """Folders by name, each made when it is first asked for, so that one system alone is soon tested."""

    def __init__(self, make: Callable[[str], Path]) -> None:
        self.make = make

    def __missing__(self, name: str) -> Path:
        self[name] = self.make(name)
        return self[name]


@pytest.fixture(scope="session")
def cohorts(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The phantom cohorts, by `phantom_of`."""
    firsts = {phantom_of(system): system for system in all_systems().values()}

    def make(name: str) -> Path:
        more = SMALL.get(name, SMALL.get(firsts[name].modality, {}))
        return firsts[name].phantom(tmp_path_factory.mktemp("phantom") / name, **{"patients": 18, "seed": 3} | more)

    return Made(make)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, cohorts: Made) -> Made:
    """A run of each system; specimens of a room are prepared in one folder."""
    folder = tmp_path_factory.mktemp("runs")
    return Made(lambda name: once_more(all_systems()[name], folder / name, cohorts, folder))


def once_more(system: System, run: Path, cohorts: dict[str, Path], folder: Path) -> Path:
    prepared = folder / f"prepared_{phantom_of(system)}"
    train(system, cohorts[phantom_of(system)], run=run, settings=system.shortest_quick, prepared=prepared)
    return run


@pytest.fixture
def prepared(name: str, cohorts: dict[str, Path], runs: dict[str, Path]):
    """System, settings for seconds, cohort, and its prepared specimens."""
    system = all_systems()[name]
    cohort = load_cohort(cohorts[phantom_of(system)])
    settings = system.completed(cohort, system.shortest_quick)
    folder = runs[name].parent / f"prepared_{phantom_of(system)}"
    return system, settings, cohort, system.prepare(cohort, settings, folder)


@pytest.mark.parametrize("name", ONE_OF_KIND)
def test_one_seed_gives_one_result(name: str, runs: dict[str, Path], cohorts: dict[str, Path], tmp_path: Path) -> None:
    again = once_more(all_systems()[name], tmp_path / "run", cohorts, runs[name].parent)
    first, second = (read_predictions(run / "predictions.parquet") for run in (runs[name], again))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_what_the_task_says(name: str, runs: dict[str, Path]) -> None:
    table = read_predictions(runs[name] / "predictions.parquet")
    scored = table[table["score"].notna()]
    assert set(scored["task"]) <= set(listed()[name].tasks)
    assert scored.loc[scored["task"].isin(["binary", "multi_class"]), "score"].between(0, 1).all()
    # A mask that was hardly trained may be all of a scan or nothing: its probabilities differ.
    shown = pd.read_parquet(runs[name] / "regions.parquet") if set(scored["task"]) == {"segmentation"} else scored
    grouped = shown.groupby("endpoint") if "endpoint" in shown else shown.groupby(lambda _: "all")
    assert grouped["score"].nunique().max() > scored["patient_id"].nunique() / 2
    assert set(table["patient_id"]) == set(pd.read_parquet(runs[name] / "patients.parquet").index)


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_network_predicts_the_same(prepared, tmp_path: Path) -> None:
    system, settings, _, material = prepared
    network, other = (system.build(settings, pretrained=False) for _ in range(2))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.9)
    # The mask of an untrained network may be all of a scan or nothing: its probabilities tell it from another.
    shown = "regions" if "segmentation" in {task.KIND for task in system.tasks(settings)} else "specimens"
    before = getattr(system.read(other, material, settings), shown)["score"]
    save_weights(network, tmp_path / "w.safetensors")
    load_weights(other, tmp_path / "w.safetensors")
    one, two = (system.read(each, material, settings) for each in (network, other))
    pd.testing.assert_frame_equal(one.specimens, two.specimens, check_exact=True)
    assert not np.allclose(before, getattr(two, shown)["score"])


@pytest.mark.parametrize("name", NAMES)
def test_one_patient_is_enough_to_predict(prepared, name: str, runs: dict[str, Path]) -> None:
    system, settings, cohort, together = prepared
    patient = together.specimens["patient_id"].iloc[0]
    material = system.prepare(cohort.select([patient]), settings, runs[name].parent / f"prepared_{phantom_of(system)}")
    network = system.build(settings, pretrained=False)
    alone, among = (system.read(network, each, settings) for each in (material, together))
    patients = pooled(system, alone, settings=settings).query("specimen_id.isna()")
    assert set(patients["endpoint"]) == {each.endpoint for each in system.targets(settings)}
    assert len(alone.regions) == len(alone.signatures)
    expected = among.specimens.loc[among.specimens["patient_id"] == patient, "score"]
    np.testing.assert_allclose(alone.specimens["score"], expected, atol=1e-5)


@pytest.mark.parametrize("name", [each for each in NAMES if listed()[each].modality in ("ct+table", "mr+table")])
def test_a_study_that_is_read_with_a_table_comes_back_for_the_archive(
    name: str, runs: dict[str, Path], cohorts: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(cohorts[phantom_of(all_systems()[name])], tmp_path / "one")
    (first,) = pd.read_csv(folder / "patients.csv", dtype=str)["patient_id"].head(1)
    for path in folder.glob("*.csv"):
        table = pd.read_csv(path, dtype=str)
        if "patient_id" in table:
            table[table["patient_id"] == first].to_csv(path, index=False)
    predict(runs[name], [folder], out=tmp_path / "out", pictures=0)
    assert [path.name for path in (tmp_path / "out").rglob("sr.dcm")] == ["sr.dcm"]


@pytest.mark.parametrize("name", NAMES)
def test_saliency_has_the_size_of_its_input(prepared) -> None:
    system, settings, _, material = prepared
    network = system.build(settings, pretrained=False)
    if isinstance(material, Joined):
        network = material.first_alone(network, patient_id=material.specimens["patient_id"].iloc[0])
        material = next(iter(material.parts.values()))
    images = material.read(np.arange(3))
    maps = system.explain(network, images)
    assert maps.shape == images.shape[: maps.ndim]
    assert maps.min() >= 0
    assert maps.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_settings_survive_the_settings_file_and_each_has_a_meaning(name: str) -> None:
    system = all_systems()[name]
    for settings in (system.settings, system.quick):
        assert from_plain(system.settings, tomllib.loads(tomli_w.dumps(as_plain(settings)))) == settings
    assert [each for each, meaning in meanings(system.settings).items() if not meaning] == []


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_those_that_its_rooms_declare(name: str) -> None:
    system = all_systems()[name]
    assert all(isinstance(system.settings, room.plan) for room in system.rooms.values())


@pytest.mark.parametrize("name", NAMES)
def test_file_is_short_and_states_departures_and_unclear_points(name: str) -> None:
    system = all_systems()[name]
    module = sys.modules[listed()[name].reference.partition(":")[0]]
    assert system in vars(module).values()
    assert "Departures" in (module.__doc__ or "")
    assert "Unclear" in (module.__doc__ or "")


@pytest.mark.parametrize("name", NAMES)
def test_listing_agrees_with_the_record(name: str) -> None:
    told, system = listed()[name], all_systems()[name]
    assert (told.name, told.question, told.modality) == (system.name, system.question, system.modality)
    asked = dict.fromkeys(task.KIND for task in system.tasks(system.settings))
    assert [kind for kind in told.tasks if kind in asked] == list(asked)
    assert told.paper["doi"] == system.paper.doi


@pytest.mark.parametrize("name", NAMES)
def test_docs_page_is_that_of_the_file(name: str) -> None:
    page = ROOT / "docs" / "systems" / f"{name}.md"
    assert page.read_text(encoding="utf-8") == system_page(all_systems()[name]), "run ./run docs"


def test_table_of_evidence_is_that_of_the_files() -> None:
    page = ROOT / "docs" / "evidence.md"
    assert page.read_text(encoding="utf-8") == evidence_page(list(all_systems().values())), "run ./run docs"


@pytest.mark.parametrize("name", NAMES)
def test_readme_lists_it(name: str) -> None:
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ONE_OF_KIND)
def test_report_and_card_are_written(name: str, runs: dict[str, Path], request: pytest.FixtureRequest) -> None:
    if name not in DRAWN:
        request.getfixturevalue("sketches")
    write_report(runs[name])
    assert name in (runs[name] / "card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_paper_is_cited(name: str) -> None:
    paper = all_systems()[name].paper
    assert paper.doi.startswith("10.")
    assert paper.year > 2000
    assert any(each.paper.reported for each in all_systems().values() if each.paper.doi == paper.doi)
