"""One namespace for the system and its study, written and read without loss."""

import tomllib
from dataclasses import asdict, fields
from fractions import Fraction

import pytest
import tomli_w

from hepatica.cohort import SettingsError
from hepatica.protocol import as_plain, from_plain, override
from hepatica.studies.li_2025_cnn_sasm.settings import QUICK, StudySettings
from hepatica.systems.li_2025_cnn_sasm import Settings


@pytest.mark.parametrize("settings", [StudySettings(), QUICK])
def test_survive_being_written(settings: StudySettings) -> None:
    plain = tomllib.loads(tomli_w.dumps(as_plain(settings)))
    assert from_plain(StudySettings(), plain) == settings


def test_the_papers_are_the_default() -> None:
    settings = StudySettings()
    assert settings.folds == 5
    assert [str(ratio) for ratio in settings.ratios] == ["1/4", "1/3", "1/2", "2/3", "3/4", "1"]
    assert len(settings.candidates) == 8
    assert {each.name: getattr(settings, each.name) for each in fields(Settings)} == asdict(Settings())


def test_the_systems_own_are_passed_on_with_the_ratio() -> None:
    own = override(QUICK, {"epochs": 7}).of_system(ratio=Fraction(1, 3))
    assert type(own) is Settings
    assert (own.epochs, own.ratio, own.side) == (7, Fraction(1, 3), QUICK.side)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"candidates": ["ResNet18"]}, "must include CNN-SASM"),
        ({"candidates": ["VGG"]}, "VGG"),
        ({"folds": 1}, "folds"),
        ({"ratios": []}, "got none"),
        ({"ratios": ["1/2", "3/2"]}, "3/2"),
        ({"ratios": ["1/2", "2/4"]}, "each once"),
        ({"candidates": ["CNN-SASM", "CNN-SASM"]}, "each once"),
    ],
)
def test_faults_are_named(changes: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        override(StudySettings(), changes)
