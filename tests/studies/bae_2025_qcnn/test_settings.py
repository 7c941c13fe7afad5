"""Settings: one namespace for both systems and the study around them."""

import tomllib
from dataclasses import asdict, fields

import pytest
import tomli_w

from hepatica.cohort import SettingsError
from hepatica.protocol import as_plain, from_plain, override
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL, STANDARD
from hepatica.studies.bae_2025_qcnn.settings import QUICK, StudySettings
from hepatica.systems.bae_2025_ccnn import Settings
from hepatica.systems.bae_2025_qcnn import SYSTEM as QCNN
from hepatica.systems.bae_2025_qcnn import Settings as QcnnSettings


@pytest.mark.parametrize("settings", [StudySettings(), QUICK])
def test_survive_being_written(settings: StudySettings) -> None:
    plain = tomllib.loads(tomli_w.dumps(as_plain(settings)))
    assert from_plain(StudySettings(), plain) == settings


def test_those_of_the_systems_are_the_default() -> None:
    settings = StudySettings()
    assert {each.name: getattr(settings, each.name) for each in fields(Settings)} == asdict(Settings())
    assert settings.quantifier == QCNN.settings


def test_the_quantifier_has_its_own_training_and_the_classifiers_acquisition_and_patients() -> None:
    changed = {"te_ms": 30.0, "points": 512, "seed": 7, "test": 0.4, "validation": 0.1, "endpoint": "cancer"}
    settings = override(QUICK, {**changed, "width": 8, "qcnn_epochs": 3, "qcnn_members": 4, "epochs": 9, "members": 2})
    own = settings.quantifier
    assert type(own) is QcnnSettings
    assert {name: getattr(own, name) for name in changed} == changed
    assert (own.width, own.epochs, own.members) == (8, 3, 4)
    assert (settings.epochs, settings.members) == (9, 2)


@pytest.mark.parametrize(("effects", "simulated"), [("all", STANDARD), ("of_model", OF_MODEL)])
def test_what_the_quantifier_learns_from_is_chosen(effects: str, simulated: object) -> None:
    assert override(StudySettings(), {"qcnn_effects": effects}).quantifier.simulated == simulated


@pytest.mark.parametrize("changes", [{"spectra": 59}, {"swept": 7}, {"qcnn_effects": "some"}, {"qcnn_epochs": 0}])
def test_faults_are_named(changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes))):
        override(StudySettings(), changes)
