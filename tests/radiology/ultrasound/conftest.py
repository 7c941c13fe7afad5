"""Fixtures: small studies of phantom ultrasound."""

from pathlib import Path

import pytest

from hepatica.cohort.phantom import SCANNED_CIRRHOSIS
from hepatica.radiology.phantom import UltrasoundSettings, phantom_ultrasound

SMALL = UltrasoundSettings(rows=180, columns=240, images=2)


@pytest.fixture(scope="session")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of hospital A: two patients with B-mode images, one with HCC."""
    folder = tmp_path_factory.mktemp("scanned") / "A"
    return phantom_ultrasound(folder, patients=2, seed=3, difficulty=0, population=SCANNED_CIRRHOSIS, settings=SMALL)
