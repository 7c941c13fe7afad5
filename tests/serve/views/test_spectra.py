"""Spectra: what a viewer is given adds up, and has no number that JSON does not know."""

import json
from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.cohort.specimens import Specimen
from hepatica.serve.views import spectra
from hepatica.spectroscopy.phantom import phantom_spectra


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = phantom_spectra(tmp_path_factory.mktemp("spectra") / "a", patients=2, seed=5, difficulty=0.0) / "spectra"
    return spectra.fitted(specimen(folder / "0001.nii.gz", water=folder / "0001_water.nii.gz"))


def specimen(path: Path, **attachments: Path) -> Specimen:
    who = {"patient_id": "p", "specimen_id": "s", "modality": "spectrum", "row": 1}
    return Specimen(**who, path=path, attachments=attachments)


def test_the_residual_is_the_data_minus_the_fit(found: dict) -> None:
    data, fit, residual = (np.array(found[name]) for name in ("data", "fit", "residual"))
    assert len(found["ppm"]) == len(data) == len(fit)
    assert np.abs(data - fit - residual).max() < 1e-4 * np.ptp(data)
    assert np.ptp(residual) < 0.2 * np.ptp(data)


def test_components_come_the_largest_first_and_make_the_fit(found: dict) -> None:
    heights = [np.abs(each).max() for each in found["components"].values()]
    assert heights == sorted(heights, reverse=True)
    total = np.sum([*found["components"].values()], axis=0) + found["baseline"]
    assert np.abs(total - found["fit"]).max() < 1e-3 * np.ptp(found["fit"])


def test_it_is_valid_json(found: dict) -> None:
    assert json.loads(json.dumps(found, allow_nan=False))["quantities"]
    assert {each["unit"] for each in found["quantities"]} >= {"mM"}


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.nii.gz").write_bytes(b"no spectrum")
    with pytest.raises(SpecimenError):
        spectra.fitted(specimen(tmp_path / "x.nii.gz"))
