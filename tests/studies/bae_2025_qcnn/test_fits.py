"""Fits: what was explained is drawn, the highest score first, and nothing that has no unit."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hepatica.cohort.atomic import read_json
from hepatica.report.chapters.quantification.spectra import FITS
from hepatica.spectroscopy.fitting.fit_picture import DrawnFit
from hepatica.studies.bae_2025_qcnn import study
from hepatica.studies.bae_2025_qcnn.study import draw_fits


@pytest.fixture
def results(studied_spectra, tmp_path: Path) -> Path:
    """Results in which spectra are explained, but not fitted."""
    shutil.copytree(studied_spectra.folder / "explained", tmp_path / "results" / "explained")
    shutil.copytree(studied_spectra.folder / "prepared", tmp_path / "results" / "prepared")
    return tmp_path / "results"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[DrawnFit, str, str]]:
    """What would be drawn, its title and its note."""
    found: list[tuple[DrawnFit, str, str]] = []
    monkeypatch.setattr(study, "draw_fit", lambda fit, *, path, title, note: found.append((fit, title, note)))
    return found


def test_a_picture_a_spectrum_the_highest_score_first(studied_spectra) -> None:
    listed = read_json(studied_spectra.folder / FITS / "fits.json")
    explained = read_json(studied_spectra.folder / "explained" / "explained.json")
    assert {each["row"]: each["score"] for each in listed} == {each["row"]: each["score"] for each in explained}
    assert [each["score"] for each in listed] == sorted((each["score"] for each in explained), reverse=True)
    for each in listed:
        with Image.open(studied_spectra.folder / FITS / each["file"]) as image:
            assert image.format == "PNG"


def test_each_fit_is_of_its_own_spectrum(studied_spectra, results: Path, drawn) -> None:
    draw_fits(studied_spectra.cohort, results=results, settings=studied_spectra.settings)
    for fit, title, note in drawn:
        residual = fit.data - fit.fit
        assert residual.std() < 0.01 * fit.data.max()
        assert title.startswith("specimen in row ")
        assert note == "phantom"
    listed = read_json(results / FITS / "fits.json")
    assert [title.split(",")[0] for _, title, _ in drawn] == [f"specimen in row {each['row']}" for each in listed]
    scores = [float(title.split("score ")[1].split(":")[0]) for _, title, _ in drawn]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]
    heights = [fit.data.max() for fit, _, _ in drawn]
    assert len(set(np.round(heights, 3))) == len(heights)


def test_spectra_without_water_are_left_out(studied_spectra, results: Path, drawn, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    shutil.copytree(studied_spectra.cohort, cohort)
    table = pd.read_csv(cohort / "specimens.csv", dtype=str)
    explained = read_json(results / "explained" / "explained.json")
    dry = explained[0]["row"]
    table.loc[dry - 2, "water"] = np.nan
    table.to_csv(cohort / "specimens.csv", index=False)
    draw_fits(cohort, results=results, settings=studied_spectra.settings)
    assert {each["row"] for each in read_json(results / FITS / "fits.json")} == {
        each["row"] for each in explained if each["row"] != dry
    }
    table.drop(columns="water").to_csv(cohort / "specimens.csv", index=False)
    draw_fits(cohort, results=results, settings=studied_spectra.settings)
    assert read_json(results / FITS / "fits.json") == []
