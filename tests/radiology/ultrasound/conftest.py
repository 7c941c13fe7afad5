"""Fixtures: small studies of phantom ultrasound."""

from dataclasses import replace
from pathlib import Path

import pytest

from hepatica.cohort.phantom import HEPATITIS_B, SCANNED_CIRRHOSIS, TACE
from hepatica.radiology.phantom import UltrasoundSettings, phantom_ultrasound

SMALL = UltrasoundSettings(rows=180, columns=240, images=2)


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of hospital A: two patients with B-mode images, one with HCC."""
    folder = tmp_path_factory.mktemp("scanned") / "A"
    return phantom_ultrasound(folder, patients=2, seed=3, difficulty=0, population=SCANNED_CIRRHOSIS, settings=SMALL)


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of hospital B with elastograms."""
    folder = tmp_path_factory.mktemp("followed") / "B"
    return phantom_ultrasound(folder, patients=2, seed=3, hospital="B", population=HEPATITIS_B, settings=SMALL)


@pytest.fixture(scope="session")
def embolised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of hospital A with contrast cines of 12 frames."""
    folder = tmp_path_factory.mktemp("embolised") / "A"
    return phantom_ultrasound(folder, patients=2, seed=3, population=TACE, settings=replace(SMALL, frames=12))
